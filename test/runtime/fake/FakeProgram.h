/* The shape of the fake model, and what it computes. */
#ifndef MOIRE_TEST_RUNTIME_FAKE_FAKEPROGRAM_H
#define MOIRE_TEST_RUNTIME_FAKE_FAKEPROGRAM_H

#include "runtime/Abi.h"

enum {
  FAKE_VOCAB = 261, /* odd, so that most rows of logits start unaligned */
  FAKE_HIDDEN = 3,
  FAKE_LAYERS = 2,
  FAKE_CONTEXT = 64,
  FAKE_WEIGHT_BYTES = 64,
  FAKE_FIXED_ARENA_BYTES = 64,
  FAKE_ARENA_BYTES = 192,
  FAKE_SCRATCH_BYTES = 128,
  FAKE_PAGE_POSITIONS = 4,
  FAKE_PAGE_BYTES = 64,
  FAKE_DIGEST_COLUMN = 260,
  FAKE_ROUTE_WIDTH = 3, /* of layer 1; layer 0 has no router */
  FAKE_STAMPS_OF_A_STEP = 4
};

/* The regions between time stamps, in their order. */
enum { FAKE_START, FAKE_APPEND, FAKE_BARRIER, FAKE_HEAD };

/* Appends a token to the digest of a sequence (0 for the empty one); stays exact in float. */
static inline int32_t fake_digest(int32_t digest, int32_t token) {
  return (digest * 31 + token + 1) % 65521;
}

static inline float fake_hidden(int32_t token, int64_t layer, int64_t column) {
  return (float)(token + 1000 * layer) + 0.25f * (float)column;
}

static inline int32_t fake_expert(int32_t token, int64_t choice) {
  return (token + 5 * (int32_t)choice) % 16;
}

static inline float fake_expert_weight(int32_t token, int64_t choice) {
  return (float)token + 0.5f / (float)(choice + 1);
}

#endif
