#include "codegen/cpu/Turns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

Turns::Turns(Emitter &e, tile::SharingAttr sharing, int64_t panels)
    : e(e), sharing(sharing), panels(panels),
      whole(std::max<int64_t>(panels - sharing.getSingle(), 0) / sharing.getPanels()) {}

std::pair<Value, Value> Turns::panelsOf(Value turn) {
  int64_t together = sharing.getPanels();
  Value isWhole =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, turn, e.index(whole));
  auto select = [&](Value yes, Value no) -> Value {
    return arith::SelectOp::create(e.b, e.loc, isWhole, yes, no);
  };
  Value from = select(e.mulConst(turn, together), e.addConst(turn, whole * (together - 1)));
  return {from, e.add(from, select(e.index(together), e.index(1)))};
}

void sharePanels(Emitter &e, tile::Split split, Value turns, tile::SharingAttr sharing,
                 int64_t panels, llvm::function_ref<void(Value, Value)> body) {
  if (!turns) {
    auto [from, to] = e.shareOf(split, e.index(panels));
    return body(from, to);
  }
  Turns shared(e, sharing, panels);
  e.takeTurns(turns, e.index(shared.count()), [&](Value turn) {
    auto [from, to] = shared.panelsOf(turn);
    body(from, to);
  });
}

} // namespace moire::cpu
