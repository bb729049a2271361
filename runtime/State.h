// What moire.h's opaque handles are: an opened program, and the sequences that run on it.

#ifndef MOIRE_RUNTIME_STATE_H
#define MOIRE_RUNTIME_STATE_H

#include "runtime/KvPool.h"
#include "runtime/Loader.h"
#include "runtime/cpu/Team.h"

#include <memory>
#include <string>
#include <vector>

namespace moire {

/// An opened program. Shared by the host's handle and every state.
struct Model {
  const moire_program *program;
  ProgramFile file;
};

/// Slots, their pages, working memory and the team; see moire.h for the meaning of each operation.
/// Every operation checks all of its arguments before it changes anything.
class State {
public:
  static moire_status create(std::shared_ptr<const Model> model, const moire_state_options &options,
                             std::unique_ptr<State> &state, std::string &error);

  moire_status run(const moire_batch &batch);
  moire_status feed(int32_t slot, const int32_t *tokens, int64_t count, int64_t chunk,
                    float *logits);
  moire_status fork(int32_t from, int32_t to);
  moire_status truncate(int32_t slot, int64_t length);
  moire_status repeat(int32_t slot, int64_t length);
  moire_status observe(moire_observer wanted, void *context);
  int64_t length(int32_t slot) const; // -1 for a slot that does not exist

  const moire_state_options &options() const { return limits; }
  const char *error() const { return message.c_str(); }

private:
  State(std::shared_ptr<const Model> model, const moire_state_options &limits)
      : model(std::move(model)), limits(limits) {}

  static constexpr int64_t kAlignment = 64; // of every pointer that generated code receives
  static constexpr size_t kStampCountBytes = MOIRE_STAMP_COUNT_STRIDE * sizeof(int64_t);

  moire_status allocate(std::string &error);
  moire_status fail(moire_status status, std::string why);
  moire_status checkSlot(int32_t slot);
  moire_status checkBuffers(const moire_batch &batch);
  moire_status checkTokens(const moire_batch &batch);
  moire_status takePages();
  /// Of one of the four `indices`.
  int64_t indexBytes() const {
    return (limits.max_tokens * 4 + kAlignment - 1) / kAlignment * kAlignment;
  }
  void notify(const moire_step &step, uint64_t begin, uint64_t end) const;
  template <typename T> T *landing(T *wanted, int64_t count, LazyMemory &memory);

  std::shared_ptr<const Model> model;
  moire_state_options limits; // as given, defaults filled in
  int64_t pagesPerSlot = 0;
  KvPool pool;
  std::unique_ptr<Team> team;
  LazyMemory arena, scratch;
  LazyMemory indices; // tokens, slots, positions, rows: [max_tokens] int32 each, aligned
  // For buffers of the host that are not aligned, or not there.
  LazyMemory logitsLanding, tapsLanding, routeIdsLanding, routeWeightsLanding;
  LazyMemory stamps, stampCounts; // compiled with --profile: of moire_step
  moire_observer observer = nullptr;
  void *observerContext = nullptr;
  std::vector<int64_t> lengths; // [slots]
  std::vector<int64_t> after;   // [slots] lengths after the step that is being checked
  std::string message;
};

} // namespace moire

#endif
