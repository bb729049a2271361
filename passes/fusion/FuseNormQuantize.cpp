// -moe-fuse-norm-quantize: see passes/Passes.td.

#include "passes/Passes.h"

#include "dialects/moe/Moe.h"
#include "dialects/moe/Remarks.h"
#include "mlir/IR/Builders.h"

namespace mlir::moe {

#define GEN_PASS_DEF_FUSENORMQUANTIZE
#include "passes/Passes.h.inc"

namespace {
struct FuseNormQuantize : impl::FuseNormQuantizeBase<FuseNormQuantize> {
  void runOnOperation() override {
    SmallVector<QuantizeRowsOp> roundings;
    getOperation().walk([&](QuantizeRowsOp op) { roundings.push_back(op); });
    for (QuantizeRowsOp rounding : roundings) {
      auto opts = remarkAbout(rounding, "FuseNormQuantize", "fusion");
      std::string names = weightNamesOfReaders(rounding);
      auto norm = rounding.getX().getDefiningOp<RmsNormOp>();
      if (!norm) {
        remark::missed(rounding.getLoc(), opts)
            << "the rounding stays a kernel of its own: the rows do not come from a norm"
            << aboutWeights(names);
        continue;
      }
      remark::passed(rounding.getLoc(), opts)
          << (norm->hasOneUse() ? "the norm rounds its rows now"
                                : "a second norm rounds its rows now")
          << aboutWeights(names);
      OpBuilder builder(norm);
      auto fused =
          RmsNormOp::create(builder, builder.getFusedLoc({norm.getLoc(), rounding.getLoc()}),
                            rounding.getType(), norm.getX(), norm.getGain(), norm.getEpsAttr());
      rounding.getResult().replaceAllUsesWith(fused);
      rounding.erase();
      if (norm.use_empty())
        norm.erase();
    }
  }
};
} // namespace

} // namespace mlir::moe
