#include "runtime/cpu/Team.h"

#include "runtime/Format.h"
#include "runtime/cpu/Cores.h"
#include "runtime/cpu/FloatMode.h"

#include <climits>
#include <cstring>
#include <new>

#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace moire {

namespace {
// Between steps the caller samples and prints: somewhat longer than a barrier inside a step.
constexpr int64_t kIdleNanoseconds = 100'000;

void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000ll + now.tv_nsec;
}

void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

void futexWakeAll(std::atomic<uint32_t> &word) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}
} // namespace

Barrier::Barrier(int64_t team, bool oversubscribed)
    : team(static_cast<uint32_t>(team)), oversubscribed(oversubscribed) {}

// True when the generation changed while we watched.
bool Barrier::spin(uint32_t current, int64_t limit) const {
  constexpr int kPausesPerLook = 32;
  if (oversubscribed) {
    // The thread we wait for may need this very core.
    for (int i = 0; i < 4; ++i) {
      if (generation.load(std::memory_order_acquire) != current)
        return true;
      sched_yield();
    }
    return false;
  }
  for (int64_t end = 0;;) {
    for (int i = 0; i < kPausesPerLook; ++i) {
      if (generation.load(std::memory_order_acquire) != current)
        return true;
      relax();
    }
    int64_t now = nanoseconds();
    if (!end)
      end = now + limit;
    if (now >= end)
      return false;
  }
}

void Barrier::wait(int64_t spinNanoseconds) {
  if (team == 1)
    return;
  // Nobody can start the next generation before this thread has arrived.
  uint32_t current = generation.load(std::memory_order_relaxed);
  if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == team) {
    arrived.store(0, std::memory_order_relaxed);
    // Either the last to arrive sees the sleeper, or the sleeper sees the new generation: both
    // sides write first and read then, in one total order.
    generation.store(current + 1, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst))
      futexWakeAll(generation);
    return;
  }
  if (spin(current, spinNanoseconds))
    return;
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (generation.load(std::memory_order_seq_cst) == current)
    futexWait(generation, current);
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}

Team::Team(int64_t size, bool oversubscribed)
    : count(size), meeting(size, oversubscribed), workers(new (std::nothrow) Worker[size]) {}

std::unique_ptr<Team> Team::create(int64_t size, std::string &error) {
  std::unique_ptr<Team> team(new (std::nothrow) Team(size, size > coresByAffinity()));
  if (!team || !team->workers) {
    error = format("no memory for a team of %lld threads", static_cast<long long>(size));
    return nullptr;
  }
  // Signals are for the host's threads: Ctrl-C must not end up in a worker.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failure = 0;
  while (team->started < size && !failure) {
    Worker &worker = team->workers[team->started];
    worker.team = team.get();
    worker.thread = team->started;
    failure = pthread_create(&worker.handle, nullptr, threadMain, &worker);
    team->started += !failure;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (!failure)
    return team;
  error = format("thread %lld of %lld cannot be started: %s; ask for fewer threads",
                 static_cast<long long>(team->started + 1), static_cast<long long>(size),
                 strerror(failure));
  return nullptr;
}

Team::~Team() {
  if (!workers)
    return;
  function = nullptr;
  // Threads that never started cannot arrive: stand in for them.
  for (int64_t missing = count - started; missing > 0; --missing)
    meeting.arriveForAbsent();
  meeting.wait();
  for (int64_t i = 1; i < started; ++i)
    pthread_join(workers[i].handle, nullptr);
}

void *Team::threadMain(void *argument) {
  auto *worker = static_cast<Worker *>(argument);
  worker->team->work(worker->thread);
  return nullptr;
}

void Team::work(int64_t thread) {
  FloatModeScope mode;
  for (;;) {
    meeting.wait(kIdleNanoseconds);
    if (!function)
      return;
    function(step, thread, count);
    meeting.wait();
  }
}

void Team::run(moire_step_fn newFunction, const moire_step *newStep) {
  FloatModeScope mode;
  function = newFunction;
  step = newStep;
  meeting.wait();
  function(step, 0, count);
  meeting.wait();
}

} // namespace moire

extern "C" void moire_barrier(void *barrier, int64_t thread) {
  static_cast<moire::Barrier *>(barrier)->wait();
}
