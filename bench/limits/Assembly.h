// Limits by loops that were written in assembly (Arithmetic.S, Read.S): each kind of arithmetic
// with the widest instructions that the processor has, and reads in several streams a thread.

#ifndef MOIRE_BENCH_LIMITS_ASSEMBLY_H
#define MOIRE_BENCH_LIMITS_ASSEMBLY_H

#include "bench/limits/Measure.h"

namespace moire::limits {

/// Adds what a team reaches to `report`. False, with `error`, when the processor has no AVX2 or the
/// memory is short.
bool measureAssembly(Team &team, const Effort &effort, Report &report, std::string &error);

} // namespace moire::limits

#endif
