// Rounds rows of activations to int8, block by block (moe.quantize's decomposition, bit for bit).

#ifndef MOIRE_CODEGEN_CPU_ROUNDROWS_H
#define MOIRE_CODEGEN_CPU_ROUNDROWS_H

#include "codegen/cpu/RowPlace.h"

namespace moire::cpu {

/// Rounds a row; load(column) gives 16 of its values, f32. `outs`: the three buffers of quantized
/// rows (tile.quantize).
void emitRoundRow(Emitter &e, const RowPlace &row, mlir::ValueRange outs,
                  llvm::function_ref<Value(Value)> load);

} // namespace moire::cpu

#endif
