#include "runtime/State.h"

#include "runtime/Format.h"
#include "runtime/cpu/Cores.h"
#include "runtime/cpu/Features.h"

#include <algorithm>
#include <new>

namespace moire {

namespace {
constexpr int64_t kMostThreads = 1024, kMostSlots = 1 << 16;

// An option: 0 means `standard`, anything else must lie in 1 .. most.
bool fillIn(const char *name, int64_t &value, int64_t standard, int64_t most, std::string &error) {
  if (value == 0)
    value = standard;
  if (value >= 1 && value <= most)
    return true;
  error = format("%s is %lld, outside of 1 .. %lld", name, static_cast<long long>(value),
                 static_cast<long long>(most));
  return false;
}
} // namespace

moire_status State::create(std::shared_ptr<const Model> model, const moire_state_options &options,
                           std::unique_ptr<State> &state, std::string &error) {
  const moire_program &program = *model->program;
  error = missingCpuFeatures(program.cpu_features, cpuFeatures());
  if (!error.empty())
    return MOIRE_ERROR_UNSUPPORTED;

  int64_t slots = options.slots, threads = options.threads;
  moire_state_options limits = options;
  if (!fillIn("slots", slots, 1, kMostSlots, error) ||
      !fillIn("threads", threads, std::min(defaultTeam(), kMostThreads), kMostThreads, error) ||
      !fillIn("context", limits.context, program.context, program.context, error))
    return MOIRE_ERROR_ARGUMENT;
  int64_t capacity = slots * limits.context; // at most 2^47
  int64_t mostTokens = std::min<int64_t>(capacity, INT32_MAX);
  int64_t pages = 0;
  if (program.kv_page_bytes)
    pages = slots * ((limits.context - 1) / program.kv_page_positions + 1);
  int64_t mostPages = std::min<int64_t>(std::max<int64_t>(pages, 1), INT32_MAX);
  if (!fillIn("max_tokens", limits.max_tokens, std::min<int64_t>(512, mostTokens), mostTokens,
              error) ||
      !fillIn("kv_pages", limits.kv_pages, mostPages, mostPages, error))
    return MOIRE_ERROR_ARGUMENT;
  limits.slots = static_cast<int32_t>(slots);
  limits.threads = static_cast<int32_t>(threads);

  state.reset(new (std::nothrow) State(std::move(model), limits));
  moire_status status = MOIRE_ERROR_RESOURCES;
  if (state)
    status = state->allocate(error);
  else
    error = "no memory for a state";
  if (status != MOIRE_OK)
    state.reset();
  return status;
}

moire_status State::allocate(std::string &error) {
  const moire_program &program = *model->program;
  uint64_t arenaBytes, scratchBytes, maxTokens = moire_whole_fours(limits.max_tokens);
  if (__builtin_mul_overflow(static_cast<uint64_t>(program.arena_bytes_per_token), maxTokens,
                             &arenaBytes) ||
      __builtin_add_overflow(arenaBytes, static_cast<uint64_t>(program.arena_bytes), &arenaBytes) ||
      !arena.allocate(arenaBytes)) {
    error =
        format("no memory for steps of %lld tokens (%s each, and %s for all of them); ask for a "
               "smaller max_tokens",
               static_cast<long long>(limits.max_tokens),
               formatBytes(program.arena_bytes_per_token).c_str(),
               formatBytes(program.arena_bytes).c_str());
    return MOIRE_ERROR_RESOURCES;
  }
  uint64_t threadBytes;
  if (__builtin_mul_overflow(static_cast<uint64_t>(program.scratch_bytes_per_token), maxTokens,
                             &threadBytes) ||
      __builtin_add_overflow(threadBytes, static_cast<uint64_t>(program.scratch_bytes),
                             &threadBytes) ||
      __builtin_mul_overflow(threadBytes, static_cast<uint64_t>(limits.threads), &scratchBytes) ||
      !scratch.allocate(scratchBytes) || !indices.allocate(4 * indexBytes())) {
    error = format("no memory for the work space of %d threads (%s each, and %s for each of %lld "
                   "tokens); ask for a smaller max_tokens or fewer threads",
                   limits.threads, formatBytes(program.scratch_bytes).c_str(),
                   formatBytes(program.scratch_bytes_per_token).c_str(),
                   static_cast<long long>(limits.max_tokens));
    return MOIRE_ERROR_RESOURCES;
  }
  const uint64_t threads = limits.threads;
  if (program.stamps && (!stamps.allocate(threads * program.stamps * sizeof(moire_stamp)) ||
                         !stampCounts.allocate(threads * kStampCountBytes))) {
    error = format("no memory for the time stamps of %d threads (%lld of a step on each); ask for "
                   "fewer threads",
                   limits.threads, static_cast<long long>(program.stamps));
    return MOIRE_ERROR_RESOURCES;
  }
  if (program.kv_page_bytes)
    pagesPerSlot = (limits.context - 1) / program.kv_page_positions + 1;
  int64_t pages = pagesPerSlot ? limits.kv_pages : 0;
  if (!pool.create(pages, program.kv_page_bytes, std::max<int64_t>(program.kv_page_positions, 1),
                   limits.slots, pagesPerSlot)) {
    error = format("no memory for %lld KV pages of %s; ask for a shorter context or fewer slots",
                   static_cast<long long>(pages), formatBytes(program.kv_page_bytes).c_str());
    return MOIRE_ERROR_RESOURCES;
  }
  lengths.assign(limits.slots, 0);
  after.assign(limits.slots, 0);
  team = Team::create(limits.threads, error);
  return team ? MOIRE_OK : MOIRE_ERROR_RESOURCES;
}

moire_status State::fail(moire_status status, std::string why) {
  message = std::move(why);
  return status;
}

moire_status State::checkSlot(int32_t slot) {
  if (slot >= 0 && slot < limits.slots)
    return MOIRE_OK;
  return fail(MOIRE_ERROR_ARGUMENT,
              format("slot %d does not exist; the state has 0 .. %d", slot, limits.slots - 1));
}

// Makes room for lengths .. after. On failure the pages stand as before.
moire_status State::takePages() {
  for (int32_t slot = 0; slot < limits.slots; ++slot) {
    if (pool.prepare(slot, lengths[slot], after[slot]))
      continue;
    for (int32_t back = 0; back <= slot; ++back)
      pool.truncate(back, lengths[back]);
    return fail(MOIRE_ERROR_CAPACITY,
                format("no KV page is free for slot %d at position %lld: all %lld are in use", slot,
                       static_cast<long long>(lengths[slot]),
                       static_cast<long long>(pool.pageCount())));
  }
  return MOIRE_OK;
}

moire_status State::feed(int32_t slot, const int32_t *tokens, int64_t count, int64_t chunk,
                         float *logits) {
  if (moire_status status = checkSlot(slot); status != MOIRE_OK)
    return status;
  if (count < 1 || !tokens || chunk < 0)
    return fail(MOIRE_ERROR_ARGUMENT,
                format("%lld tokens to feed in pieces of %lld", static_cast<long long>(count),
                       static_cast<long long>(chunk)));
  if (count > limits.context - lengths[slot])
    return fail(MOIRE_ERROR_CAPACITY,
                format("%lld tokens do not fit into slot %d, which holds %lld of %lld",
                       static_cast<long long>(count), slot, static_cast<long long>(lengths[slot]),
                       static_cast<long long>(limits.context)));
  const int64_t piece = chunk ? std::min(chunk, limits.max_tokens) : limits.max_tokens;
  std::vector<int32_t> slots(std::min(piece, count), slot);
  for (int64_t done = 0; done < count; done += piece) {
    int64_t here = std::min(piece, count - done);
    int32_t last = static_cast<int32_t>(here - 1);
    moire_batch batch = {};
    batch.tokens = tokens + done;
    batch.slots = slots.data();
    batch.token_count = here;
    if (logits && done + here == count) {
      batch.rows = &last;
      batch.row_count = 1;
      batch.logits = logits;
    }
    if (moire_status status = run(batch); status != MOIRE_OK)
      return status;
  }
  return MOIRE_OK;
}

moire_status State::fork(int32_t from, int32_t to) {
  if (moire_status status = checkSlot(from); status != MOIRE_OK)
    return status;
  if (moire_status status = checkSlot(to); status != MOIRE_OK)
    return status;
  if (from == to)
    return fail(MOIRE_ERROR_ARGUMENT, format("slot %d cannot be forked into itself", from));
  pool.truncate(to, 0);
  pool.share(from, to);
  lengths[to] = lengths[from];
  return MOIRE_OK;
}

moire_status State::truncate(int32_t slot, int64_t length) {
  if (moire_status status = checkSlot(slot); status != MOIRE_OK)
    return status;
  if (length < 0 || length > lengths[slot])
    return fail(MOIRE_ERROR_ARGUMENT,
                format("slot %d cannot be cut to %lld tokens: it holds %lld", slot,
                       static_cast<long long>(length), static_cast<long long>(lengths[slot])));
  pool.truncate(slot, length);
  lengths[slot] = length;
  return MOIRE_OK;
}

moire_status State::repeat(int32_t slot, int64_t length) {
  if (moire_status status = checkSlot(slot); status != MOIRE_OK)
    return status;
  const int64_t held = lengths[slot], page = model->program->kv_page_positions;
  if (length < held)
    return fail(MOIRE_ERROR_ARGUMENT,
                format("slot %d cannot be repeated to %lld tokens: it holds %lld", slot,
                       static_cast<long long>(length), static_cast<long long>(held)));
  if (pagesPerSlot && (held == 0 || held % page != 0))
    return fail(MOIRE_ERROR_ARGUMENT,
                format("slot %d cannot be repeated: it holds %lld tokens, no whole pages of %lld",
                       slot, static_cast<long long>(held), static_cast<long long>(page)));
  if (length > limits.context)
    return fail(MOIRE_ERROR_CAPACITY,
                format("%lld tokens do not fit into slot %d: its context is %lld",
                       static_cast<long long>(length), slot,
                       static_cast<long long>(limits.context)));
  after = lengths;
  after[slot] = length;
  if (moire_status status = takePages(); status != MOIRE_OK)
    return status;
  pool.repeatFirst(slot, held, length);
  lengths[slot] = length;
  return MOIRE_OK;
}

int64_t State::length(int32_t slot) const {
  return slot >= 0 && slot < limits.slots ? lengths[slot] : -1;
}

} // namespace moire
