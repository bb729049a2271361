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
  whole = std::max<int64_t>(panels - equal - sharing.getSingle(), 0) / sharing.getPanels();
}

void PanelShares::each(int64_t count, Body body) {
  if (equal)
    e.loop(e.index(0), e.index(count), 1, [&](Value i) {
      Value from = e.index(0), to = e.index(equal);
      if (split != tile::Split::Whole)
        std::tie(from, to) = e.shareOf(e.rem(e.add(e.thread(), i), e.team()), to);
      body(i, from, to);
    });
  if (!turns)
    return;
  Value each = e.index(turnCount());
  e.takeTurns(turns, e.index(count * turnCount()), [&](Value turn) {
    auto [from, to] = panelsOf(e.rem(turn, each));
    body(e.div(turn, each), from, to);
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
