/* Generated code, written by hand: a "model" whose answers are easy to foresee and show whether the
 * runtime gave it what the ABI promises.
 *
 * The most likely token after t is t + 1 (modulo the vocabulary): its logit is weights[0] = 1. One
 * other logit is a digest of the whole sequence as it stands in the KV pages. NaN everywhere means
 * that a page is missing.
 */
#include "test/runtime/fake/FakeProgram.h"

#include <time.h>

#ifndef FAKE_CPU_FEATURES
#define FAKE_CPU_FEATURES 0
#endif
#ifndef FAKE_STAMPS
#define FAKE_STAMPS 0
#endif
#ifndef FAKE_MILLISECONDS
#define FAKE_MILLISECONDS 0
#endif

static int32_t *key(const moire_step *step, int64_t slot, int64_t position) {
  int64_t page = step->page_table[slot * step->pages_per_slot + position / FAKE_PAGE_POSITIONS];
  if (page < 0)
    return 0;
  return (int32_t *)(step->kv + page * FAKE_PAGE_BYTES) + position % FAKE_PAGE_POSITIONS;
}

static void write_logits(const moire_step *step, int64_t row) {
  float *logits = step->logits + row * FAKE_VOCAB;
  int64_t token = step->rows[row];
  int32_t digest = 0;
  for (int64_t i = 0; i <= step->positions[token]; ++i) {
    int32_t *found = key(step, step->slots[token], i);
    digest = found ? fake_digest(digest, *found) : -1;
    if (!found)
      break;
  }
  for (int64_t i = 0; i < FAKE_VOCAB; ++i)
    logits[i] = digest < 0 ? __builtin_nanf("") : 0;
  if (digest < 0)
    return;
  logits[FAKE_DIGEST_COLUMN] = -(float)digest;
  logits[(step->tokens[token] + 1) % FAKE_VOCAB] = *(const float *)step->weights;
}

/* Whether there are stamps is the host's test to say: it may take this program for a profiled one.
 */
static void stamp(const moire_step *step, int64_t thread, int32_t region) {
  if (!step->stamps)
    return;
  int64_t *count = step->stamp_counts + thread * MOIRE_STAMP_COUNT_STRIDE;
  moire_stamp *place = step->stamps + thread * FAKE_STAMPS_OF_A_STEP + (*count)++;
  place->cycles = __builtin_ia32_rdtsc();
  place->region = region;
  place->experts = (int32_t)step->token_count;
}

static void run_step(const moire_step *step, int64_t thread, int64_t team) {
  stamp(step, thread, FAKE_START);
  if (FAKE_MILLISECONDS) {
    struct timespec time = {0, FAKE_MILLISECONDS * 1000000};
    nanosleep(&time, 0);
  }
  step->scratch[thread * FAKE_SCRATCH_BYTES + FAKE_SCRATCH_BYTES - 1] = 1;
  for (int64_t t = thread; t < step->token_count; t += team) {
    int32_t *here = key(step, step->slots[t], step->positions[t]);
    if (here)
      *here = step->tokens[t];
    step->arena[FAKE_FIXED_ARENA_BYTES + (t + 1) * FAKE_ARENA_BYTES - 1] = 1;
    if (step->taps)
      for (int64_t layer = 0; layer <= FAKE_LAYERS; ++layer)
        for (int64_t i = 0; i < FAKE_HIDDEN; ++i)
          step->taps[(layer * step->token_count + t) * FAKE_HIDDEN + i] =
              fake_hidden(step->tokens[t], layer, i);
    for (int64_t i = 0; step->route_ids && i < FAKE_ROUTE_WIDTH; ++i) {
      int64_t place = (step->token_count + t) * FAKE_ROUTE_WIDTH + i;
      step->route_ids[place] = fake_expert(step->tokens[t], i);
      step->route_weights[place] = fake_expert_weight(step->tokens[t], i);
    }
  }
  stamp(step, thread, FAKE_APPEND);
  moire_barrier(step->barrier, thread);
  stamp(step, thread, FAKE_BARRIER);
  for (int64_t row = thread; row < step->row_count; row += team)
    write_logits(step, row);
  stamp(step, thread, FAKE_HEAD);
}

static void run_one(const moire_step *step, int64_t thread, int64_t team) {
  if (step->token_count == 1) /* anything else would show as missing logits */
    run_step(step, thread, team);
}

const moire_program fake_program __asm__("moire_program") = {
    .abi_version = MOIRE_ABI_VERSION,
    .vocab = FAKE_VOCAB,
    .hidden = FAKE_HIDDEN,
    .layers = FAKE_LAYERS,
    .context = FAKE_CONTEXT,
    .weight_bytes = FAKE_WEIGHT_BYTES,
    .arena_bytes = FAKE_FIXED_ARENA_BYTES,
    .arena_bytes_per_token = FAKE_ARENA_BYTES,
    .scratch_bytes = FAKE_SCRATCH_BYTES,
    .kv_page_positions = FAKE_PAGE_POSITIONS,
    .kv_page_bytes = FAKE_PAGE_BYTES,
    .tapped = 1,
    .route_width = FAKE_ROUTE_WIDTH,
    .stamps = FAKE_STAMPS,
    .cpu_features = FAKE_CPU_FEATURES,
    .step_one = run_one,
    .step_many = run_step,
};
