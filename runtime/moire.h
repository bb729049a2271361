/* The host interface of Moire: run a compiled model from C, C++ or anything that can call C.
 *
 *   moire_model *model;
 *   moire_state *state;
 *   char message[512];
 *   if (moire_open(MOIRE_HOST_VERSION, &moire_this_program, NULL, &model, message, sizeof message)
 * || moire_state_create(model, NULL, &state, message, sizeof message)) return fputs(message,
 * stderr), 1; moire_feed(state, 0, prompt, prompt_count, 0, logits);       // logits [vocab] of the
 * last token …choose a token, then… moire_feed(state, 0, &token, 1, 0, logits);
 *
 * A *model* is an opened program: weights mapped from the file, shared by all of its states. A
 * *state* is what one conversation, or a batch of them, needs beside the weights: sequence slots
 * with their KV pages, working memory, a thread team. Slots, context and the largest step are fixed
 * when a state is created; nothing is allocated afterwards.
 *
 * Units: positions, lengths and counts are tokens, sizes are bytes, logits are natural-log units
 * before the softmax, float32. Logits do not depend on the number of threads, on how a sequence was
 * cut into steps, or on what else was in a step.
 *
 * Errors: functions return a status and leave the object as it was before the call; a message that
 * says what, where and why stands in moire_state_error or in the caller's buffer. Nothing throws,
 * aborts, or prints. NULL for a required pointer is MOIRE_ERROR_ARGUMENT.
 *
 * Threads: a model may be used from several threads at once, a state from one at a time.
 */
#ifndef MOIRE_RUNTIME_MOIRE_H
#define MOIRE_RUNTIME_MOIRE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised when a struct or a function of this header changes. */
#define MOIRE_HOST_VERSION 4

/* MOIRE_HOST_VERSION of the runtime that is linked in. */
int32_t moire_host_version(void);

/* The numbers up to 5 are also the exit codes of compiled programs. */
typedef enum moire_status {
  MOIRE_OK = 0,
  MOIRE_ERROR_ARGUMENT = 2,    /* an argument is out of its range */
  MOIRE_ERROR_FILE = 3,        /* the program's file cannot be read or is damaged */
  MOIRE_ERROR_UNSUPPORTED = 4, /* this CPU lacks what the code needs, or versions do not fit */
  MOIRE_ERROR_RESOURCES = 5,   /* the system gave no memory or no threads */
  MOIRE_ERROR_CAPACITY = 6     /* a slot's context, or the pool of KV pages, is full */
} moire_status;

typedef struct moire_model moire_model;
typedef struct moire_state moire_state;

/* The generated code that is linked into this executable. */
struct moire_program;
extern const struct moire_program moire_this_program __asm__("moire_program");

/* ---- Models ---------------------------------------------------------------------------------- */

/* Opens a compiled program. `host_version` is MOIRE_HOST_VERSION. `file` is the file that carries
 * the weights, NULL for the running executable. On failure *model is NULL and `message` (may be
 * NULL, `message_bytes` long) receives the reason. Works on any CPU; runs no generated code.
 * Errors: ARGUMENT, FILE, UNSUPPORTED, RESOURCES. */
moire_status moire_open(int32_t host_version, const struct moire_program *program, const char *file,
                        moire_model **model, char *message, size_t message_bytes);

/* Gives the model back. States that still use it keep it alive. NULL is allowed. */
void moire_close(moire_model *model);

typedef struct moire_info {
  int64_t vocab;  /* columns of the logits; token ids are 0 .. vocab-1 */
  int64_t hidden; /* width of the residual stream */
  int64_t layers;
  int64_t context; /* the longest sequence that the model was made for */
  int64_t weight_bytes;
  int64_t kv_bytes_per_token; /* all layers, as allocated */
  int64_t kv_page_positions;  /* positions that share a KV page; 0 without attention */
  int64_t tapped;             /* 1: hidden states can be asked for (moire_batch.taps) */
  int64_t route_width;        /* most experts that a token has in a layer, if they can be asked for
                                 (moire_batch.route_ids); else 0 */
  int64_t profiled;           /* 1: compiled with --profile, steps can be observed */
} moire_info;

moire_status moire_get_info(const moire_model *model, moire_info *info);

typedef struct moire_section_info {
  const char *name; /* "weights", "metadata", "tokenizer", "licenses"; lives as long as the model */
  const uint8_t *data; /* [bytes], read-only, lives as long as the model */
  uint64_t bytes;
  uint64_t offset;   /* in the file */
  uint64_t checksum; /* XXH3, 64 bits, as the file states it */
} moire_section_info;

/* The section number `index`, 0 .. until ARGUMENT says that there is none. */
moire_status moire_get_section(const moire_model *model, int64_t index,
                               moire_section_info *section);

/* Reads the section number `index` whole and compares its checksum. Errors: ARGUMENT (no such
 * section), FILE (damaged). */
moire_status moire_verify_section(const moire_model *model, int64_t index);

/* ---- States ---------------------------------------------------------------------------------- */

/* Zero anywhere means the default. */
typedef struct moire_state_options {
  int32_t slots;      /* sequences at once; 1 */
  int32_t threads;    /* the team; min(cores by affinity, CPU quota of the control group) */
  int64_t context;    /* tokens of one slot, at most moire_info.context, which is the default */
  int64_t max_tokens; /* tokens of one step; 512, or slots * context when that is less */
  int64_t kv_pages;   /* pages of the pool; enough for all slots at full length */
} moire_state_options;

/* Creates a state with empty slots. `options` NULL: all defaults. Memory is taken from the system
 * page by page when it is first used. On failure *state is NULL and `message` receives the reason.
 * Errors: ARGUMENT, UNSUPPORTED (this CPU), RESOURCES. */
moire_status moire_state_create(moire_model *model, const moire_state_options *options,
                                moire_state **state, char *message, size_t message_bytes);

/* Ends the team and frees everything. NULL is allowed. */
void moire_state_destroy(moire_state *state);

/* Why the last failed call on this state failed; "" before any failure. */
const char *moire_state_error(const moire_state *state);

/* What the state was created with, defaults filled in. */
moire_status moire_state_get_options(const moire_state *state, moire_state_options *options);

/* One step: T tokens of any mix of slots. */
typedef struct moire_batch {
  const int32_t *tokens;    /* [T] ids, each 0 .. vocab-1 */
  const int32_t *slots;     /* [T] the slot that each token continues; NULL: all slot 0 */
  const int32_t *positions; /* [T] must continue each slot's length in order; NULL: they do */
  int64_t token_count;      /* T, 1 .. max_tokens */
  const int32_t *rows;      /* [R] indices 0 .. T-1 of the tokens whose logits are wanted; may be
                               NULL when R is 0 */
  int64_t row_count;        /* R, 0 .. T */
  float *logits;            /* out: [R, vocab]; may be NULL when R is 0 */
  float *taps;              /* out: [layers + 1, T, hidden], the residual stream entering each layer
                               and the final norm; NULL: not wanted. Needs moire_info.tapped */
  int32_t *route_ids;       /* out: [layers, T, route_width], the experts of each token in the order
                               of their choice; layers without a router, and columns behind a
                               layer's number of experts, hold anything. NULL: not wanted. Needs
                               moire_info.route_width */
  float *route_weights;     /* out: [layers, T, route_width], their weights; likewise */
} moire_batch;

/* Runs a step and appends its tokens to their slots. A buffer that starts at a multiple of 64 saves
 * a copy of the logits. Errors: ARGUMENT, CAPACITY; then no slot has changed. */
moire_status moire_step_run(moire_state *state, const moire_batch *batch);

/* Appends `count` tokens to a slot in steps of at most `chunk` tokens (0: max_tokens). `logits`
 * [vocab] receives those of the last token; NULL: not wanted. Errors as moire_step_run; room for
 * all of the tokens in the slot's context is checked first, but when the pool of pages runs out
 * midway the steps before it stay appended (moire_slot_length tells). */
moire_status moire_feed(moire_state *state, int32_t slot, const int32_t *tokens, int64_t count,
                        int64_t chunk, float *logits);

/* ---- Profiles -------------------------------------------------------------------------------- */

/* What a step did with its time; valid while the observer runs. */
typedef struct moire_observation {
  int64_t threads;
  const struct moire_stamp *const *stamps; /* [threads] the time stamps of each (runtime/Abi.h) */
  int64_t stamp_count; /* of each thread: all pass the same regions in the same order */
  uint64_t begin, end; /* time stamps of the caller, around the step */
  int64_t token_count; /* T */
  int64_t row_count;   /* R */
  const int32_t *slots, *positions; /* [T] */
} moire_observation;

typedef void (*moire_observer)(void *context, const moire_observation *observation);

/* Calls `observer` after each step from now on, on the thread that runs the step; NULL: no longer.
 * Needs moire_info.profiled. Errors: ARGUMENT. */
moire_status moire_state_observe(moire_state *state, moire_observer observer, void *context);

/* ---- Slots ----------------------------------------------------------------------------------- */

/* Tokens in a slot; -1 for a slot that does not exist. */
int64_t moire_slot_length(const moire_state *state, int32_t slot);

/* Makes slot `to` continue from where `from` stands; what `to` held is dropped. The two share their
 * KV pages; a page is copied when one of them appends to it. Errors: ARGUMENT. */
moire_status moire_slot_fork(moire_state *state, int32_t from, int32_t to);

/* Drops all tokens from position `length` on; `length` is 0 .. the slot's length. Errors: ARGUMENT.
 */
moire_status moire_slot_truncate(moire_state *state, int32_t slot, int64_t length);

/* Empties a slot. Errors: ARGUMENT. */
moire_status moire_slot_reset(moire_state *state, int32_t slot);

/* For benchmarks: makes a slot `length` tokens long without running a step. Each page that is added
 * is a copy of the slot's first, so what follows reads as many keys and values as after a prompt of
 * that length, in the program's own format, and finite ones; only that they belong to other tokens.
 * The slot must hold whole pages (moire_info.kv_page_positions), at least one; without attention
 * there are none, and any slot will do. Errors: ARGUMENT (also: `length` is less than it holds),
 * CAPACITY; then nothing has changed. */
moire_status moire_slot_repeat(moire_state *state, int32_t slot, int64_t length);

#ifdef __cplusplus
}
#endif
#endif
