// The decomposition of routing. What comes first in an order is counted, not sorted: an expert's
// rank is the number of experts that come before it.

#include "dialects/moe/Decompose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <limits>

using namespace mlir;
using namespace mlir::moe;

using Values = FailureOr<SmallVector<Value>>;

namespace {
/// Builds one router: T tokens, E experts, k of them chosen.
class RouteBuilder {
public:
  RouteBuilder(OpBuilder &builder, RouteOp op)
      : d(builder, op.getLoc()), b(d.b), loc(d.loc), op(op) {}

  SmallVector<Value> build() {
    Value logits = finite(op.getLogits());
    Value scores = logits;
    if (op.getScoring() == Scoring::Softmax)
      scores = softmax(logits);
    else if (op.getScoring() == Scoring::Sigmoid)
      scores = d.each(logits, d.empty(logits, {0, 1}),
                      [&](ValueRange args) { return d.activated(Activation::Sigmoid, args[0]); });
    Value ids = choose(restrictToGroups(choices(scores)));
    return {d.as(ids, op.getIds().getType()), d.as(weigh(scores, ids), op.getWeights().getType())};
  }

private:
  /// A NaN becomes -FLT_MAX, all others are clamped to -FLT_MAX .. FLT_MAX.
  Value finite(Value x) {
    float limit = std::numeric_limits<float>::max();
    return d.each(x, d.empty(x, {0, 1}), [&](ValueRange args) -> Value {
      Value isNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, args[0], args[0]);
      Value low = d.constant(-limit), high = d.constant(limit);
      Value value = arith::MaximumFOp::create(b, loc, args[0], low);
      value = arith::MinimumFOp::create(b, loc, value, high);
      return arith::SelectOp::create(b, loc, isNan, low, value);
    });
  }

  /// result[t, i] = body(x[t, i], of[t]).
  Value withRow(Value x, Value of, Decomposer::Body body) {
    AffineMap element = d.map(2, {0, 1});
    return d.loop({x, of}, {element, d.map(2, {0}), element}, d.empty(x, {0, 1}), 0, body);
  }

  /// The sums of the rows of x, added in order: [T].
  Value sums(Value x) {
    return d.loop(
        x, {d.map(2, {0, 1}), d.map(2, {0})}, d.filled(0.0f, x, {0}), 1,
        [&](ValueRange args) -> Value { return arith::AddFOp::create(b, loc, args[1], args[0]); });
  }

  Value softmax(Value x) {
    Value largest = d.loop(x, {d.map(2, {0, 1}), d.map(2, {0})},
                           d.filled(-std::numeric_limits<float>::infinity(), x, {0}), 1,
                           [&](ValueRange args) -> Value {
                             return arith::MaximumFOp::create(b, loc, args[1], args[0]);
                           });
    Value powers = withRow(x, largest, [&](ValueRange args) -> Value {
      Value below = arith::SubFOp::create(b, loc, args[0], args[1]);
      return math::ExpOp::create(b, loc, below);
    });
    return withRow(powers, sums(powers), [&](ValueRange args) -> Value {
      return arith::DivFOp::create(b, loc, args[0], args[1]);
    });
  }

  /// What experts are chosen by: [T, E].
  Value choices(Value scores) {
    if (!op.getBias())
      return scores;
    AffineMap element = d.map(2, {0, 1});
    return finite(d.loop(
        {scores, op.getBias()}, {element, d.map(2, {1}), element}, d.empty(scores, {0, 1}), 0,
        [&](ValueRange args) -> Value { return arith::AddFOp::create(b, loc, args[0], args[1]); }));
  }

  /// A tensor of i32 with the sizes of `like`'s first dimension and `widths`, all of them 0.
  Value zeros(Value like, ArrayRef<int64_t> widths) {
    SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(b, loc, like, 0)};
    for (int64_t width : widths)
      sizes.push_back(b.getIndexAttr(width));
    Value empty = tensor::EmptyOp::create(b, loc, sizes, b.getI32Type());
    return linalg::FillOp::create(b, loc, integer(0), empty).getResult(0);
  }

  Value integer(int32_t value) {
    return arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(value));
  }

  /// For each element the number of elements along the last dimension that are larger, or equal and
  /// before it.
  Value ranks(Value x) {
    ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape();
    unsigned rank = shape.size();
    SmallVector<unsigned> own = llvm::to_vector(llvm::seq<unsigned>(0, rank)), other = own;
    other.back() = rank;
    return d.loop({x, x}, {d.map(rank + 1, own), d.map(rank + 1, other), d.map(rank + 1, own)},
                  zeros(x, shape.drop_front()), 1, [&](ValueRange args) -> Value {
                    Value larger =
                        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, args[1], args[0]);
                    Value equal =
                        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, args[1], args[0]);
                    Value earlier = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult,
                                                          d.index(rank), d.index(rank - 1));
                    Value tie = arith::AndIOp::create(b, loc, equal, earlier);
                    Value before = arith::OrIOp::create(b, loc, larger, tie);
                    Value one = arith::ExtUIOp::create(b, loc, b.getI32Type(), before);
                    return arith::AddIOp::create(b, loc, args[2], one);
                  });
  }

  Value isBelow(Value rank, int64_t limit) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rank, integer(limit));
  }

  /// `choices` [T, E], but -inf for the experts of groups that cannot be chosen.
  Value restrictToGroups(Value choices) {
    int64_t groups = op.getGroups(), size = op.getExperts() / groups;
    if (op.getGroupLimit() == op.getGroups())
      return choices;
    Value grouped = d.splitRows(choices, groups);
    int64_t counted = op.getGroupScore() == GroupScore::Top2Sum ? 2 : 1;
    AffineMap element = d.map(3, {0, 1, 2}), group = d.map(3, {0, 1});
    Value groupScores = finite(
        d.loop({grouped, ranks(grouped)}, {element, element, group},
               d.filled(0.0f, grouped, {0}, {groups}), 1, [&](ValueRange args) -> Value {
                 Value sum = arith::AddFOp::create(b, loc, args[2], args[0]);
                 return arith::SelectOp::create(b, loc, isBelow(args[1], counted), sum, args[2]);
               }));
    Value restricted =
        d.loop({grouped, ranks(groupScores)}, {element, group, element},
               d.empty(grouped, {0}, {groups, size}), 0, [&](ValueRange args) -> Value {
                 Value never = d.constant(-std::numeric_limits<float>::infinity());
                 return arith::SelectOp::create(b, loc, isBelow(args[1], op.getGroupLimit()),
                                                args[0], never);
               });
    return d.joinRows(restricted);
  }

  /// The ids of the experts with the k lowest ranks: [T, k]. The loops are (t, j, expert).
  Value choose(Value choices) {
    return d.loop({ranks(choices)}, {d.map(3, {0, 2}), d.map(3, {0, 1})},
                  zeros(choices, {op.getChosen()}), 1, [&](ValueRange args) -> Value {
                    auto asInteger = [&](int64_t dim) -> Value {
                      return arith::IndexCastOp::create(b, loc, b.getI32Type(), d.index(dim));
                    };
                    Value isTurn = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, args[0],
                                                         asInteger(1));
                    return arith::SelectOp::create(b, loc, isTurn, asInteger(2), args[1]);
                  });
  }

  /// The weights of the chosen experts: [T, k].
  Value weigh(Value scores, Value ids) {
    AffineMap element = d.map(2, {0, 1});
    Value weights = d.loop(
        ids, {element, element}, d.empty(ids, {0}, {op.getChosen()}), 0, [&](ValueRange args) {
          Value id = arith::IndexCastOp::create(b, loc, b.getIndexType(), args[0]);
          return d.element(scores, {d.index(0), id});
        });
    if (op.getScoring() == Scoring::SoftmaxChosen)
      weights = softmax(weights);
    if (op.getNormalize())
      weights = withRow(weights, sums(weights), [&](ValueRange args) -> Value {
        auto extra = static_cast<float>(op.getNormalize()->convertToDouble());
        Value divisor = arith::AddFOp::create(b, loc, args[1], d.constant(extra));
        Value zero = d.constant(0.0f);
        Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, divisor, zero);
        Value quotient = arith::DivFOp::create(b, loc, args[0], divisor);
        return arith::SelectOp::create(b, loc, isZero, zero, quotient);
      });
    auto scaling = static_cast<float>(op.getScaling().convertToDouble());
    return d.each(weights, d.empty(weights, {0, 1}), [&](ValueRange args) -> Value {
      return arith::MulFOp::create(b, loc, args[0], d.constant(scaling));
    });
  }

  Decomposer d;
  OpBuilder &b;
  Location loc;
  RouteOp op;
};
} // namespace

Values RouteOp::decomposeOperation(OpBuilder &builder) {
  return RouteBuilder(builder, *this).build();
}
