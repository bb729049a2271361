// Decompositions of the operations on key/value states.

#include "dialects/moe/Decompose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::moe;

using Values = FailureOr<SmallVector<Value>>;

/// x as bf16, to nearest, ties to even: in integers, since not every machine's runtime library has
/// the function that a truncation would call.
static Value toBFloat(OpBuilder &b, Location loc, Value x) {
  Type i32 = b.getI32Type();
  auto constant = [&](int32_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value)).getResult();
  };
  Value bits = arith::BitcastOp::create(b, loc, i32, x), half = constant(16);
  Value upper = arith::ShRUIOp::create(b, loc, bits, half);
  Value odd = arith::AndIOp::create(b, loc, upper, constant(1));
  Value bias = arith::AddIOp::create(b, loc, odd, constant(0x7fff));
  Value rounded = arith::ShRUIOp::create(b, loc, arith::AddIOp::create(b, loc, bits, bias), half);
  // The carry would make a NaN infinite, or zero.
  Value quiet = arith::OrIOp::create(b, loc, upper, constant(0x40));
  Value isNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
  Value kept = arith::SelectOp::create(b, loc, isNan, quiet, rounded);
  Value word = arith::TruncIOp::create(b, loc, b.getI16Type(), kept);
  return arith::BitcastOp::create(b, loc, b.getBF16Type(), word);
}

/// x [T, heads, head dim] rounded as #moe.int8_rows says.
static Value toInt8Rows(Decomposer &d, Value x) {
  OpBuilder &b = d.b;
  Location loc = d.loc;
  AffineMap element = d.map(3, {0, 1, 2}), row = d.map(3, {0, 1});
  Value largest =
      d.loop(x, {element, row}, d.filled(0.0f, x, {0, 1}), 1, [&](ValueRange args) -> Value {
        Value magnitude = math::AbsFOp::create(b, loc, args[0]);
        return arith::MaximumFOp::create(b, loc, args[1], magnitude);
      });
  auto compare = [&](arith::CmpFPredicate predicate, Value value, float bound) -> Value {
    return arith::CmpFOp::create(b, loc, predicate, value, d.constant(bound));
  };
  return d.loop(
      {x, largest}, {element, row, element}, d.empty(x, {0, 1, 2}), 0,
      [&](ValueRange args) -> Value {
        Value limit = d.constant(127.0f), m = args[1];
        Value scaled =
            arith::MulFOp::create(b, loc, args[0], arith::DivFOp::create(b, loc, limit, m));
        Value q = math::RoundEvenOp::create(b, loc, scaled);
        Value value = arith::MulFOp::create(b, loc, arith::DivFOp::create(b, loc, m, limit), q);
        Value isLarge = compare(arith::CmpFPredicate::OGE, m, Int8RowsAttr::kSmallest);
        value = arith::SelectOp::create(b, loc, isLarge, value, d.constant(0.0f));
        Value isFinite = compare(arith::CmpFPredicate::OLE, m, std::numeric_limits<float>::max());
        return arith::SelectOp::create(b, loc, isFinite, value,
                                       d.constant(std::numeric_limits<float>::quiet_NaN()));
      });
}

Values KvAppendOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  OpBuilder &b = d.b;
  RankedTensorType stateType = getState().getType();
  Type stored = stateType.getElementType();
  int64_t heads = stateType.getDimSize(3), headDim = stateType.getDimSize(4);
  OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);

  // [T, heads * head dim] in the element type of the state, then [T, heads, head dim].
  Value values = getValues();
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(b, d.loc, values, 0)};
  if (!stored.isF32()) {
    sizes.push_back(b.getIndexAttr(heads * headDim));
    Value destination = tensor::EmptyOp::create(b, d.loc, sizes, stored);
    values = d.each(values, destination, [&](ValueRange args) -> Value {
      return stored.isBF16() ? toBFloat(b, d.loc, args[0])
                             : arith::TruncFOp::create(b, d.loc, stored, args[0]);
    });
  }
  values = d.splitRows(values, heads);
  if (Int8RowsAttr::encodes(stateType))
    values = toInt8Rows(d, values);

  Value before = d.plain(getState());
  Value result = d.fold(d.size(values, 0), before, [&](Value t, Value state) -> Value {
    OpFoldResult headCount = b.getIndexAttr(heads), headSize = b.getIndexAttr(headDim);
    Value row = d.slice(values, {t, zero, zero}, {one, headCount, headSize}, {heads, headDim});
    SmallVector<OpFoldResult> offsets = {getLayer(), d.id(getSlots(), t), d.id(getPositions(), t),
                                         zero, zero};
    SmallVector<OpFoldResult> extents = {one, one, one, headCount, headSize};
    SmallVector<OpFoldResult> strides(5, one);
    return tensor::InsertSliceOp::create(b, d.loc, row, state, offsets, extents, strides);
  });
  return SmallVector<Value>{d.as(result, stateType)};
}

/// What one query head sees of a state: [positions, head dim] from `first` on, widened to f32.
static Value visible(Decomposer &d, AttentionOp op, Value state, Value slot, Value first,
                     Value count, Value kvHead) {
  OpFoldResult zero = d.b.getIndexAttr(0), one = d.b.getIndexAttr(1);
  int64_t headDim = op.getHeadDim();
  return d.toFloat(d.slice(state, {op.getLayer(), slot, first, kvHead, zero},
                           {one, one, count, one, d.b.getIndexAttr(headDim)},
                           {ShapedType::kDynamic, headDim}));
}

/// softmax(scale * keys . query) . values over the rows of keys and values: [head dim].
static Value attend(Decomposer &d, Value query, Value keys, Value values, float scale) {
  OpBuilder &b = d.b;
  Location loc = d.loc;
  AffineMap element = d.map(2, {0, 1}), row = d.map(2, {0}), column = d.map(2, {1});
  AffineMap one = d.map(1, {0}), none = d.map(1, {});

  Value scores = d.loop({keys, query}, {element, column, row}, d.filled(0.0f, keys, {0}), 1,
                        [&](ValueRange args) -> Value {
                          Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
                          return arith::AddFOp::create(b, loc, args[2], term);
                        });
  scores = d.each(scores, d.empty(keys, {0}), [&](ValueRange args) -> Value {
    return arith::MulFOp::create(b, loc, args[0], d.constant(scale));
  });
  Value largest =
      d.loop(scores, {one, none}, d.filled(-std::numeric_limits<float>::infinity(), keys, {}), 1,
             [&](ValueRange args) -> Value {
               return arith::MaximumFOp::create(b, loc, args[1], args[0]);
             });
  Value weights = d.loop({scores, largest}, {one, none, one}, d.empty(keys, {0}), 0,
                         [&](ValueRange args) -> Value {
                           Value below = arith::SubFOp::create(b, loc, args[0], args[1]);
                           return math::ExpOp::create(b, loc, below);
                         });
  Value sum =
      d.loop(weights, {one, none}, d.filled(0.0f, keys, {}), 1, [&](ValueRange args) -> Value {
        return arith::AddFOp::create(b, loc, args[1], args[0]);
      });
  weights = d.loop(
      {weights, sum}, {one, none, one}, d.empty(keys, {0}), 0,
      [&](ValueRange args) -> Value { return arith::DivFOp::create(b, loc, args[0], args[1]); });
  // The loops are (head dim, position).
  return d.loop({weights, values}, {column, d.map(2, {1, 0}), row}, d.filled(0.0f, values, {1}), 1,
                [&](ValueRange args) -> Value {
                  Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
                  return arith::AddFOp::create(b, loc, args[2], term);
                });
}

Values AttentionOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  OpBuilder &b = d.b;
  Location loc = d.loc;
  int64_t headDim = getHeadDim(), group = getHeads() / getKvHeads();
  OpFoldResult one = b.getIndexAttr(1), headSize = b.getIndexAttr(headDim);
  auto scale = static_cast<float>(getScale().convertToDouble());
  Value keyState = d.plain(getKeys()), valueState = d.plain(getValues());

  Value destination = d.empty(getQueries(), {0, 1});
  Value result = d.fold(d.size(getQueries(), 0), destination, [&](Value t, Value tokens) {
    Value slot = d.id(getSlots(), t), last = d.id(getPositions(), t);
    Value end = arith::AddIOp::create(b, loc, last, d.constantIndex(1));
    Value first = d.constantIndex(0);
    if (getWindow()) {
      Value start = arith::SubIOp::create(b, loc, end, d.constantIndex(*getWindow()));
      first = arith::MaxSIOp::create(b, loc, first, start);
    }
    Value count = arith::SubIOp::create(b, loc, end, first);
    return d.fold(d.constantIndex(getHeads()), tokens, [&](Value head, Value heads) -> Value {
      Value kvHead = arith::DivUIOp::create(b, loc, head, d.constantIndex(group));
      Value from = arith::MulIOp::create(b, loc, head, d.constantIndex(headDim));
      Value query = d.slice(getQueries(), {t, from}, {one, headSize}, {headDim});
      Value keys = visible(d, *this, keyState, slot, first, count, kvHead);
      Value values = visible(d, *this, valueState, slot, first, count, kvHead);
      Value row = attend(d, query, keys, values, scale);
      SmallVector<OpFoldResult> offsets = {t, from}, sizes = {one, headSize}, strides = {one, one};
      return tensor::InsertSliceOp::create(b, loc, row, heads, offsets, sizes, strides);
    });
  });
  return SmallVector<Value>{d.as(result, getType())};
}
