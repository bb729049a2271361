// specialize: every function twice, for one token and for many.

#include "codegen/cpu/Phases.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace moire::cpu {

LogicalResult specialize(ModuleOp module) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions) {
    for (StringRef suffix : {kOne, kMany}) {
      OpBuilder builder(function);
      auto clone = cast<func::FuncOp>(builder.clone(*function));
      clone.setName((function.getName() + suffix).str());
      clone.walk([&](func::CallOp call) { call.setCallee((call.getCallee() + suffix).str()); });
    }
    function.erase();
  }
  return success();
}

} // namespace moire::cpu
