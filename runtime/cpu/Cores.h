// How many threads a team has unless someone says so.

#ifndef MOIRE_RUNTIME_CPU_CORES_H
#define MOIRE_RUNTIME_CPU_CORES_H

#include <cstdint>
#include <string_view>

namespace moire {

/// Cores that this process may run on (sched_getaffinity), at least 1.
int64_t coresByAffinity();

/// Whole cores that the control group's CPU quota pays for, at least 1; INT64_MAX without a quota.
/// Reads cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us), of this group and those above it.
int64_t coresByQuota();

/// min(coresByAffinity(), coresByQuota()).
int64_t defaultTeam();

/// Cores from the text of v2's cpu.max ("150000 100000", "max 100000"): rounded down, at least 1,
/// because a team that is stopped in the middle of a barrier is slower than a smaller one.
/// INT64_MAX when there is no quota or the text is not of that form.
int64_t coresFromCpuMax(std::string_view text);

} // namespace moire

#endif
