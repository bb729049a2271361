// The phases of CPU code generation as passes, for moire-opt.

#ifndef MOIRE_CODEGEN_CPU_PASSES_H
#define MOIRE_CODEGEN_CPU_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace moire::cpu {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/cpu/Passes.h.inc"

} // namespace moire::cpu

#endif
