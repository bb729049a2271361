// The kernel of plain products: the team shares the panels, and each thread multiplies its panels
// with all rows. The order of accumulation is Contraction.h's.

#include "codegen/cpu/Contraction.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Turns.h"

using namespace mlir;

namespace moire::cpu {

void expandContract(Emitter &e, tile::ContractOp op) {
  int64_t parts = op.getEpilogue() == tile::Epilogue::GateSilu ? 2 : 1;
  int64_t panels = panelCount(op.getWidth());
  bool accumulate = op.getEpilogue() == tile::Epilogue::Accumulate;
  Contraction contraction(e, {op.getFormat(), op.getInstruction(), op.getX(), op.getWeight(),
                              op.getStrip(), op.getBlockingAttr(), op.getSharingAttr(),
                              int64_t(op.getK()), parts, /*origin=*/{}, op.getFours()});
  auto write = [&](Value row, Value panel, Value y) {
    if (op.getBias())
      y = e.add(y, e.loadLanes(op.getBias(), e.mulConst(panel, kPanelRows)));
    emitWritePanel(e, y, op.getOut(), row, panel, panels, accumulate);
  };
  Value none = e.index(0), rows = e.dim(op.getX()[0], 0);
  auto multiply = [&](Value, Value from, Value to) {
    if (op.getBlocking())
      return contraction.manyRows(from, to, none, rows, [](Value row) { return row; }, write);
    e.loop(none, rows, 1, [&](Value row) {
      contraction.fewRows(from, to, RowPlace{row},
                          [&](size_t, Value panel, Value y) { write(row, panel, y); });
    });
  };
  PanelShares(e, op.getSplit(), op.getTurns(), op.getSharingAttr(), panels,
              contraction.panelsOfTile())
      .each(1, multiply);
}

} // namespace moire::cpu
