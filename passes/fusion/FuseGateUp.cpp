// -moe-fuse-gate-up: see passes/Passes.td.

#include "passes/Passes.h"
#include "passes/fusion/ConcatWeights.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

namespace mlir::moe {

#define GEN_PASS_DEF_FUSEGATEUP
#include "passes/Passes.h.inc"

/// Why the gate cannot be computed with its products, or an empty string when it can.
static StringRef whyNotFuse(const SymbolTable &symbols, GateOp gate) {
  auto gateProduct = gate.getGate().getDefiningOp<LinearOp>();
  auto upProduct = gate.getUp().getDefiningOp<LinearOp>();
  if (!gateProduct || !upProduct)
    return "the gate and the value are not both products";
  if (gateProduct.getBias() || upProduct.getBias())
    return "a product has a bias";
  if (!gateProduct->hasOneUse() || !upProduct->hasOneUse())
    return "a product has other users";
  if (gateProduct.getX() != upProduct.getX())
    return "the products read different rows";
  return whyNotConcat(symbols, {gateProduct.getWeight(), upProduct.getWeight()});
}

/// Replaces a gate, which whyNotFuse allows, and its two products by one op.
static void fuse(GateOp gate, SymbolTable &symbols) {
  auto gateProduct = gate.getGate().getDefiningOp<LinearOp>();
  auto upProduct = gate.getUp().getDefiningOp<LinearOp>();
  SmallVector<Value> weights = {gateProduct.getWeight(), upProduct.getWeight()};

  OpBuilder builder(gate);
  Location loc = builder.getFusedLoc({gateProduct.getLoc(), upProduct.getLoc(), gate.getLoc()});
  Value weight = readConcat(builder, symbols, weights);
  auto fused = GatedLinearOp::create(builder, loc, gate.getType(), gate.getActivation(),
                                     gateProduct.getX(), weight);
  gate.getResult().replaceAllUsesWith(fused);
  gate.erase();
  gateProduct.erase();
  upProduct.erase();
  eraseUnusedReads(weights);
}

namespace {
struct FuseGateUp : impl::FuseGateUpBase<FuseGateUp> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    auto opts = remark::RemarkOpts::name("FuseGateUp").category("fusion");
    SmallVector<GateOp> gates;
    getOperation().walk([&](GateOp op) { gates.push_back(op); });
    for (GateOp gate : gates) {
      StringRef reason = whyNotFuse(symbols, gate);
      if (!reason.empty()) {
        remark::missed(gate.getLoc(), opts) << reason;
        continue;
      }
      remark::passed(gate.getLoc(), opts) << "the gate and its products are one now";
      fuse(gate, symbols);
    }
  }
};
} // namespace

} // namespace mlir::moe
