#include "codegen/cpu/Turns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

PanelShares::PanelShares(Emitter &e, tile::Split split, Value turns, tile::SharingAttr sharing,
                         int64_t panels)
    : e(e), split(split), turns(turns), sharing(sharing), panels(panels), equal(panels), whole(0) {
  if (!turns)
    return;
  equal = std::min(sharing.getEqual(), panels);
  if (equal == panels)
    this->turns = {};
  whole = std::max<int64_t>(panels - equal - sharing.getSingle(), 0) / sharing.getPanels();
}

void PanelShares::each(int64_t count, Body body) {
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
  Value each = e.index(turnCount()), all = e.index(count * turnCount());
  auto next = [&] { return e.addConst(e.nextTurn(turns, all), asTurn); };
  e.whileBelow(asTurn ? e.index(0) : next(), e.addConst(all, asTurn), [&](Value number) {
    Value turn = number, zero = e.index(0);
    if (asTurn)
      turn = e.sub(number, e.index(1));
    auto [from, to] = panelsOf(e.rem(turn, each));
    if (asTurn) {
      Value isShare = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, number, zero);
      auto [shareFrom, shareTo] = equalShare(zero);
      from = arith::SelectOp::create(e.b, e.loc, isShare, shareFrom, from);
      to = arith::SelectOp::create(e.b, e.loc, isShare, shareTo, to);
    }
    body(asTurn ? zero : e.div(turn, each), from, to);
    return next();
  });
}

int64_t PanelShares::turnCount() const {
  return whole + panels - equal - whole * sharing.getPanels();
}

std::pair<Value, Value> PanelShares::panelsOf(Value turn) {
  int64_t together = sharing.getPanels();
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
