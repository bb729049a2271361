// Decompositions of the operations on one row at a time.

#include "dialects/moe/Decompose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

using Values = FailureOr<SmallVector<Value>>;

/// result[t, j] = table[ids[t], j].
static Value gatherRows(Decomposer &d, Value table, Value ids) {
  int64_t width = cast<RankedTensorType>(table.getType()).getDimSize(1);
  return d.loop(ids, {d.map(2, {0}), d.map(2, {0, 1})}, d.empty(ids, {0}, {width}), 0,
                [&](ValueRange args) {
                  Value row = arith::IndexCastOp::create(d.b, d.loc, d.b.getIndexType(), args[0]);
                  return d.element(table, {row, d.index(1)});
                });
}

Values EmbedOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  Value table = d.toFloat(d.plain(getTable()));
  return SmallVector<Value>{d.as(gatherRows(d, table, getTokens()), getType())};
}

Values SelectRowsOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  return SmallVector<Value>{d.as(gatherRows(d, d.plain(getX()), getRows()), getType())};
}

Values RmsNormOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  OpBuilder &b = d.b;
  Location loc = d.loc;
  int64_t run = getGain().getType().getDimSize(0), runs = getX().getType().getDimSize(1) / run;
  Value x = d.splitRows(d.plain(getX()), runs);
  AffineMap element = d.map(3, {0, 1, 2}), mean = d.map(3, {0, 1}), place = d.map(3, {2});

  Value squares =
      d.loop(x, {element, mean}, d.filled(0.0f, x, {0}, {runs}), 1, [&](ValueRange args) -> Value {
        Value square = arith::MulFOp::create(b, loc, args[0], args[0]);
        return arith::AddFOp::create(b, loc, args[1], square);
      });
  Value scales = d.each(squares, d.empty(x, {0}, {runs}), [&](ValueRange args) -> Value {
    Value mean = arith::DivFOp::create(b, loc, args[0], d.constant(static_cast<float>(run)));
    Value eps = d.constant(static_cast<float>(getEps().convertToDouble()));
    return math::RsqrtOp::create(b, loc, arith::AddFOp::create(b, loc, mean, eps));
  });
  Value result = d.loop({x, scales, getGain()}, {element, mean, place, element},
                        d.empty(x, {0}, {runs, run}), 0, [&](ValueRange args) -> Value {
                          Value normed = arith::MulFOp::create(b, loc, args[0], args[1]);
                          return arith::MulFOp::create(b, loc, args[2], normed);
                        });
  result = d.joinRows(result);
  if (getType().getEncoding())
    result = d.rounded(result, getType().getEncoding());
  return SmallVector<Value>{d.as(result, getType())};
}

Values ScaleOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  auto factor = static_cast<float>(getFactor().convertToDouble());
  Value result = d.each(getX(), d.empty(getX(), {0, 1}), [&](ValueRange args) -> Value {
    return arith::MulFOp::create(d.b, d.loc, args[0], d.constant(factor));
  });
  return SmallVector<Value>{d.as(result, getType())};
}

Value Decomposer::rounded(Value x, Attribute encoding) {
  if (auto block = dyn_cast<BlockAttr>(encoding))
    return roundedToBlocks(x, block.getColumns());
  auto rows = cast<RowsAttr>(encoding);
  int64_t width = cast<RankedTensorType>(x.getType()).getDimSize(1);
  return each(x, empty(x, {0}, {width}), [&](ValueRange args) -> Value {
    Value narrow = arith::TruncFOp::create(b, loc, rows.getElement(), args[0]);
    return arith::ExtFOp::create(b, loc, b.getF32Type(), narrow);
  });
}

/// x [T, K] with zeros behind each row, up to `width` columns.
static Value padded(Decomposer &d, Value x, int64_t width) {
  int64_t from = cast<RankedTensorType>(x.getType()).getDimSize(1);
  if (from == width)
    return x;
  OpFoldResult zero = d.b.getIndexAttr(0), one = d.b.getIndexAttr(1);
  SmallVector<OpFoldResult> offsets(2, zero), strides(2, one);
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(d.b, d.loc, x, 0),
                                     d.b.getIndexAttr(from)};
  return tensor::InsertSliceOp::create(d.b, d.loc, x, d.filled(0.0f, x, {0}, {width}), offsets,
                                       sizes, strides);
}

Value Decomposer::roundedToBlocks(Value x, int64_t columns) {
  Type type = x.getType();
  int64_t width = cast<RankedTensorType>(type).getDimSize(1);
  // Zeros behind a short block change neither its largest magnitude nor an error.
  int64_t blocks = (width + columns - 1) / columns;
  x = padded(*this, x, blocks * columns);
  Value values = splitRows(x, blocks);

  AffineMap element = map(3, {0, 1, 2}), block = map(3, {0, 1});
  Value largest = loop(values, {element, block}, filled(0.0f, x, {0}, {blocks}), 1,
                       [&](ValueRange args) -> Value {
                         Value magnitude = math::AbsFOp::create(b, loc, args[0]);
                         return arith::MaximumFOp::create(b, loc, args[1], magnitude);
                       });
  // Of the candidates' roundings the one with the smallest squared error; the first of equal ones.
  Value best, bestError;
  for (int64_t k = 0; k < BlockAttr::kScaleCandidates; ++k) {
    Value rounded = loop(
        {values, largest}, {element, block, element}, empty(x, {0}, {blocks, columns}), 0,
        [&](ValueRange args) -> Value {
          Value limit = constant(static_cast<float>(127 - k)), zero = constant(0.0f);
          Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, args[1], zero);
          Value inverse = arith::DivFOp::create(b, loc, limit, args[1]);
          inverse = arith::SelectOp::create(b, loc, isZero, zero, inverse);
          Value q =
              math::RoundEvenOp::create(b, loc, arith::MulFOp::create(b, loc, args[0], inverse));
          return arith::MulFOp::create(b, loc, arith::DivFOp::create(b, loc, args[1], limit), q);
        });
    Value error =
        loop({values, rounded}, {element, element, block}, filled(0.0f, x, {0}, {blocks}), 1,
             [&](ValueRange args) -> Value {
               Value difference = arith::SubFOp::create(b, loc, args[0], args[1]);
               return arith::AddFOp::create(b, loc, args[2],
                                            arith::MulFOp::create(b, loc, difference, difference));
             });
    if (k == 0) {
      best = rounded, bestError = error;
      continue;
    }
    auto smaller = [&](ValueRange args) -> Value { // of: kept, new, error of kept, error of new
      Value better = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, args[3], args[2]);
      return arith::SelectOp::create(b, loc, better, args[1], args[0]);
    };
    best = loop({best, rounded, bestError, error}, {element, element, block, block, element},
                empty(x, {0}, {blocks, columns}), 0, smaller);
    AffineMap plane = map(2, {0, 1});
    bestError = loop({bestError, error, bestError, error}, {plane, plane, plane, plane, plane},
                     empty(x, {0}, {blocks}), 0, smaller);
  }
  best = joinRows(best);
  return as(width == blocks * columns ? best : this->columns(best, 0, width), type);
}

Values QuantizeRowsOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  return SmallVector<Value>{d.as(d.rounded(getX(), getType().getEncoding()), getType())};
}

Values RopeOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  OpBuilder &b = d.b;
  Location loc = d.loc;
  int64_t width = getX().getType().getDimSize(1), half = getRotaryDims() / 2;
  SmallVector<float> frequencies = getFrequencies();
  Value table = arith::ConstantOp::create(
      b, loc,
      DenseElementsAttr::get(RankedTensorType::get({half}, b.getF32Type()),
                             ArrayRef<float>(frequencies)));

  AffineMap element = d.map(2, {0, 1}), row = d.map(2, {0});
  Value result = d.loop(
      {getX(), getPositions()}, {element, row, element}, d.empty(getX(), {0}, {width}), 0,
      [&](ValueRange args) -> Value {
        Value token = d.index(0), column = d.index(1), halfSize = d.constantIndex(half);
        // The place in its head, the pair it belongs to, and the column of the pair's other value.
        Value place = arith::RemUIOp::create(b, loc, column, d.constantIndex(getHeadDim()));
        Value pair = arith::RemUIOp::create(b, loc, place, halfSize);
        Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, place, halfSize);
        Value below = arith::SubIOp::create(b, loc, column, halfSize);
        Value above = arith::AddIOp::create(b, loc, column, halfSize);
        Value other =
            d.element(getX(), {token, arith::SelectOp::create(b, loc, isFirst, above, below)});
        other =
            arith::SelectOp::create(b, loc, isFirst, arith::NegFOp::create(b, loc, other), other);

        Value position = arith::SIToFPOp::create(b, loc, b.getF32Type(), args[1]);
        Value angle = arith::MulFOp::create(b, loc, position, d.element(table, pair));
        Value cosine = math::CosOp::create(b, loc, angle);
        Value sine = math::SinOp::create(b, loc, angle);
        Value rotated =
            arith::AddFOp::create(b, loc, arith::MulFOp::create(b, loc, args[0], cosine),
                                  arith::MulFOp::create(b, loc, other, sine));

        Value isRotated = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, place,
                                                d.constantIndex(getRotaryDims()));
        return arith::SelectOp::create(b, loc, isRotated, rotated, args[0]);
      });
  return SmallVector<Value>{d.as(result, getType())};
}
