#include "bench/limits/Measure.h"

#include "runtime/Format.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <limits>

#include <sys/mman.h>
#include <unistd.h>

namespace moire::limits {

constexpr int64_t kHugePage = 2 << 20, kMiB = 1 << 20;

// Bytes of the last cache, or 0. (sysconf counts it once for each core of some machines.)
static int64_t lastCache() {
  long long kilobytes = 0;
  if (FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "re")) {
    if (fscanf(file, "%lldK", &kilobytes) != 1)
      kilobytes = 0;
    fclose(file);
  }
  return kilobytes * 1024;
}

Effort Effort::full() {
  int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  int64_t wanted = std::clamp<int64_t>(8 * lastCache(), 256 * kMiB, 1024 * kMiB);
  return {0.02, 7, std::min(wanted, memory / 4)};
}

Effort Effort::brief() { return {0.0005, 2, 8 * kMiB}; }

//===- Memory ---------------------------------------------------------------------------------===//

void fillHarmlessly(uint8_t *data, int64_t bytes, uint64_t seed) {
  // The upper two bits of every byte are clear: f16, bf16 and f32 are then below 2, and positive.
  uint64_t state = seed;
  for (int64_t i = 0; i + 8 <= bytes; i += 8) {
    state = state * 6364136223846793005ull + 1442695040888963407ull; // Knuth's MMIX generator
    uint64_t word = (state ^ state >> 31) & 0x3f3f3f3f3f3f3f3full;
    std::memcpy(data + i, &word, 8);
  }
}

// Kilobytes of huge pages that this process has.
static int64_t hugeKilobytes() {
  int64_t found = 0;
  if (FILE *file = fopen("/proc/self/smaps_rollup", "re")) {
    char line[256];
    while (fgets(line, sizeof line, file)) {
      long long kilobytes;
      if (sscanf(line, "AnonHugePages: %lld kB", &kilobytes) == 1)
        found = kilobytes;
    }
    fclose(file);
  }
  return found;
}

bool ReadMemory::allocate(int64_t bytes, Pages pages, Team &team, std::string &error) {
  mapped = bytes + kHugePage;
  void *address = mmap(nullptr, mapped, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    error = format("no %s of memory to measure its bandwidth with: %s", formatBytes(bytes).c_str(),
                   strerror(errno));
    return false;
  }
  mapping = address;
  start = reinterpret_cast<uint8_t *>((reinterpret_cast<uintptr_t>(address) + kHugePage - 1) /
                                      kHugePage * kHugePage);
  size = bytes;
  madvise(start, size, pages == Pages::Huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  int64_t before = hugeKilobytes(), share = size / team.size() / 64 * 64;
  fastest(team, 0, [&](int64_t thread) {
    int64_t end = thread == team.size() - 1 ? size : (thread + 1) * share;
    fillHarmlessly(start + thread * share, end - thread * share, thread + 1);
  });
  huge = (hugeKilobytes() - before) * 1024 > size / 2;
  return true;
}

ReadMemory::~ReadMemory() {
  if (mapping)
    munmap(mapping, mapped);
}

//===- The clock ------------------------------------------------------------------------------===//

static double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

namespace {
// The team calls functions of steps: this one leads to any other.
struct Call : moire_step {
  const std::function<void(int64_t)> *function;
};
} // namespace

// The seconds of a run.
static double timeOf(Team &team, const std::function<void(int64_t)> &work) {
  Call step = {};
  step.function = &work;
  auto call = [](const moire_step *step, int64_t thread, int64_t) {
    (*static_cast<const Call *>(step)->function)(thread);
  };
  double begin = now();
  team.run(call, &step);
  return now() - begin;
}

double fastest(Team &team, int64_t runs, const std::function<void(int64_t)> &work) {
  timeOf(team, work);
  double best = std::numeric_limits<double>::infinity();
  for (int64_t run = 0; run < runs; ++run)
    best = std::min(best, timeOf(team, work));
  return best;
}

double average(Team &team, int64_t runs, const std::function<void(int64_t)> &work) {
  double sum = 0;
  for (int64_t run = 0; run < runs; ++run)
    sum += timeOf(team, work);
  return sum / static_cast<double>(runs);
}

double secondsPerTurn(Team &team, const Effort &effort,
                      const std::function<void(int64_t, int64_t)> &turns) {
  int64_t count = 1;
  auto run = [&](int64_t thread) { turns(thread, count); };
  double seconds = fastest(team, 1, run);
  while (seconds < effort.runSeconds / 2) {
    // Towards the goal, at most tenfold: a first guess may be far off.
    double factor = std::clamp(effort.runSeconds / std::max(seconds, 1e-9), 2.0, 10.0);
    count = static_cast<int64_t>(static_cast<double>(count) * factor);
    seconds = fastest(team, 1, run);
  }
  seconds = std::min(seconds, fastest(team, effort.runs, run));
  return seconds / static_cast<double>(count);
}

} // namespace moire::limits
