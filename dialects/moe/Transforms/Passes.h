// Passes that make moe programs runnable, slowly: the oracle of the equivalence tests.

#ifndef MOIRE_DIALECTS_MOE_TRANSFORMS_PASSES_H
#define MOIRE_DIALECTS_MOE_TRANSFORMS_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::moe {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dialects/moe/Transforms/Passes.h.inc"

} // namespace mlir::moe

#endif
