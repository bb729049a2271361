// The vocabulary of the decompositions. They are the specification of the operations: plain loops
// over plain tensors, in f32, one rounding a step, nothing fused.

#ifndef MOIRE_DIALECTS_MOE_DECOMPOSE_H
#define MOIRE_DIALECTS_MOE_DECOMPOSE_H

#include "dialects/moe/Moe.h"

#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/Builders.h"

namespace mlir::moe {

/// Builds the decomposition of one operation at `loc`.
class Decomposer {
public:
  /// Computes one element: `args` are the elements of the inputs, then that of the destination.
  using Body = llvm::function_ref<Value(ValueRange args)>;

  Decomposer(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  /// `value` without its encoding (the same values, however stored).
  Value plain(Value value);

  /// `value` with another type of the same shape: encoded, or with other dimensions known.
  Value as(Value value, Type type);

  /// `value` [any shape] widened to f32.
  Value toFloat(Value value);

  /// An uninitialised tensor of f32 with the sizes of `value`'s dimensions and then `widths`.
  Value empty(Value value, ArrayRef<int64_t> dims, ArrayRef<int64_t> widths = {});

  /// A tensor of f32 with the sizes of `value`'s dimensions and then `widths`, all of them `fill`.
  Value filled(float fill, Value value, ArrayRef<int64_t> dims, ArrayRef<int64_t> widths = {});

  /// destination[i] = body(inputs read through their maps, destination[i]) where the loops are the
  /// dimensions of the maps, the last `reductions` of them reductions. There is a map an input and
  /// one for the destination.
  Value loop(ValueRange inputs, ArrayRef<AffineMap> maps, Value destination, unsigned reductions,
             Body body);

  /// destination[i] = body(inputs[i]), all of one shape.
  Value each(ValueRange inputs, Value destination, Body body);

  /// The map (d0, …) of `loops` dimensions to those listed in `dims`.
  AffineMap map(unsigned loops, ArrayRef<unsigned> dims);

  /// Loop number `dim` of the loop whose body is being built.
  Value index(int64_t dim);
  Value constantIndex(int64_t value);
  Value constant(float value);

  /// Element of a tensor; the indices are of index type.
  Value element(Value tensor, ValueRange indices);
  /// Element t of a tensor of i32, as an index.
  Value id(Value ids, Value t);

  /// The size of a dimension of a tensor, as an index value.
  Value size(Value tensor, int64_t dim);

  /// A part of a tensor with one size a dimension; `shape` may drop dimensions of size 1.
  Value slice(Value tensor, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
              ArrayRef<int64_t> shape);

  /// Columns [from, from + width) of x [T, K].
  Value columns(Value x, int64_t from, int64_t width);

  /// x [T, parts * n] as [T, parts, n], and back.
  Value splitRows(Value x, int64_t parts);
  Value joinRows(Value x);

  /// `destination` after `body(i, destination)` for i = 0 .. count.
  Value fold(Value count, Value destination,
             llvm::function_ref<Value(Value i, Value destination)> body);

  /// x [T, K] times weight [N, K], transposed: [T, N].
  Value product(Value x, Value weight);

  /// Rows rounded to a storage for activations.
  Value rounded(Value x, Attribute encoding);
  /// Rows rounded to blocks of some columns for activations, as moe.quantize_rows says.
  Value roundedToBlocks(Value x, int64_t columns);

  /// f(z) for single elements.
  Value activated(Activation activation, Value z);
  /// f(gate) * up for single elements.
  Value gated(Activation activation, Value gate, Value up);

  OpBuilder &b;
  Location loc;
};

} // namespace mlir::moe

#endif
