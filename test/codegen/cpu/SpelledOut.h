// Instructions that the processor may lack, as their definitions: so code for other machines can be
// executed on this one, bit for bit.

#ifndef MOIRE_TEST_CODEGEN_CPU_SPELLEDOUT_H
#define MOIRE_TEST_CODEGEN_CPU_SPELLEDOUT_H

#include "codegen/cpu/Machine.h"

#include "mlir/IR/BuiltinOps.h"

namespace moire::test {

/// Puts calls of its definition in the place of each AVX-512 instruction that `machine` lacks;
/// `module` is one of kernels that are expanded.
void spellOutWhatIsMissing(mlir::ModuleOp module, const cpu::Machine &machine);

} // namespace moire::test

#endif
