// Why a compiled model is as fast as it is: what `moire explain` prints.

#ifndef MOIRE_TOOLS_DRIVER_EXPLANATION_H
#define MOIRE_TOOLS_DRIVER_EXPLANATION_H

#include "codegen/cpu/DescribeSchedule.h"
#include "runtime/IdealTime.h"
#include "tools/driver/Remarks.h"
#include "tools/driver/Summary.h"

#include <string>
#include <vector>

namespace moire::driver {

/// A function of the step, and the layers that it computes.
struct ExplainedPart {
  DescribedFunction function;
  std::vector<int64_t> layers; // none: what is before and behind them
};

struct Explanation {
  std::string architecture, description; // "llama", "frontends/models/llama.moire"
  Summary summary;
  int64_t layers = 0, context = 0;
  std::string cpu, features;        // "znver4"; in words
  std::string activations, kv;      // as the options say
  int64_t packed_bytes = 0;         // of the program's weights
  std::vector<ExplainedPart> parts; // layers, then the rest
  std::vector<NotedRemark> remarks;
  Work work;
};

/// A step whose least costs are said, and by how many tokens they are divided.
struct ExplainedStep {
  std::string name;
  StepShape shape;
  StepNeeds needs; // of a token
};

/// One token alone, one at depths that the context has room for, and those of a prompt.
std::vector<ExplainedStep> stepsOf(const Explanation &explanation);

/// Tables and sentences. With `limits`, which may be null, also the least times of a machine.
std::string explanationText(const Explanation &explanation, const MachineLimits *limits);

/// The same as a JSON object.
std::string explanationJson(const Explanation &explanation, const MachineLimits *limits);

} // namespace moire::driver

#endif
