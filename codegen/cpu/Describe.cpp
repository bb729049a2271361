// What a program says of itself: numbers of `moire_program` that the model's types tell.

#include "codegen/cpu/Phases.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace moire::cpu {

LogicalResult describeProgram(ModuleOp module, int64_t page, Plan &plan) {
  func::FuncOp forward;
  for (StringRef suffix : {StringRef(), kMany, kOne})
    if (!forward)
      forward = module.lookupSymbol<func::FuncOp>(("forward" + suffix).str());
  if (!forward)
    return module.emitError("expected a function @forward");
  for (Type type : forward.getArgumentTypes()) {
    auto state = dyn_cast<RankedTensorType>(type);
    if (!state || state.getRank() != 5)
      continue;
    plan.layers = state.getDimSize(0);
    Type element = moe::Int8RowsAttr::encodes(state) ? IntegerType::get(module.getContext(), 8)
                                                     : state.getElementType();
    plan.kv = tile::KvLayoutAttr::get(module.getContext(), plan.layers, state.getDimSize(3),
                                      state.getDimSize(4), page, element);
  }
  plan.vocab = cast<RankedTensorType>(forward.getResultTypes().front()).getDimSize(1);
  if (!plan.kv)
    return forward.emitError("expected states of keys and values among the arguments");
  forward.walk([&](moe::EmbedOp embed) {
    plan.hidden = cast<RankedTensorType>(embed.getType()).getDimSize(1);
  });
  module.walk([&](moe::TapRouteOp tap) {
    plan.routeWidth = std::max(plan.routeWidth, tap.getIds().getType().getDimSize(1));
  });
  if (auto context = module->getAttrOfType<IntegerAttr>("moe.context"))
    plan.context = context.getInt();
  return success();
}

} // namespace moire::cpu
