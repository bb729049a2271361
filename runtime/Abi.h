/* What generated code and the runtime share: the only header that both sides of the border read.
 *
 * Plain C. All sizes are bytes unless said otherwise, all pointers 64-byte aligned. A "step" is one
 * call of the forward function on T tokens of any mix of sequences.
 */
#ifndef MOIRE_RUNTIME_ABI_H
#define MOIRE_RUNTIME_ABI_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define MOIRE_ABI_VERSION 6

/* When a thread got to the end of a region, in a program that was compiled with --profile. */
typedef struct moire_stamp {
  uint64_t cycles; /* of the processor's time-stamp counter */
  int32_t region;  /* its number: its place in "profile" of the metadata */
  int32_t experts; /* that had a token, behind products of experts in a step of many; else 0 */
} moire_stamp;

/* A thread's number of stamps has a cache line to itself: that many int64_t. */
#define MOIRE_STAMP_COUNT_STRIDE 8

/* Four rows may lie interleaved: buffers that grow with the tokens have room for whole fours. */
static inline int64_t moire_whole_fours(int64_t tokens) { return (tokens + 3) / 4 * 4; }

/* The argument of a step. Generated code reads fields by offset (codegen/cpu/Lower.cpp): append
 * only, and raise MOIRE_ABI_VERSION. */
typedef struct moire_step {
  const uint8_t *weights; /* the packed weights, as mapped from the program's own file */
  uint8_t *arena;         /* shared: arena_bytes, then arena_bytes_per_token * max_tokens */
  uint8_t *scratch; /* for each thread: scratch_bytes, then scratch_bytes_per_token * max_tokens */
  const int32_t *tokens;     /* [T] token ids, each in 0 .. vocab-1 (checked by the runtime) */
  const int32_t *slots;      /* [T] sequence slot of each token */
  const int32_t *positions;  /* [T] absolute position of each token in its sequence */
  const int32_t *rows;       /* [R] indices into 0 .. T-1 whose logits are wanted */
  float *logits;             /* [R, vocab] */
  uint8_t *kv;               /* the pool of KV pages, kv_page_bytes each */
  const int32_t *page_table; /* [slots, pages_per_slot] page numbers, -1 = not there yet */
  float *taps;               /* [kept layers + 1, T, hidden] when compiled with --keep, or null */
  void *barrier;             /* for moire_barrier */
  int64_t token_count;       /* T, 1 .. max_tokens */
  int64_t row_count;         /* R, 0 .. T */
  int64_t max_tokens;        /* the largest T of this state, up to whole fours */
  int64_t pages_per_slot;
  /* [layers, T, route_width] when compiled with --keep=route, or null: a token's experts in a layer
   * and their weights, k of them; layers without a router, and columns from k on, stay as they are
   */
  int32_t *route_ids;
  float *route_weights;
  /* Compiled with --profile, else not looked at: [threads, moire_program.stamps] time stamps, and
   * how many there are of each thread, [threads, MOIRE_STAMP_COUNT_STRIDE], to begin with 0. */
  moire_stamp *stamps;
  int64_t *stamp_counts;
} moire_step;

/* Runs a step on one thread of a team; every thread of the team calls it with the same step. */
typedef void (*moire_step_fn)(const moire_step *step, int64_t thread, int64_t team);

/* Describes a compiled program: defined in the generated object as `moire_program`. */
typedef struct moire_program {
  int64_t abi_version;
  int64_t vocab;  /* columns of the logits */
  int64_t hidden; /* d, the width of the residual stream */
  int64_t layers;
  int64_t context;                 /* largest position + 1 that the model was made for */
  int64_t weight_bytes;            /* size of the weights section */
  int64_t arena_bytes;             /* whatever the step */
  int64_t arena_bytes_per_token;   /* behind those */
  int64_t scratch_bytes;           /* per thread */
  int64_t scratch_bytes_per_token; /* per thread, behind those */
  int64_t kv_page_positions;       /* positions in one KV page, all layers together */
  int64_t kv_page_bytes;
  int64_t tapped;          /* 1: step.taps is written */
  int64_t route_width;     /* columns of step.route_ids; 0: they are not written */
  int64_t stamps;          /* the most that a thread adds in a step; 0: without --profile */
  int64_t cpu_features;    /* bits of enum moire_cpu_feature that the code needs */
  moire_step_fn step_one;  /* T = 1 and R = 1 */
  moire_step_fn step_many; /* any T and R */
} moire_program;

enum moire_cpu_feature {
  MOIRE_CPU_AVX2 = 1,   /* with FMA and F16C: x86-64-v3 */
  MOIRE_CPU_AVX512 = 2, /* F, BW, CD, DQ, VL: x86-64-v4 */
  MOIRE_CPU_AVX512_VNNI = 4,
  MOIRE_CPU_AVX512_BF16 = 8
};

/* Called by generated code where data crosses threads: returns when all threads of the team have
 * called it. */
void moire_barrier(void *barrier, int64_t thread);

/* ---- The finished file ------------------------------------------------------------------------
 *
 *   [ ELF image | padding | section | padding | section … | moire_section[count] | moire_trailer ]
 *
 * Sections start at multiples of 4096 and are mapped from the program's own file. `strip` removes
 * all that follows the image; the loader then says so.
 */
typedef struct moire_section {
  char name[16];   /* "weights", "metadata" (JSON), "tokenizer", "licenses"; NUL padded */
  uint64_t offset; /* from the start of the file */
  uint64_t bytes;
  uint64_t checksum; /* XXH3, 64 bits, of the bytes */
} moire_section;

#define MOIRE_TRAILER_MAGIC "MOIRE\0\1" /* with the terminating NUL: 8 bytes */

typedef struct moire_trailer {
  uint64_t table_offset;
  uint64_t section_count;
  uint64_t table_checksum; /* XXH3 of the section table */
  char magic[8];
} moire_trailer;

#ifdef __cplusplus
}
#endif
#endif
