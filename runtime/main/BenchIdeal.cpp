#include "runtime/main/BenchIdeal.h"

#include <algorithm>

namespace moire {

// use(what a step needs) for each step of a test.
template <typename Use>
static void eachStep(const BenchTest &test, int64_t batch, const Work &work, Use use) {
  const int64_t length = test.prompt + test.generate;
  for (int64_t at = 0, count; at < length; at += count) {
    count = test.prompt ? std::min(batch, length - at) : 1;
    const bool asked = !test.prompt || at + count == length;
    use(needsOf(work, {.sequences = test.sequences,
                       .tokens = count,
                       .depth = test.depth + at,
                       .logitRows = asked ? test.sequences : 0}));
  }
}

BenchIdeal idealOf(const BenchTest &test, int64_t batch, const Work &work,
                   const MachineLimits &limits) {
  BenchIdeal ideal;
  eachStep(test, batch, work, [&](const StepNeeds &step) {
    const double memory = memorySeconds(step, limits), operations = operationSeconds(step, limits);
    ideal.memory += memory;
    ideal.operations += operations;
    ideal.all += std::max(memory, operations);
  });
  return ideal;
}

StepNeeds needsOf(const BenchTest &test, int64_t batch, const Work &work) {
  StepNeeds needs;
  eachStep(test, batch, work, [&](const StepNeeds &step) { needs += step; });
  return needs;
}

} // namespace moire
