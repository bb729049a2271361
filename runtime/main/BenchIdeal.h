// What a test of a benchmark needs, and the least time that it can take (runtime/IdealTime.h): the
// sums over its steps.

#ifndef MOIRE_RUNTIME_MAIN_BENCHIDEAL_H
#define MOIRE_RUNTIME_MAIN_BENCHIDEAL_H

#include "runtime/IdealTime.h"
#include "runtime/main/BenchReport.h"

namespace moire {

/// For a prompt in steps of at most `batch` tokens, of which the last one asks for a row of logits;
/// for a generation a step for each token, which asks for a row of each sequence.
BenchIdeal idealOf(const BenchTest &test, int64_t batch, const Work &work,
                   const MachineLimits &limits);
/// The same steps: their operations and bytes.
StepNeeds needsOf(const BenchTest &test, int64_t batch, const Work &work);

} // namespace moire

#endif
