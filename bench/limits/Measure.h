// How limits are measured: memory to read, and the clock. Whatever runs, runs on the team of
// threads that compiled programs have.

#ifndef MOIRE_BENCH_LIMITS_MEASURE_H
#define MOIRE_BENCH_LIMITS_MEASURE_H

#include "bench/limits/Report.h"
#include "runtime/cpu/Team.h"

#include <functional>

namespace moire::limits {

/// How long it may take. A limit is the best of `runs` short runs: whatever disturbs a run makes it
/// slower, and nothing makes it faster than the machine.
struct Effort {
  double runSeconds; // of arithmetic, about
  int runs;
  int64_t readBytes; // of the memory that is read, beyond every cache

  /// Some seconds a team. The memory is 8 times the last cache, 256 MiB at least and 1 GiB at most.
  static Effort full();
  /// A moment: the numbers are of the right kind, no more.
  static Effort brief();
};

enum class Pages : uint8_t { Small, Huge };

/// Memory for bandwidth: its numbers are small and finite however they are read. Each thread of a
/// team of `threads` fills its own part, so that on a machine with several memories they lie near.
class ReadMemory {
public:
  /// False, with `error`, when there is not so much.
  bool allocate(int64_t bytes, Pages pages, Team &team, std::string &error);
  ReadMemory() = default;
  ~ReadMemory();
  ReadMemory(const ReadMemory &) = delete;
  ReadMemory &operator=(const ReadMemory &) = delete;

  uint8_t *data() const { return start; }
  int64_t bytes() const { return size; }
  /// "huge pages" if the system gave them, else "small pages".
  const char *pagesText() const { return huge ? "huge pages" : "small pages"; }

private:
  void *mapping = nullptr;
  int64_t mapped = 0;
  uint8_t *start = nullptr;
  int64_t size = 0;
  bool huge = false;
};

/// Fills bytes with codes, scales and numbers that are small and finite in every format.
void fillHarmlessly(uint8_t *data, int64_t bytes, uint64_t seed);

/// The least seconds of `runs` runs of `work(thread)` on all threads of the team, after one that
/// does not count.
double fastest(Team &team, int64_t runs, const std::function<void(int64_t thread)> &work);
/// The mean of all runs.
double average(Team &team, int64_t runs, const std::function<void(int64_t thread)> &work);

/// Times `turns(thread, n)`, which does n turns, with as many as take about `effort.runSeconds`;
/// returns the seconds of one turn.
double secondsPerTurn(Team &team, const Effort &effort,
                      const std::function<void(int64_t thread, int64_t n)> &turns);

} // namespace moire::limits

#endif
