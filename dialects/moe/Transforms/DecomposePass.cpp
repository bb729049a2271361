// moe-decompose: each operation becomes its specification.

#include "dialects/moe/Moe.h"
#include "dialects/moe/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::moe {
#define GEN_PASS_DEF_DECOMPOSEPASS
#include "dialects/moe/Transforms/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// Drops the encodings of all types below `module`, and the casts between types that now are equal.
static void dropEncodings(ModuleOp module) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](RankedTensorType type) -> std::optional<Type> {
    if (!isa_and_nonnull<BlockAttr, RowsAttr>(type.getEncoding()) && !Int8RowsAttr::encodes(type))
      return std::nullopt;
    return RankedTensorType::get(type.getShape(), type.getElementType());
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);

  IRRewriter rewriter(module.getContext());
  module.walk([&](tensor::CastOp cast) {
    if (cast.getType() == cast.getSource().getType())
      rewriter.replaceOp(cast, cast.getSource());
  });
}

namespace {
struct DecomposePass : public mlir::moe::impl::DecomposePassBase<DecomposePass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    WalkResult result = getOperation().walk([&](Operation *op) {
      if (isa<TapOp, TapRouteOp>(op)) {
        op->emitOpError() << "has no decomposition; compile without taps";
        return WalkResult::interrupt();
      }
      auto aggregated = dyn_cast<linalg::AggregatedOpInterface>(op);
      if (!aggregated || !isa_and_nonnull<MoeDialect>(op->getDialect()))
        return WalkResult::advance();
      rewriter.setInsertionPoint(op);
      FailureOr<SmallVector<Value>> values = aggregated.decomposeOperation(rewriter);
      if (failed(values)) {
        op->emitOpError() << "could not be decomposed";
        return WalkResult::interrupt();
      }
      rewriter.replaceOp(op, *values);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    dropEncodings(getOperation());
  }
};
} // namespace
