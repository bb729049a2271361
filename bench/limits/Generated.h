// Limits by code that the compiler generates: products of every format of weights.

#ifndef MOIRE_BENCH_LIMITS_GENERATED_H
#define MOIRE_BENCH_LIMITS_GENERATED_H

#include "bench/limits/Measure.h"

#include <span>

namespace moire::limits {

/// One team at least.
using Teams = std::span<const std::unique_ptr<Team>>;

/// Adds what each team reaches to `report`: its limits, and a line for each format. False, with
/// `error`, when the code cannot be made or the memory is short.
bool measureGenerated(Teams teams, const Effort &effort, Report &report, std::string &error);

} // namespace moire::limits

#endif
