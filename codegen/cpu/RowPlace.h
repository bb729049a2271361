// Where a row of activations lies, and the parts of a quantized one.

#ifndef MOIRE_CODEGEN_CPU_ROWPLACE_H
#define MOIRE_CODEGEN_CPU_ROWPLACE_H

#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// Rows that lie by fours (tile.quantize): they share each of the three buffers' lines, 4 columns
/// of one beside those of the next. A product that reads twelve such rows goes through three
/// streams of memory where it would go through twelve.
constexpr int64_t kFour = 4;

/// A row of a buffer: the first row of its four and its place there (`further` than `lane`, by a
/// number that addresses can hold), or the row itself and null. Functions give the indices of loads
/// and stores.
struct RowPlace {
  Value first, lane = {};
  int64_t further = 0;

  using Indices = llvm::SmallVector<Value, 3>;

  /// Any row of a buffer; `fours` says how the buffer's rows lie.
  static RowPlace of(Emitter &e, Value row, bool fours);
  /// Each of `rows`, that follow each other; of those that lie by fours the first begins one, or
  /// with a `unit` of 2 half of one.
  static llvm::SmallVector<RowPlace, 8> ofTile(Emitter &e, llvm::ArrayRef<Value> rows, bool fours,
                                               int64_t unit = kFour);

  /// Four values from `column` on, a multiple of four.
  Indices values(Emitter &e, Value column) const;
  /// The scale of a block (0), that times the sum of its values (1), or -8 times that (2).
  Indices scale(Emitter &e, int64_t which, Value block) const;
  Indices sums(Emitter &e, Value word) const;
};

/// body(by fours?) for a step of `rows` rows that lie so if they are more than `fours`.
void chooseFours(Emitter &e, Value rows, std::optional<int64_t> fours,
                 llvm::function_ref<void(bool)> body);

} // namespace moire::cpu

#endif
