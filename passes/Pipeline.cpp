// The phase *optimize*, in order.

#include "passes/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::moe {

void buildOptimizePipeline(OpPassManager &pm, const OptimizeOptions &options) {
  // Models spell routers in several ways; of those that mean the same one remains, for CSE and for
  // kernels. It looks at nothing but the router itself, so nothing has to come before it.
  pm.addPass(createCanonicalizeRoute());

  // The fusions ask whether two products read *the same value*: equal norms and equal reads of a
  // weight have to be one value first.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  // A weight's format is chosen before products are fused: those with equal formats become one, and
  // the rules are for the weights of the file.
  pm.addPass(createChooseWeights(ChooseWeightsOptions{options.weights}));

  // Products are fused before their inputs get a format, while a weight's storage is the only thing
  // that can keep two products apart.
  pm.addPass(createFuseQkv());
  pm.addPass(createFuseGateUp());

  // Then formats: one rounding for all products that read a row, hence after the fusions and CSE.
  pm.addPass(createChooseActivations(ChooseActivationsOptions{options.activations}));

  // Last, because only now are there roundings.
  pm.addPass(createFuseNormQuantize());

  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

namespace {
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<std::string> weights{*this, "weights", llvm::cl::init("keep"),
                              llvm::cl::desc("which weights are rounded to what: int4:g128,...")};
  Option<std::string> activations{*this, "activations", llvm::cl::init("int8"),
                                  llvm::cl::desc("int8 (for weights in blocks), bf16 (int8, and "
                                                 "bf16 for such weights) or f32")};
};
} // namespace

void registerOptimizePipeline() {
  PassPipelineRegistration<PipelineOptions>(
      "moe-optimize", "The phase optimize: all passes of passes/, in order",
      [](OpPassManager &pm, const PipelineOptions &options) {
        buildOptimizePipeline(pm, {options.weights, options.activations});
      });
}

} // namespace mlir::moe
