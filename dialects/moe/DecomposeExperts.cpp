// The decomposition of experts: for each token and each of its experts an FFN of one row.

#include "dialects/moe/Decompose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

using Values = FailureOr<SmallVector<Value>>;

/// The matrix of one expert: [out, in].
static Value matrixOf(Decomposer &d, Value matrices, Value expert) {
  matrices = d.plain(matrices);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(matrices.getType()).getShape().drop_front();
  OpFoldResult zero = d.b.getIndexAttr(0), one = d.b.getIndexAttr(1);
  return d.slice(matrices, {expert, zero, zero},
                 {one, d.b.getIndexAttr(shape[0]), d.b.getIndexAttr(shape[1])}, shape);
}

/// What one expert makes of the row x [1, D], before it is weighted.
static Value ffn(Decomposer &d, ExpertsOp op, Value x, Value expert) {
  int64_t width = op.getHiddenWidth();
  Value up = d.product(x, matrixOf(d, op.getUp(), expert)), gate;
  if (op.getGated()) {
    gate = d.columns(up, 0, width);
    up = d.columns(up, width, width);
  } else if (op.getGate()) {
    gate = d.product(x, matrixOf(d, op.getGate(), expert));
  }
  Value hidden;
  if (gate)
    hidden = d.each({gate, up}, d.empty(up, {0, 1}),
                    [&](ValueRange args) { return d.gated(op.getActivation(), args[0], args[1]); });
  else
    hidden = d.each(up, d.empty(up, {0, 1}),
                    [&](ValueRange args) { return d.activated(op.getActivation(), args[0]); });
  if (op.getHidden())
    hidden = d.rounded(hidden, *op.getHidden());
  return d.product(hidden, matrixOf(d, op.getDown(), expert));
}

Values ExpertsOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  OpBuilder &b = d.b;
  Location loc = d.loc;
  int64_t xWidth = getX().getType().getDimSize(1), width = getType().getDimSize(1);
  int64_t chosen = getIds().getType().getDimSize(1);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
  Value x = d.plain(getX());
  AffineMap element = d.map(2, {0, 1}), row = d.map(2, {0});

  Value destination = d.empty(x, {0}, {width});
  Value result = d.fold(d.size(x, 0), destination, [&](Value t, Value rows) -> Value {
    Value xRow = d.slice(x, {t, zero}, {one, b.getIndexAttr(xWidth)}, {1, xWidth});
    Value sum = d.fold(
        d.constantIndex(chosen), d.filled(0.0f, xRow, {0}, {width}), [&](Value j, Value sofar) {
          Value expert =
              arith::IndexCastOp::create(b, loc, b.getIndexType(), d.element(getIds(), {t, j}));
          Value weight = d.slice(getWeights(), {t, j}, {one, one}, {1});
          Value y = ffn(d, *this, xRow, expert);
          return d.loop({sofar, y, weight}, {element, element, row, element},
                        d.empty(xRow, {0}, {width}), 0, [&](ValueRange args) -> Value {
                          Value term = arith::MulFOp::create(b, loc, args[2], args[1]);
                          return arith::AddFOp::create(b, loc, args[0], term);
                        });
        });
    SmallVector<OpFoldResult> offsets = {t, zero}, sizes = {one, b.getIndexAttr(width)},
                              strides = {one, one};
    return tensor::InsertSliceOp::create(b, loc, sum, rows, offsets, sizes, strides);
  });
  return SmallVector<Value>{d.as(result, getType())};
}
