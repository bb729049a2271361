#include "codegen/cpu/Turns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

PanelShares::PanelShares(Emitter &e, tile::Split split, Value turns, tile::SharingAttr sharing,
                         int64_t panels, int64_t unit)
    : e(e), split(split), turns(turns), panels(panels), unit(unit),
      all(llvm::divideCeil(panels, unit)), equal(all) {
  if (!turns)
    return;
  equal = std::min<int64_t>(llvm::divideCeil(sharing.getEqual(), unit), all);
  if (equal == all)
    this->turns = {};
  together = llvm::divideCeil(sharing.getPanels(), unit);
  int64_t single = llvm::divideCeil(sharing.getSingle(), unit);
  whole = std::max<int64_t>(all - equal - single, 0) / together;
  last = whole + all - equal - whole * together;
  other = llvm::divideCeil(all - equal, together);
}

void PanelShares::each(int64_t count, Body body) {
  if (unit == 1)
    return eachInUnits(count, body);
  eachInUnits(count, [&](Value i, Value from, Value to) {
    body(i, e.mulConst(from, unit), e.min(e.mulConst(to, unit), e.index(panels)));
  });
}

void PanelShares::eachInUnits(int64_t count, Body body) {
  auto equalShare = [&](Value i) {
    if (split == tile::Split::Whole)
      return std::pair(e.index(0), e.index(equal));
    return e.shareOf(e.rem(e.add(e.thread(), i), e.team()), e.index(equal));
  };
  // The equal share of a single matrix is done as if it were the first turn: the code for a turn,
  // which is long, is there once.
  bool asTurn = turns && equal && count == 1;
  if (equal && !asTurn)
    e.loop(e.index(0), e.index(count), 1, [&](Value i) {
      auto [from, to] = equalShare(i);
      body(i, from, to);
    });
  if (!turns)
    return;
  Value numberOfTurns = e.index((count - 1) * other + last);
  auto next = [&] { return e.addConst(e.nextTurn(turns, numberOfTurns), asTurn); };
  e.whileBelow(asTurn ? e.index(0) : next(), e.addConst(numberOfTurns, asTurn), [&](Value number) {
    Value turn = asTurn ? e.sub(number, e.index(1)) : number;
    auto [matrix, from, to] = turnOf(turn, count);
    if (asTurn) {
      Value zero = e.index(0);
      Value isShare = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, number, zero);
      auto [shareFrom, shareTo] = equalShare(zero);
      from = arith::SelectOp::create(e.b, e.loc, isShare, shareFrom, from);
      to = arith::SelectOp::create(e.b, e.loc, isShare, shareTo, to);
    }
    body(matrix, from, to);
    return next();
  });
}

PanelShares::Turn PanelShares::turnOf(Value turn, int64_t count) {
  if (count == 1) {
    auto [from, to] = ofLast(turn);
    return {e.index(0), from, to};
  }
  Value matrix = e.min(e.div(turn, e.index(other)), e.index(count - 1));
  turn = e.sub(turn, e.mulConst(matrix, other));
  auto [from, to] = ofOther(turn);
  auto [lastFrom, lastTo] = ofLast(turn);
  Value isLast =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, matrix, e.index(count - 1));
  return {matrix, arith::SelectOp::create(e.b, e.loc, isLast, lastFrom, from),
          arith::SelectOp::create(e.b, e.loc, isLast, lastTo, to)};
}

std::pair<Value, Value> PanelShares::ofOther(Value turn) {
  Value from = e.addConst(e.mulConst(turn, together), equal);
  return {from, e.min(e.addConst(from, together), e.index(all))};
}

std::pair<Value, Value> PanelShares::ofLast(Value turn) {
  Value isWhole =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, turn, e.index(whole));
  auto select = [&](Value yes, Value no) -> Value {
    return arith::SelectOp::create(e.b, e.loc, isWhole, yes, no);
  };
  Value from = select(e.mulConst(turn, together), e.addConst(turn, whole * (together - 1)));
  from = e.addConst(from, equal);
  return {from, e.add(from, select(e.index(together), e.index(1)))};
}

} // namespace moire::cpu
