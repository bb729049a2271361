// -moe-fuse-gate-up: see passes/Passes.td.

#include "passes/Passes.h"
#include "passes/fusion/ConcatWeights.h"

#include "dialects/moe/Remarks.h"
#include "mlir/IR/Builders.h"

namespace mlir::moe {

#define GEN_PASS_DEF_FUSEGATEUP
#include "passes/Passes.h.inc"

/// Why the gate cannot be computed with its products, or an empty string when it can.
static StringRef whyNotFuse(const SymbolTable &symbols, GateOp gate) {
  auto gateProduct = gate.getGate().getDefiningOp<LinearOp>();
  auto upProduct = gate.getUp().getDefiningOp<LinearOp>();
  if (!gateProduct || !upProduct)
    return "the gate and the value are not both products";
  if (gate.getGate().getType() != gate.getUp().getType())
    return "the gate is the same for a whole row";
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

/// Why the gates and ups of experts cannot be one weight, or an empty string when they can.
static StringRef whyNotFuse(const SymbolTable &symbols, ExpertsOp experts) {
  if (!experts.getGate())
    return "the experts have no gate";
  return whyNotConcat(symbols, {experts.getGate(), experts.getUp()});
}

/// Makes one weight of the gates and ups of experts, which whyNotFuse allows.
static void fuse(ExpertsOp experts, SymbolTable &symbols) {
  SmallVector<Value> weights = {experts.getGate(), experts.getUp()};
  OpBuilder builder(experts);
  experts.getUpMutable().assign(readConcat(builder, symbols, weights));
  experts.getGateMutable().clear();
  experts.setGated(true);
  eraseUnusedReads(weights);
}

/// The weights that a remark about the fusion names.
static std::string namesOf(GateOp gate) {
  SmallVector<Value> weights;
  for (Value rows : {gate.getGate(), gate.getUp()})
    if (auto product = rows.getDefiningOp<LinearOp>())
      weights.push_back(product.getWeight());
  return weightNames(weights);
}
static std::string namesOf(ExpertsOp experts) {
  return weightNames({experts.getGate(), experts.getUp()});
}

namespace {
struct FuseGateUp : impl::FuseGateUpBase<FuseGateUp> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<GateOp> gates;
    SmallVector<ExpertsOp> experts;
    getOperation().walk([&](Operation *op) {
      if (auto gate = dyn_cast<GateOp>(op))
        gates.push_back(gate);
      else if (auto ffn = dyn_cast<ExpertsOp>(op); ffn && !ffn.getGated())
        experts.push_back(ffn);
    });
    fuseEach<GateOp>(gates, symbols, "the gate and its products are one now");
    fuseEach<ExpertsOp>(experts, symbols, "the gates and ups of the experts are one weight now");
  }

  template <typename OpTy> void fuseEach(ArrayRef<OpTy> ops, SymbolTable &symbols, StringRef done) {
    for (OpTy op : ops) {
      auto opts = remarkAbout(op, "FuseGateUp", "fusion");
      std::string names = namesOf(op);
      StringRef reason = whyNotFuse(symbols, op);
      if (!reason.empty()) {
        remark::missed(op.getLoc(), opts)
            << ("gate and up stay apart: " + reason).str() << aboutWeights(names);
        continue;
      }
      remark::passed(op.getLoc(), opts) << done << aboutWeights(names);
      fuse(op, symbols);
    }
  }
};
} // namespace

} // namespace mlir::moe
