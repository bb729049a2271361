// Limits by loops that were written in assembly (Arithmetic.S, Read.S): each kind of arithmetic
// with the widest instructions that the processor has, and reads in several streams a thread.

#ifndef MOIRE_BENCH_LIMITS_ASSEMBLY_H
#define MOIRE_BENCH_LIMITS_ASSEMBLY_H

#include "bench/limits/Measure.h"

#include <map>
#include <memory>

namespace moire::limits {

/// Adds what a team reaches to `report`. False, with `error`, when the processor has no AVX2 or the
/// memory is short.
bool measureAssembly(Team &team, const Effort &effort, Report &report, std::string &error);

/// Measures again and again, between the runs of a benchmark: beside other work a machine gives
/// more and less from second to second. A run takes what there is on average, and so do these: what
/// is the most of some seconds would be compared with what is not.
class LimitsAgain {
public:
  /// `before`: what teams of these sizes reached at best, by which loops.
  LimitsAgain(Report before, const Effort &effort) : before(std::move(before)), effort(effort) {}

  /// What these loops reach now, on average of more than a tenth of a second each. False, with
  /// `error`, for a team that was not measured, or short of memory.
  bool measure(int64_t threads, Report &now, std::string &error);

private:
  double rateOf(const Limit &limit, Team &team) const;

  const Report before;
  const Effort effort;
  std::map<int64_t, std::unique_ptr<Team>> teams;
  std::map<Pages, ReadMemory> memories;
};

} // namespace moire::limits

#endif
