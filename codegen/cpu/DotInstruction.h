// How the columns of 16 rows that share a scale (16 to 256) are multiplied with int8 activations,
// and all columns with bf16 ones: one class a machine instruction, made from the table
// Instructions.def.

#ifndef MOIRE_CODEGEN_CPU_DOTINSTRUCTION_H
#define MOIRE_CODEGEN_CPU_DOTINSTRUCTION_H

#include "codegen/cpu/Emitter.h"

#include <memory>

namespace moire::cpu {

/// Emits a dot product. With int8 it is that of columns that share a scale, and all instructions
/// give the same integers; with bf16 it is that of all columns.
class DotInstruction {
public:
  virtual ~DotInstruction() = default;

  using Values = llvm::SmallVector<Value, 4>;

  /// After how many steps at most a run of them must be finished: its sums hold no more. (Sums of
  /// 32 bits hold all of a block: 256 columns.)
  virtual int64_t steps() const { return 64; }
  /// Lines that are multiplied in one piece of code with several rows: of a longer one LLVM's
  /// scheduler keeps all lines at once, which are more than there are registers.
  virtual int64_t linesTogether() const { return 2; }
  /// What the result of a run is besides the products: `wide` (<16 x i32>, or null for zero; of
  /// bf16 <16 x f32>), and for each of the 16 the sum of two numbers of `narrow` (<32 x i16>, or
  /// null).
  struct Start {
    Value wide = {}, narrow = {};
  };
  /// The start of a run over `groups` lines whose weights are `shift` larger than they should be:
  /// -shift times the activations' sums. `words` (<32 x i16>) has -factor times them, two for each
  /// row.
  virtual Start correction(Emitter &e, Value words, int64_t factor, int64_t shift, int64_t groups);
  /// Sums of one token for a run of steps.
  virtual Values begin(Emitter &e, const Start &start) = 0;
  /// Whether these are zero, and the first products are added to them by an instruction.
  virtual bool beginsWithZero(const Start &start) const { return !start.narrow; }
  /// What is needed of a line (16 rows of 4 weights of int8, or of a pair of bf16), once for all
  /// tokens.
  virtual Values prepare(Emitter &e, Value line) = 0;
  /// Adds the columns of a line: `x` holds their 4 (or 2) activations as one i32.
  virtual Values step(Emitter &e, Values sums, const Values &weights, Value x) = 0;
  /// The 16 results of a run that began with `start`.
  virtual Value finish(Emitter &e, const Values &sums, const Start &start) = 0;
  /// What `prepare` adds to the weights' integers.
  virtual int64_t shift() const { return 0; }

  /// The row of Instructions.def with this name and width.
  static std::unique_ptr<DotInstruction> get(llvm::StringRef name, int64_t bits);
};

} // namespace moire::cpu

#endif
