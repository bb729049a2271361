#include "runtime/main/Program.h"

#include "runtime/Format.h"
#include "runtime/main/Console.h"
#include "runtime/main/Profiler.h"

#include <algorithm>

namespace moire {

Program::Program() = default;

Program::~Program() {
  moire_state_destroy(state);
  moire_close(model);
}

std::span<const uint8_t> Program::section(std::string_view name) const {
  moire_section_info section;
  for (int64_t i = 0; moire_get_section(model, i, &section) == MOIRE_OK; ++i)
    if (section.name == name)
      return {section.data, section.bytes};
  return {};
}

int Program::open() {
  char message[1024] = "";
  moire_status status =
      moire_open(MOIRE_HOST_VERSION, &moire_this_program, nullptr, &model, message, sizeof message);
  if (status != MOIRE_OK)
    return complain(exitCode(status), message);
  moire_get_info(model, &info);

  std::span<const uint8_t> text = section("metadata");
  std::string error;
  if (!parseMetadata({reinterpret_cast<const char *>(text.data()), text.size()}, metadata, error))
    return complain(kBadInput, "the program's metadata is damaged: " + error);
  std::span<const uint8_t> vocabulary = section("tokenizer");
  if (vocabulary.empty())
    noTokenizer = "the model was compiled without a tokenizer";
  else if (!Tokenizer::load(vocabulary, tokenizer, error))
    noTokenizer = "the program's tokenizer is damaged: " + error;
  return kDone;
}

int Program::needTokenizer() const {
  if (noTokenizer.empty())
    return kDone;
  return complain(kUnsupported, noTokenizer + "; give ids with --token-ids and --print-ids");
}

int Program::createState(int64_t mostTokens) {
  if (context() > info.context)
    return complain(
        kUsage, format("--ctx %lld is more than the %lld tokens that the model was made "
                       "for",
                       static_cast<long long>(context()), static_cast<long long>(info.context)));
  moire_state_options wanted = {};
  wanted.slots = 1;
  wanted.threads = options.threads;
  wanted.context = context();
  wanted.max_tokens = std::clamp<int64_t>(mostTokens, 1, context());
  return createState(wanted);
}

int Program::createState(const moire_state_options &wanted) {
  moire_state_destroy(state);
  state = nullptr;
  // Only from here on is there a loop that looks at `interrupted`.
  catchInterrupt();
  char message[1024] = "";
  moire_status status = moire_state_create(model, &wanted, &state, message, sizeof message);
  if (status != MOIRE_OK)
    return complain(exitCode(status), message);
  return info.profiled ? Profiler::attach(*this) : kDone;
}

void Program::countStepsAs(const std::string &name) {
  if (profiler)
    profiler->profile.begin(name);
}

int Program::complainAboutState(moire_status status) const {
  return complain(exitCode(status), moire_state_error(state));
}

int Program::feed(std::span<const int32_t> tokens, float *logits) {
  Progress progress("prompt", tokens.size());
  const int64_t count = static_cast<int64_t>(tokens.size());
  for (int64_t done = 0; done < count; done += options.chunk) {
    if (interrupted())
      return kInterrupted;
    int64_t piece = std::min(options.chunk, count - done);
    moire_status status = moire_feed(state, 0, tokens.data() + done, piece, 0,
                                     done + piece == count ? logits : nullptr);
    if (status != MOIRE_OK)
      return complainAboutState(status);
    progress.show(done + piece);
  }
  return kDone;
}

int FloatBuffer::allocate(uint64_t count, const char *less) {
  uint64_t bytes;
  if (!__builtin_mul_overflow(count, sizeof(float), &bytes) && memory.allocate(bytes))
    return kDone;
  return complain(kOutOfResources, format("no memory for %llu numbers; a smaller %s needs less",
                                          static_cast<unsigned long long>(count), less));
}

} // namespace moire
