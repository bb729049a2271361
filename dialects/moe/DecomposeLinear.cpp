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

Value Decomposer::activated(Activation activation, Value z) {
  Value decay = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, z));
  Value divisor = arith::AddFOp::create(b, loc, constant(1.0f), decay);
  switch (activation) {
  case Activation::Silu:
    return arith::DivFOp::create(b, loc, z, divisor);
  case Activation::Sigmoid:
    return arith::DivFOp::create(b, loc, constant(1.0f), divisor);
  }
  llvm_unreachable("every activation has a case");
}

Value Decomposer::gated(Activation activation, Value gate, Value up) {
  return arith::MulFOp::create(b, loc, activated(activation, gate), up);
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
  int64_t width = getType().getDimSize(1);
  bool sameForRow = getGate().getType().getDimSize(1) == 1 && width != 1;
  Value gate = getGate();
  AffineMap element = d.map(2, {0, 1}), gateMap = element;
  if (sameForRow) {
    gate =
        tensor::CollapseShapeOp::create(d.b, d.loc, gate, ArrayRef<ReassociationIndices>{{0, 1}});
    gateMap = d.map(2, {0});
  }
  Value result =
      d.loop({gate, getUp()}, {gateMap, element, element}, d.empty(getUp(), {0, 1}), 0,
             [&](ValueRange args) { return d.gated(getActivation(), args[0], args[1]); });
  return SmallVector<Value>{d.as(result, getType())};
}

Values GatedLinearOp::decomposeOperation(OpBuilder &builder) {
  Decomposer d(builder, getLoc());
  Value both = d.product(getX(), getWeight());
  int64_t width = getType().getDimSize(1);
  Value gate = d.columns(both, 0, width), up = d.columns(both, width, width);
  Value result = d.each({gate, up}, d.empty(gate, {0, 1}), [&](ValueRange args) {
    return d.gated(getActivation(), args[0], args[1]);
  });
  return SmallVector<Value>{d.as(result, getType())};
}
