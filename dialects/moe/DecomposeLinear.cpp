// Decompositions of the products with weights.

#include "dialects/moe/Decompose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

using Values = FailureOr<SmallVector<Value>>;

Value Decomposer::product(Value x, Value weight) {
  x = plain(x);
  weight = toFloat(plain(weight));
  int64_t rows = cast<RankedTensorType>(weight.getType()).getDimSize(0);
  return loop({x, weight}, {map(3, {0, 2}), map(3, {1, 2}), map(3, {0, 1})},
              filled(0.0f, x, {0}, {rows}), 1, [&](ValueRange args) -> Value {
                Value term = arith::MulFOp::create(b, loc, args[0], args[1]);
                return arith::AddFOp::create(b, loc, args[2], term);
              });
}

Value Decomposer::gated(Activation activation, Value gate, Value up) {
  Value activated;
  switch (activation) {
  case Activation::Silu: {
    Value decay = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, gate));
    Value divisor = arith::AddFOp::create(b, loc, constant(1.0f), decay);
    activated = arith::DivFOp::create(b, loc, gate, divisor);
    break;
  }
  }
  return arith::MulFOp::create(b, loc, activated, up);
}

Values LinearOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  Value result = d.product(getX(), getWeight());
  if (getBias())
    result = d.loop({result, getBias()}, {d.map(2, {0, 1}), d.map(2, {1}), d.map(2, {0, 1})},
                    d.empty(result, {0, 1}), 0, [&](ValueRange args) -> Value {
                      return arith::AddFOp::create(d.b, d.loc, args[0], args[1]);
                    });
  return SmallVector<Value>{d.as(result, getType())};
}

Values GateOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  Value result = d.each({getGate(), getUp()}, d.empty(getGate(), {0, 1}), [&](ValueRange args) {
    return d.gated(getActivation(), args[0], args[1]);
  });
  return SmallVector<Value>{d.as(result, getType())};
}

Values GatedLinearOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  Value both = d.product(getX(), getWeight());
  int64_t width = getType().getDimSize(1);
  auto columns = [&](int64_t from) -> Value {
    SmallVector<OpFoldResult> offsets = {d.b.getIndexAttr(0), d.b.getIndexAttr(from)};
    SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(d.b, d.loc, both, 0),
                                       d.b.getIndexAttr(width)};
    SmallVector<OpFoldResult> strides(2, d.b.getIndexAttr(1));
    return tensor::ExtractSliceOp::create(d.b, d.loc, both, offsets, sizes, strides);
  };
  Value gate = columns(0), up = columns(width);
  Value result = d.each({gate, up}, d.empty(gate, {0, 1}), [&](ValueRange args) {
    return d.gated(getActivation(), args[0], args[1]);
  });
  return SmallVector<Value>{d.as(result, getType())};
}
