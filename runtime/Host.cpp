// moire.h over the C++ classes: handles, NULL checks, messages.

#include "runtime/Checksum.h"
#include "runtime/Format.h"
#include "runtime/State.h"

#include <cstring>
#include <new>

struct moire_model {
  std::shared_ptr<const moire::Model> model;
};

struct moire_state {
  std::unique_ptr<moire::State> state;
};

namespace {
moire_status report(moire_status status, const std::string &why, char *message, size_t bytes) {
  if (message && bytes) {
    size_t length = std::min(why.size(), bytes - 1);
    memcpy(message, why.data(), length);
    message[length] = 0;
  }
  return status;
}

const moire::SectionView *sectionAt(const moire_model *model, int64_t index) {
  if (!model || index < 0 || index >= static_cast<int64_t>(model->model->file.sections().size()))
    return nullptr;
  return &model->model->file.sections()[index];
}
} // namespace

int32_t moire_host_version(void) { return MOIRE_HOST_VERSION; }

moire_status moire_open(int32_t host_version, const struct moire_program *program, const char *file,
                        moire_model **model, char *message, size_t message_bytes) {
  auto fail = [&](moire_status status, const std::string &why) {
    return report(status, why, message, message_bytes);
  };
  if (!model)
    return fail(MOIRE_ERROR_ARGUMENT, "no place for the model: `model` is NULL");
  *model = nullptr;
  if (!program)
    return fail(MOIRE_ERROR_ARGUMENT, "no generated code: `program` is NULL");
  if (host_version != MOIRE_HOST_VERSION)
    return fail(MOIRE_ERROR_UNSUPPORTED,
                moire::format("the host was built for version %d of moire.h, this runtime is "
                              "version %d",
                              host_version, MOIRE_HOST_VERSION));
  auto opened = std::make_shared<moire::Model>();
  opened->program = program;
  std::string error;
  moire_status status = opened->file.open(file, error);
  if (status != MOIRE_OK)
    return fail(status, error);
  error = moire::checkProgram(*program, opened->file.find("weights"));
  if (!error.empty())
    return fail(MOIRE_ERROR_FILE, opened->file.path() + ": " + error);
  *model = new (std::nothrow) moire_model{std::move(opened)};
  return *model ? MOIRE_OK : fail(MOIRE_ERROR_RESOURCES, "no memory for a model");
}

void moire_close(moire_model *model) { delete model; }

moire_status moire_get_info(const moire_model *model, moire_info *info) {
  if (!model || !info)
    return MOIRE_ERROR_ARGUMENT;
  const moire_program &program = *model->model->program;
  *info = {};
  info->vocab = program.vocab;
  info->hidden = program.hidden;
  info->layers = program.layers;
  info->context = program.context;
  info->weight_bytes = program.weight_bytes;
  if (program.kv_page_bytes) {
    info->kv_bytes_per_token = program.kv_page_bytes / program.kv_page_positions;
    info->kv_page_positions = program.kv_page_positions;
  }
  info->tapped = program.tapped;
  info->route_width = program.route_width;
  info->profiled = program.stamps > 0;
  return MOIRE_OK;
}

moire_status moire_get_section(const moire_model *model, int64_t index,
                               moire_section_info *section) {
  const moire::SectionView *view = sectionAt(model, index);
  if (!view || !section)
    return MOIRE_ERROR_ARGUMENT;
  *section = {view->name, view->bytes.data(), view->bytes.size(), view->offset, view->checksum};
  return MOIRE_OK;
}

moire_status moire_verify_section(const moire_model *model, int64_t index) {
  const moire::SectionView *view = sectionAt(model, index);
  if (!view)
    return MOIRE_ERROR_ARGUMENT;
  return moire::checksum(view->bytes) == view->checksum ? MOIRE_OK : MOIRE_ERROR_FILE;
}

moire_status moire_state_create(moire_model *model, const moire_state_options *options,
                                moire_state **state, char *message, size_t message_bytes) {
  if (state)
    *state = nullptr;
  if (!model || !state)
    return report(MOIRE_ERROR_ARGUMENT, "`model` or `state` is NULL", message, message_bytes);
  std::unique_ptr<moire::State> created;
  std::string error;
  moire_status status = moire::State::create(
      model->model, options ? *options : moire_state_options{}, created, error);
  if (status != MOIRE_OK)
    return report(status, error, message, message_bytes);
  *state = new (std::nothrow) moire_state{std::move(created)};
  if (*state)
    return MOIRE_OK;
  return report(MOIRE_ERROR_RESOURCES, "no memory for a state", message, message_bytes);
}

void moire_state_destroy(moire_state *state) { delete state; }

const char *moire_state_error(const moire_state *state) {
  return state ? state->state->error() : "`state` is NULL";
}

moire_status moire_state_get_options(const moire_state *state, moire_state_options *options) {
  if (!state || !options)
    return MOIRE_ERROR_ARGUMENT;
  *options = state->state->options();
  return MOIRE_OK;
}

moire_status moire_step_run(moire_state *state, const moire_batch *batch) {
  return state && batch ? state->state->run(*batch) : MOIRE_ERROR_ARGUMENT;
}

moire_status moire_feed(moire_state *state, int32_t slot, const int32_t *tokens, int64_t count,
                        int64_t chunk, float *logits) {
  return state ? state->state->feed(slot, tokens, count, chunk, logits) : MOIRE_ERROR_ARGUMENT;
}

moire_status moire_state_observe(moire_state *state, moire_observer observer, void *context) {
  return state ? state->state->observe(observer, context) : MOIRE_ERROR_ARGUMENT;
}

int64_t moire_slot_length(const moire_state *state, int32_t slot) {
  return state ? state->state->length(slot) : -1;
}

moire_status moire_slot_fork(moire_state *state, int32_t from, int32_t to) {
  return state ? state->state->fork(from, to) : MOIRE_ERROR_ARGUMENT;
}

moire_status moire_slot_truncate(moire_state *state, int32_t slot, int64_t length) {
  return state ? state->state->truncate(slot, length) : MOIRE_ERROR_ARGUMENT;
}

moire_status moire_slot_repeat(moire_state *state, int32_t slot, int64_t length) {
  return state ? state->state->repeat(slot, length) : MOIRE_ERROR_ARGUMENT;
}

moire_status moire_slot_reset(moire_state *state, int32_t slot) {
  return moire_slot_truncate(state, slot, 0);
}
