// How the columns of 16 rows that share a scale (32, or 16) are multiplied with int8 activations,
// and all columns with bf16 ones: one class a machine instruction, made from the table
// Instructions.def.

#ifndef MOIRE_CODEGEN_CPU_DOTINSTRUCTION_H
#define MOIRE_CODEGEN_CPU_DOTINSTRUCTION_H

#include "codegen/cpu/Emitter.h"

#include <memory>

namespace moire::cpu {

/// Emits a dot product. With int8 it is that of one block of 32 columns, and all instructions give
/// the same integers; with bf16 it is that of all columns.
class DotInstruction {
public:
  virtual ~DotInstruction() = default;

  using Values = llvm::SmallVector<Value, 4>;

  /// Accumulators of one token. `sum` (i32) is the sum of the activations; the products are those
  /// of weights minus `zeroPoint`. (bf16 takes neither: `sum` is null.)
  virtual Values begin(Emitter &e, Value sum, int64_t zeroPoint) = 0;
  /// What is needed of a line (16 rows of 4 weights of int8, or of a pair of bf16), once for all
  /// tokens.
  virtual Values prepare(Emitter &e, Value line) = 0;
  /// Adds the columns of a line: `x` holds their 4 (or 2) activations as one i32. `number` counts
  /// the steps since begin(); for bf16 it says nothing.
  virtual Values step(Emitter &e, Values accumulators, const Values &weights, Value x,
                      int64_t number) = 0;
  /// The 16 sums, <16 x i32> (or f32).
  virtual Value finish(Emitter &e, Values accumulators) = 0;

  /// The row of Instructions.def with this name and width.
  static std::unique_ptr<DotInstruction> get(llvm::StringRef name, int64_t bits);
};

} // namespace moire::cpu

#endif
