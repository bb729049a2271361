// A step: what the host asks for is checked and put where generated code expects it, the team runs,
// and the host gets what came out.

#include "runtime/Format.h"
#include "runtime/State.h"
#include "runtime/cpu/TimeStamp.h"

#include <cstring>

namespace moire {

moire_status State::checkBuffers(const moire_batch &batch) {
  if (batch.token_count < 1 || batch.token_count > limits.max_tokens)
    return fail(MOIRE_ERROR_ARGUMENT, format("a step of %lld tokens; this state takes 1 .. %lld",
                                             static_cast<long long>(batch.token_count),
                                             static_cast<long long>(limits.max_tokens)));
  if (!batch.tokens)
    return fail(MOIRE_ERROR_ARGUMENT, "tokens is NULL");
  if (batch.row_count < 0 || batch.row_count > batch.token_count)
    return fail(MOIRE_ERROR_ARGUMENT, format("%lld rows of logits wanted from %lld tokens",
                                             static_cast<long long>(batch.row_count),
                                             static_cast<long long>(batch.token_count)));
  if (batch.row_count && (!batch.rows || !batch.logits))
    return fail(MOIRE_ERROR_ARGUMENT, "rows or logits is NULL although logits are wanted");
  for (int64_t i = 0; i < batch.row_count; ++i)
    if (batch.rows[i] < 0 || batch.rows[i] >= batch.token_count)
      return fail(MOIRE_ERROR_ARGUMENT,
                  format("rows[%lld] is %d, outside of 0 .. %lld", static_cast<long long>(i),
                         batch.rows[i], static_cast<long long>(batch.token_count - 1)));
  if (batch.taps && !model->program->tapped)
    return fail(MOIRE_ERROR_ARGUMENT,
                "hidden states are wanted, but the program was compiled without --keep=hidden");
  if ((batch.route_ids || batch.route_weights) && !model->program->route_width)
    return fail(MOIRE_ERROR_ARGUMENT,
                "the choice of experts is wanted, but the program was compiled "
                "without --keep=route, or has no router");
  return MOIRE_OK;
}

// Computes `after`.
moire_status State::checkTokens(const moire_batch &batch) {
  after = lengths;
  for (int64_t i = 0; i < batch.token_count; ++i) {
    long long index = i;
    if (batch.tokens[i] < 0 || batch.tokens[i] >= model->program->vocab)
      return fail(MOIRE_ERROR_ARGUMENT,
                  format("tokens[%lld] is %d, outside of the vocabulary 0 .. %lld", index,
                         batch.tokens[i], static_cast<long long>(model->program->vocab - 1)));
    int32_t slot = batch.slots ? batch.slots[i] : 0;
    if (moire_status status = checkSlot(slot); status != MOIRE_OK)
      return status;
    if (batch.positions && batch.positions[i] != after[slot])
      return fail(MOIRE_ERROR_ARGUMENT,
                  format("positions[%lld] is %d, but slot %d continues at %lld", index,
                         batch.positions[i], slot, static_cast<long long>(after[slot])));
    if (after[slot] == limits.context)
      return fail(MOIRE_ERROR_CAPACITY, format("slot %d is full: its context is %lld tokens", slot,
                                               static_cast<long long>(limits.context)));
    ++after[slot];
  }
  return MOIRE_OK;
}

// Where generated code may write `count` numbers meant for `wanted`: there if it is aligned,
// otherwise into `memory`, grown as needed. Null when there is no memory.
template <typename T> T *State::landing(T *wanted, int64_t count, LazyMemory &memory) {
  if (wanted && reinterpret_cast<uintptr_t>(wanted) % kAlignment == 0)
    return wanted;
  uint64_t bytes = static_cast<uint64_t>(count) * sizeof(T);
  if (memory.bytes() < bytes && !memory.allocate(bytes))
    return nullptr;
  return reinterpret_cast<T *>(memory.data());
}

moire_status State::run(const moire_batch &batch) {
  const moire_program &program = *model->program;
  moire_status status = checkBuffers(batch);
  if (status == MOIRE_OK)
    status = checkTokens(batch);
  if (status != MOIRE_OK)
    return status;

  const int64_t tokenCount = batch.token_count, rowCount = batch.row_count;
  const int64_t logitCount = rowCount * program.vocab;
  const int64_t tapCount = program.tapped ? (program.layers + 1) * tokenCount * program.hidden : 0;
  float *logits = rowCount ? landing(batch.logits, logitCount, logitsLanding) : nullptr;
  // A program with taps writes them whether or not they are wanted.
  float *taps = tapCount ? landing(batch.taps, tapCount, tapsLanding) : nullptr;
  const int64_t routeCount = program.layers * tokenCount * program.route_width;
  int32_t *routeIds = routeCount ? landing(batch.route_ids, routeCount, routeIdsLanding) : nullptr;
  float *routeWeights =
      routeCount ? landing(batch.route_weights, routeCount, routeWeightsLanding) : nullptr;
  if ((rowCount && !logits) || (tapCount && !taps) || (routeCount && (!routeIds || !routeWeights)))
    return fail(MOIRE_ERROR_RESOURCES, format("no memory for what a step of %lld tokens hands out",
                                              static_cast<long long>(tokenCount)));
  status = takePages();
  if (status != MOIRE_OK)
    return status;

  auto index = [&](int which) {
    return reinterpret_cast<int32_t *>(indices.data() + which * indexBytes());
  };
  int32_t *tokens = index(0), *slots = index(1), *positions = index(2), *rows = index(3);
  memcpy(tokens, batch.tokens, tokenCount * sizeof(int32_t));
  if (rowCount)
    memcpy(rows, batch.rows, rowCount * sizeof(int32_t));
  for (int64_t i = 0; i < tokenCount; ++i) {
    slots[i] = batch.slots ? batch.slots[i] : 0;
    positions[i] = static_cast<int32_t>(lengths[slots[i]]++);
  }

  const SectionView *weights = model->file.find("weights");
  moire_step step = {};
  step.weights = weights ? weights->bytes.data() : nullptr;
  step.arena = arena.data();
  step.scratch = scratch.data();
  step.tokens = tokens;
  step.slots = slots;
  step.positions = positions;
  step.rows = rows;
  step.logits = logits;
  step.kv = pool.data();
  step.page_table = pool.table();
  step.taps = taps;
  step.barrier = team->barrier();
  step.token_count = tokenCount;
  step.row_count = rowCount;
  step.max_tokens = moire_whole_fours(limits.max_tokens);
  step.pages_per_slot = pagesPerSlot;
  step.route_ids = routeIds;
  step.route_weights = routeWeights;
  if (program.stamps) {
    step.stamps = reinterpret_cast<moire_stamp *>(stamps.data());
    step.stamp_counts = reinterpret_cast<int64_t *>(stampCounts.data());
    memset(step.stamp_counts, 0, limits.threads * kStampCountBytes);
  }
  const bool one = tokenCount == 1 && rowCount == 1;
  const uint64_t begin = observer ? timeStamp() : 0;
  team->run(one ? program.step_one : program.step_many, &step);
  if (observer)
    notify(step, begin, timeStamp());

  auto handOver = [](auto *wanted, const auto *landed, int64_t count) {
    if (wanted && landed && landed != wanted)
      memcpy(wanted, landed, count * sizeof *landed);
  };
  handOver(batch.logits, logits, logitCount);
  handOver(batch.taps, taps, tapCount);
  handOver(batch.route_ids, routeIds, routeCount);
  handOver(batch.route_weights, routeWeights, routeCount);
  return MOIRE_OK;
}

void State::notify(const moire_step &step, uint64_t begin, uint64_t end) const {
  std::vector<const moire_stamp *> ofThread(limits.threads);
  for (int32_t thread = 0; thread < limits.threads; ++thread)
    ofThread[thread] = step.stamps + thread * model->program->stamps;
  moire_observation observation = {};
  observation.threads = limits.threads;
  observation.stamps = ofThread.data();
  observation.stamp_count = step.stamp_counts[0];
  observation.begin = begin;
  observation.end = end;
  observation.token_count = step.token_count;
  observation.row_count = step.row_count;
  observation.slots = step.slots;
  observation.positions = step.positions;
  observer(observerContext, &observation);
}

moire_status State::observe(moire_observer wanted, void *context) {
  if (!model->program->stamps)
    return fail(MOIRE_ERROR_ARGUMENT,
                "steps cannot be observed: the program was compiled without --profile");
  observer = wanted;
  observerContext = context;
  return MOIRE_OK;
}

} // namespace moire
