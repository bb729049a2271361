#include "runtime/main/BenchIdeal.h"

#include <algorithm>

namespace moire {

BenchIdeal idealOf(const BenchTest &test, int64_t batch, const Work &work,
                   const MachineLimits &limits) {
  BenchIdeal ideal;
  const int64_t length = test.prompt + test.generate;
  for (int64_t at = 0, count; at < length; at += count) {
    count = test.prompt ? std::min(batch, length - at) : 1;
    const bool asked = !test.prompt || at + count == length;
    const StepNeeds cost = needsOf(work, {.sequences = test.sequences,
                                          .tokens = count,
                                          .depth = test.depth + at,
                                          .logitRows = asked ? test.sequences : 0});
    const double memory = memorySeconds(cost, limits), operations = operationSeconds(cost, limits);
    ideal.memory += memory;
    ideal.operations += operations;
    ideal.all += std::max(memory, operations);
  }
  return ideal;
}

} // namespace moire
