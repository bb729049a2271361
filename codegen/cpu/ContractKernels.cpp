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
  bool unpacked = bool(op.getStrip());
  Contraction contraction(e, {op.getFormat(), op.getInstruction(), op.getX(), op.getWeight(),
                              op.getStrip(), int64_t(op.getK()), parts});
  e.share(op.getSplit(), e.index(panels), [&](Value panel) {
    auto emitRows = [&](ArrayRef<Value> rows) {
      auto products = contraction.products(panel, rows, unpacked);
      for (auto [row, y] : llvm::zip(rows, products)) {
        if (op.getBias())
          y = e.add(y, e.loadLanes(op.getBias(), e.mulConst(panel, kPanelRows)));
        emitWritePanel(e, y, op.getOut(), row, panel, panels, accumulate);
      }
    };
    Value x = op.getX()[0];
    if (unpacked)
      contraction.unpack(panel);
    if (cast<MemRefType>(x.getType()).getDimSize(0) == 1)
      return emitRows(e.index(0));
    forRowTiles(e, e.index(0), e.dim(x, 0), emitRows);
  });
}

} // namespace moire::cpu
