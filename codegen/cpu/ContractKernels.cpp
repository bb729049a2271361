// The kernel of plain products: panels are shared out over the team, and each thread multiplies its
// panels with all rows. The order of accumulation is Contraction.h's.

#include "codegen/cpu/Contraction.h"
#include "codegen/cpu/Kernels.h"

using namespace mlir;

namespace moire::cpu {

void expandContract(Emitter &e, tile::ContractOp op) {
  int64_t parts = op.getEpilogue() == tile::Epilogue::GateSilu ? 2 : 1;
  int64_t panels = panelCount(op.getWidth());
  bool accumulate = op.getEpilogue() == tile::Epilogue::Accumulate;
  Contraction contraction(e, {op.getFormat(), op.getInstruction(), op.getX(), op.getWeight(),
                              op.getStrip(), op.getBlockingAttr(), int64_t(op.getK()), parts});
  e.share(op.getSplit(), e.index(panels), [&](Value panel) {
    auto write = [&](Value row, Value y) {
      if (op.getBias())
        y = e.add(y, e.loadLanes(op.getBias(), e.mulConst(panel, kPanelRows)));
      emitWritePanel(e, y, op.getOut(), row, panel, panels, accumulate);
    };
    Value rows = e.dim(op.getX()[0], 0);
    if (op.getBlocking())
      return contraction.manyRows(panel, e.index(0), rows, [](Value row) { return row; }, write);
    e.loop(e.index(0), rows, 1,
           [&](Value row) { write(row, contraction.products(panel, row)[0]); });
  });
}

} // namespace moire::cpu
