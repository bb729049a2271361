// Where the time of steps goes: sums up the time stamps of a program that was compiled with
// --profile, region by region, as a table and as a trace for chrome://tracing.

#ifndef MOIRE_RUNTIME_PROFILE_H
#define MOIRE_RUNTIME_PROFILE_H

#include "runtime/Abi.h"
#include "runtime/Metadata.h"
#include "runtime/moire.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

/// What the machine can do at most, on the threads that were measured; 0: not known.
struct ProfileLimits {
  double bytes = 0;                   // read from memory, per second
  double int8 = 0, bf16 = 0, f32 = 0; // multiply-adds per second
};

using LimitsOfThreads = std::function<ProfileLimits(int64_t threads)>;

/// A region in the steps of one kind, per step.
///
/// `time` is its part of the critical path: between two places where the team meets, that of the
/// thread that arrives last; where it meets, from that arrival until the thread that arrives last
/// at the next place goes on. So the times of all regions add up to the step's.
struct RegionCost {
  std::string_view name;
  double calls = 0;
  double time = 0;       // seconds
  double threadTime = 0; // seconds, mean of the threads
  double bytes = 0;      // of weights, keys and values that had to be read, and parts of attention
  double products = 0;   // multiply-adds
  std::string_view arithmetic;

  /// The share of the time that the machine would need for its bytes or its products, whichever
  /// takes longer; 0 when no limit is known for them.
  double shareOfLimit(const ProfileLimits &limits) const;
};

/// Steps that were counted together.
struct StepCost {
  std::string_view name;
  int64_t steps = 0, tokens = 0, threads = 0;
  double time = 0;                 // seconds, per step
  std::vector<RegionCost> regions; // the longest first
};

class Profile {
public:
  explicit Profile(std::vector<ProfiledRegion> regions);

  /// What the next steps are counted as. "": they are not counted. Before any call: steps of one
  /// number of tokens together.
  void begin(std::string name);
  /// Counts a step. One that does not fit the regions is left out.
  void add(const moire_observation &step);

  /// In the order in which they were first counted; names live until the next step is.
  std::vector<StepCost> costs(double cyclesPerSecond) const;
  /// A table in Markdown for each kind of step; with `limits` of so many threads each region's
  /// share of its own.
  std::string table(double cyclesPerSecond, const LimitsOfThreads &limits = {}) const;
  /// The last steps of each kind (kTracedSteps), in the Trace Event Format of chrome://tracing.
  std::string trace(double cyclesPerSecond) const;

  static constexpr size_t kTracedSteps = 4;

private:
  struct Sum {
    int64_t calls = 0, cycles = 0, threadCycles = 0; // of all threads together
    double bytes = 0, products = 0;
  };
  struct TracedStep {
    uint64_t begin = 0, end = 0;
    int64_t tokens = 0;
    std::vector<std::vector<moire_stamp>> threads;
  };
  struct Kind {
    std::string name;
    int64_t steps = 0, tokens = 0, threads = 0;
    uint64_t cycles = 0;
    std::vector<Sum> sums;          // by region; one more for the way out of a step
    std::vector<TracedStep> traced; // the oldest is replaced
  };
  /// Positions, or segments of them, that the rows of a step see.
  struct Sight {
    int64_t window, segment;
    int64_t byRows = 0;      // of each row, together
    int64_t bySequences = 0; // different ones
  };

  bool fits(const moire_observation &step) const;
  Kind &kindOf(const moire_observation &step);
  void addTimes(Kind &kind, const moire_observation &step) const;
  void addWork(Kind &kind, const moire_observation &step) const;
  static Sight sightOf(const moire_observation &step, const ProfiledRegion &region);
  static void keep(Kind &kind, const moire_observation &step);

  const std::vector<ProfiledRegion> regions;
  std::vector<Kind> kinds;
  std::string name;
  bool named = false;
};

} // namespace moire

#endif
