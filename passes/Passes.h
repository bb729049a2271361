// Passes on the moe dialect and the pipeline that they form.

#ifndef MOIRE_PASSES_PASSES_H
#define MOIRE_PASSES_PASSES_H

#include "mlir/Pass/Pass.h"

#include <string>

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Passes.h.inc"

struct OptimizeOptions {
  /// Which weights are rounded to which of our own formats (quantization/WeightRules.h).
  std::string weights = "keep";
  /// Storage of the inputs of products: "int8" (where the weight is in blocks), "bf16" (that, and
  /// bf16 where the weight is) or "f32".
  std::string activations = "int8";
};

/// Adds the phase *optimize* to a pass manager on modules: `moe` in, `moe` out.
void buildOptimizePipeline(OpPassManager &pm, const OptimizeOptions &options = {});

/// Makes the pipeline known as `-moe-optimize{weights=RULES activations=int8|bf16|f32}`. The passes
/// themselves are registered by registerMoirePasses().
void registerOptimizePipeline();

} // namespace mlir::moe

#endif
