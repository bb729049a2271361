// The thread team: every step runs on all threads from start to end, and meets at barriers.

#ifndef MOIRE_RUNTIME_CPU_TEAM_H
#define MOIRE_RUNTIME_CPU_TEAM_H

#include "runtime/Abi.h"

#include <atomic>
#include <memory>
#include <string>

#include <pthread.h>

namespace moire {

/// A barrier for a fixed number of threads, usable again at once. Whoever waits spins for a while
/// and then sleeps on a futex.
class Barrier {
public:
  Barrier(int64_t team, bool oversubscribed);

  /// Returns when all threads of the team have called it. What they wrote before is visible after.
  void wait(int64_t spinNanoseconds);
  void wait() { wait(kSpinNanoseconds); }

  /// Arrives in the place of a thread that does not exist, without waiting for the others.
  void arriveForAbsent() { arrived.fetch_add(1, std::memory_order_acq_rel); }

  /// Barriers inside a step come every few microseconds: falling asleep costs more than waiting.
  static constexpr int64_t kSpinNanoseconds = 20'000;

private:
  bool spin(uint32_t current, int64_t nanoseconds) const;

  const uint32_t team;
  const bool oversubscribed; // more threads than cores: who spins keeps another from working
  // Apart, so that late arrivals do not disturb those who watch `generation`.
  alignas(64) std::atomic<uint32_t> arrived{0};
  alignas(64) std::atomic<uint32_t> generation{0};
  alignas(64) std::atomic<uint32_t> sleepers{0};
};

/// Threads 0 .. size-1, of which thread 0 is whoever calls `run`.
class Team {
public:
  /// Starts `size` - 1 threads. On failure returns null and says why in `error`.
  static std::unique_ptr<Team> create(int64_t size, std::string &error);
  ~Team();
  Team(const Team &) = delete;
  Team &operator=(const Team &) = delete;

  /// Calls `function(step, thread, size)` on every thread and returns when all have returned. The
  /// floating-point mode is that of FloatModeScope; the caller's own is restored.
  void run(moire_step_fn function, const moire_step *step);

  int64_t size() const { return count; }
  /// What moire_step.barrier has to be for steps of this team.
  void *barrier() { return &meeting; }

private:
  Team(int64_t size, bool oversubscribed);
  void work(int64_t thread);
  static void *threadMain(void *argument);

  struct Worker {
    Team *team;
    int64_t thread;
    pthread_t handle;
  };

  const int64_t count;
  Barrier meeting;
  std::unique_ptr<Worker[]> workers; // [count], number 0 unused
  int64_t started = 1;
  // Written by thread 0 before the barrier that starts a step, read by the others after it.
  moire_step_fn function = nullptr;
  const moire_step *step = nullptr;
};

} // namespace moire

#endif
