// Routing: which experts each token goes to, and the assignments sorted by expert.

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <cfloat>

using namespace mlir;

namespace moire::cpu {
namespace {

Value select(Emitter &e, Value condition, Value a, Value c) {
  return arith::SelectOp::create(e.b, e.loc, condition, a, c);
}

Value compare(Emitter &e, arith::CmpFPredicate predicate, Value a, Value c) {
  return arith::CmpFOp::create(e.b, e.loc, predicate, a, c);
}

Value minusInfinity(Emitter &e, Type type) { return e.constant(type, -INFINITY); }

// Scores that are not finite would make others NaN: a NaN becomes the lowest number.
Value finite(Emitter &e, Value v) {
  Value lowest = e.constant(v.getType(), -FLT_MAX), highest = e.constant(v.getType(), FLT_MAX);
  v = select(e, compare(e, arith::CmpFPredicate::OGE, v, lowest), v, lowest);
  return select(e, compare(e, arith::CmpFPredicate::OLE, v, highest), v, highest);
}

class Router {
public:
  Router(Emitter &e, tile::RouteOp op)
      : e(e), op(op), scratch(op.getScratch()), experts(op.getLogits().getType().getDimSize(1)),
        choices(op.getIds().getType().getDimSize(1)) {}

  void emit() {
    e.share(op.getSplit(), e.dim(op.getLogits(), 0), [&](Value row) {
      score(row);
      if (op.getGroups())
        limitGroups();
      e.loop(e.index(0), e.index(choices), 1, [&](Value j) { choose(row, j); });
      weigh(row);
    });
  }

private:
  // Rows of the scratch.
  Value scores() { return e.index(0); }
  Value remaining() { return e.index(1); }
  Value groupScores() { return e.index(2); }

  // `v` in the first `lanes` lanes, `other` in the rest.
  Value firstLanes(Value v, int64_t lanes, Value other) {
    if (lanes == kLanes)
      return v;
    SmallVector<bool> bits(kLanes);
    for (int64_t i = 0; i < lanes; ++i)
      bits[i] = true;
    auto type = e.vec(kLanes, e.b.getI1Type());
    Value mask = arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(type, bits));
    return select(e, mask, v, other);
  }

  void score(Value row) {
    Value lowest = e.constant(e.f32x16(), -FLT_MAX), zero = e.constant(e.f32x16(), 0);
    auto logits = [&](Value column, int64_t lanes) {
      return finite(e, e.loadLanes(op.getLogits(), {row, column}, lanes));
    };
    Value total;
    if (op.getScoring() == tile::Scoring::Softmax) {
      Value largest = e.foldChunks(experts, lowest, [&](Value column, int64_t lanes, Value so_far) {
        return e.max(firstLanes(logits(column, lanes), lanes, lowest), so_far);
      });
      largest = e.splat(e.maxLanes(largest));
      total = e.foldChunks(experts, zero, [&](Value column, int64_t lanes, Value sum) {
        Value power = emitExp(e, e.sub(logits(column, lanes), largest));
        e.storeLanes(power, scratch, {scores(), column});
        return e.add(sum, firstLanes(power, lanes, zero));
      });
      total = e.splat(e.sumLanes(total));
    }
    e.chunks(experts, [&](Value column, int64_t lanes) {
      Value s;
      if (op.getScoring() == tile::Scoring::Softmax)
        s = e.div(e.loadLanes(scratch, {scores(), column}), total);
      else if (op.getScoring() == tile::Scoring::Sigmoid)
        s = emitSigmoid(e, logits(column, lanes));
      else
        s = logits(column, lanes);
      e.storeLanes(s, scratch, {scores(), column});
      if (op.getBias())
        s = finite(e, e.add(s, e.loadLanes(op.getBias(), column, lanes)));
      e.storeLanes(firstLanes(s, lanes, minusInfinity(e, e.f32x16())), scratch,
                   {remaining(), column});
    });
  }

  // Takes away the experts of the worst groups, of equal ones those with the higher number.
  void limitGroups() {
    int64_t groups = *op.getGroups(), inGroup = experts / groups;
    Value none = minusInfinity(e, e.f32());
    e.loop(e.index(0), e.index(groups), 1, [&](Value group) {
      Value first = e.mulConst(group, inGroup);
      auto best =
          e.fold(first, e.addConst(first, inGroup), 1, ValueRange{none, none},
                 [&](Value expert, ValueRange two) {
                   Value v = e.load(scratch, {remaining(), expert});
                   Value larger = compare(e, arith::CmpFPredicate::OGT, v, two[0]);
                   Value loser = select(e, larger, two[0], v);
                   return SmallVector<Value>{select(e, larger, v, two[0]), e.max(loser, two[1])};
                 });
      Value of = *op.getGroupScore() == tile::GroupScore::Max ? best[0] : e.add(best[0], best[1]);
      e.store(finite(e, of), scratch, {groupScores(), group});
    });
    e.loop(e.index(0), e.index(groups - *op.getGroupLimit()), 1, [&](Value) {
      auto worst = e.fold(e.index(0), e.index(groups), 1,
                          ValueRange{e.constant(e.f32(), FLT_MAX), e.index(0)},
                          [&](Value group, ValueRange so_far) {
                            Value v = e.load(scratch, {groupScores(), group});
                            Value worse = compare(e, arith::CmpFPredicate::OLE, v, so_far[0]);
                            return SmallVector<Value>{select(e, worse, v, so_far[0]),
                                                      select(e, worse, group, so_far[1])};
                          });
      // Above all scores: it is not found again.
      e.store(e.constant(e.f32(), INFINITY), scratch, {groupScores(), worst[1]});
      Value first = e.mulConst(worst[1], inGroup);
      e.loop(first, e.addConst(first, inGroup), 1,
             [&](Value expert) { e.store(none, scratch, {remaining(), expert}); });
    });
  }

  // The best that remains becomes the choice number j; of equal ones that with the lowest id, since
  // in a lane the earlier stays, and of lanes that hold the best the lowest id is taken.
  void choose(Value row, Value j) {
    Type i32 = e.b.getI32Type();
    VectorType i32x16 = e.vec(kLanes, i32);
    SmallVector<int32_t> counted(kLanes);
    for (int32_t i = 0; i < kLanes; ++i)
      counted[i] = i;
    Value lanes = arith::ConstantOp::create(
        e.b, e.loc, DenseElementsAttr::get(i32x16, ArrayRef<int32_t>(counted)));
    int64_t padded = scratch.getType().getDimSize(1);
    Value none = minusInfinity(e, e.f32x16());
    auto best = e.fold(e.index(0), e.index(padded), kLanes, ValueRange{none, lanes},
                       [&](Value column, ValueRange so_far) {
                         Value v = e.loadLanes(scratch, {remaining(), column});
                         Value first = arith::IndexCastOp::create(e.b, e.loc, i32, column);
                         Value id = e.add(lanes, e.splat(first, i32x16));
                         Value better = compare(e, arith::CmpFPredicate::OGT, v, so_far[0]);
                         return SmallVector<Value>{select(e, better, v, so_far[0]),
                                                   select(e, better, id, so_far[1])};
                       });
    Value isBest = compare(e, arith::CmpFPredicate::OEQ, best[0], e.splat(e.maxLanes(best[0])));
    Value ids = select(e, isBest, best[1], e.constant(i32x16, INT32_MAX));
    Value id = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MINSI, ids);
    e.store(id, op.getIds(), {row, j});
    Value at = e.toIndex(id);
    e.store(e.load(scratch, {scores(), at}), op.getWeights(), {row, j});
    e.store(minusInfinity(e, e.f32()), scratch, {remaining(), at});
  }

  // The scores of the chosen become weights.
  void weigh(Value row) {
    Value weights = op.getWeights();
    Value zero = e.index(0), end = e.index(choices);
    auto fold = [&](Value init, llvm::function_ref<Value(Value, Value)> f) {
      return e.fold(zero, end, 1, init, [&](Value j, ValueRange acc) {
        return SmallVector<Value>{f(acc[0], e.load(weights, {row, j}))};
      })[0];
    };
    auto each = [&](llvm::function_ref<Value(Value)> f) {
      e.loop(zero, end, 1,
             [&](Value j) { e.store(f(e.load(weights, {row, j})), weights, {row, j}); });
    };
    auto sum = [&] {
      return fold(e.constant(e.f32(), 0), [&](Value a, Value w) { return e.add(a, w); });
    };
    if (op.getScoring() == tile::Scoring::SoftmaxChosen) {
      Value largest =
          fold(minusInfinity(e, e.f32()), [&](Value a, Value w) { return e.max(w, a); });
      each([&](Value w) { return emitExp(e, e.sub(w, largest)); });
      Value total = sum();
      each([&](Value w) { return e.div(w, total); });
    }
    if (auto eps = op.getNormalize()) {
      // Where nothing is left to divide by, nothing has a weight.
      Value total = e.add(sum(), e.constant(e.f32(), eps->convertToDouble()));
      Value zero = e.constant(e.f32(), 0);
      Value isZero = compare(e, arith::CmpFPredicate::OEQ, total, zero);
      each([&](Value w) { return select(e, isZero, zero, e.div(w, total)); });
    }
    if (auto scaling = op.getScaling())
      each([&](Value w) { return e.mul(w, e.constant(e.f32(), scaling->convertToDouble())); });
  }

  Emitter &e;
  tile::RouteOp op;
  TypedValue<MemRefType> scratch;
  int64_t experts, choices;
};

} // namespace

void expandRoute(Emitter &e, tile::RouteOp op) { Router(e, op).emit(); }

// Where an expert with `count` assignments begins, behind place `before`. What is left out in front
// of it is marked.
static Value emitBeginFour(Emitter &e, tile::DispatchOp op, Value before, Value count) {
  Type i32 = before.getType();
  Value four =
      arith::AndIOp::create(e.b, e.loc, e.add(before, e.constant(i32, 3)), e.constant(i32, -4));
  Value isMore = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ugt, count,
                                       e.constant(i32, *op.getFours()));
  Value begin = arith::SelectOp::create(e.b, e.loc, isMore, four, before);
  e.loop(e.toIndex(before), e.toIndex(begin), 1,
         [&](Value place) { e.store(e.constant(i32, -1), op.getOrder(), place); });
  return begin;
}

// What was left out repeats what is in front of it, and belongs to the last expert that has any
// assignments: those without begin behind it.
static void emitRepeatLast(Emitter &e, tile::DispatchOp op, int64_t experts) {
  Value order = op.getOrder(), offsets = op.getOffsets();
  Value zero = e.index(0), three = e.index(3), one = e.constant(e.b.getI32Type(), 1);
  auto ifLeftOut = [&](Value place, llvm::function_ref<void()> body) {
    Value isLeft = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt,
                                         e.load(order, place), e.constant(one.getType(), 0));
    e.branch(isLeft, body);
  };
  Value last = e.addConst(e.toIndex(e.load(offsets, {zero, e.index(experts)})), -1);
  auto forExperts = [&](llvm::function_ref<void(Value)> body) {
    e.loop(e.index(1), e.index(experts), 1, body);
  };
  forExperts([&](Value expert) {
    e.loop(zero, three, 1, [&](Value) {
      Value begin = e.load(offsets, {zero, expert});
      ifLeftOut(e.min(e.toIndex(begin), last),
                [&] { e.store(e.add(begin, one), offsets, {zero, expert}); });
    });
  });
  forExperts([&](Value expert) {
    Value begin = e.toIndex(e.load(offsets, {zero, expert}));
    e.loop(e.sub(begin, e.min(begin, three)), begin, 1, [&](Value place) {
      ifLeftOut(place, [&] { e.store(e.load(order, e.addConst(place, -1)), order, place); });
    });
  });
}

void expandDispatch(Emitter &e, tile::DispatchOp op) {
  Value ids = op.getIds(), order = op.getOrder(), offsets = op.getOffsets();
  Type i32 = e.b.getI32Type();
  int64_t choices = op.getIds().getType().getDimSize(1);
  int64_t experts = op.getOffsets().getType().getDimSize(1) - 1;
  Value zero = e.index(0), rows = e.dim(ids, 0), one = e.constant(i32, 1);
  auto forAssignments = [&](llvm::function_ref<void(Value, Value)> body) {
    e.loop(zero, rows, 1, [&](Value row) {
      e.loop(zero, e.index(choices), 1, [&](Value j) {
        Value assignment = e.add(e.mulConst(row, choices), j);
        body(assignment, e.toIndex(e.load(ids, {row, j})));
      });
    });
  };
  Value isFirst =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, e.thread(), e.index(0));
  e.branch(isFirst, [&] {
    e.loop(zero, e.index(experts + 1), 1,
           [&](Value i) { e.store(e.constant(i32, 0), offsets, {zero, i}); });
    // How many each has, then where each ends; from there on down the last comes first.
    forAssignments([&](Value, Value expert) {
      e.store(e.add(e.load(offsets, {zero, expert}), one), offsets, {zero, expert});
    });
    e.fold(zero, e.index(experts + 1), 1, e.constant(i32, 0), [&](Value i, ValueRange before) {
      Value count = e.load(offsets, {zero, i});
      Value begin = op.getFours() ? emitBeginFour(e, op, before[0], count) : before[0];
      Value end = e.add(begin, count);
      e.store(end, offsets, {zero, i});
      return SmallVector<Value>{end};
    });
    Value count = e.mulConst(rows, choices), last = e.addConst(count, -1);
    e.loop(zero, count, 1, [&](Value i) {
      Value number = e.sub(last, i);
      Value expert = e.toIndex(
          e.load(ids, {e.div(number, e.index(choices)), e.rem(number, e.index(choices))}));
      Value place = e.sub(e.load(offsets, {zero, expert}), one);
      e.store(arith::IndexCastOp::create(e.b, e.loc, i32, number), order, e.toIndex(place));
      e.store(place, offsets, {zero, expert});
    });
    if (op.getFours())
      emitRepeatLast(e, op, experts);
  });
}

} // namespace moire::cpu
