// -moe-choose-activations: see passes/Passes.td.

#include "passes/Passes.h"

#include "dialects/moe/Moe.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::moe {

#define GEN_PASS_DEF_CHOOSEACTIVATIONS
#include "passes/Passes.h.inc"

/// The operand that holds the rows of a product, and the product's weight.
struct ProductOperands {
  OpOperand *x = nullptr;
  Value weight;
};

/// The operands of a product; x is null for any other op.
static ProductOperands getProductOperands(Operation *op) {
  return TypeSwitch<Operation *, ProductOperands>(op)
      .Case<LinearOp, GatedLinearOp>(
          [](auto product) { return ProductOperands{&product.getXMutable(), product.getWeight()}; })
      .Default([](Operation *) { return ProductOperands(); });
}

/// Why the rows of a product stay f32, or an empty string when they become int8.
static StringRef whyNotInt8(const ProductOperands &product) {
  auto type = cast<RankedTensorType>(product.x->get().getType());
  if (type.getEncoding())
    return "the rows have a format already";
  if (!BlockAttr::of(product.weight.getType()))
    return "the weight is not stored in blocks";
  if (type.getDimSize(1) % BlockAttr::kBlock != 0)
    return "the rows are no whole number of blocks";
  return "";
}

namespace {
struct ChooseActivations : impl::ChooseActivationsBase<ChooseActivations> {
  using ChooseActivationsBase::ChooseActivationsBase;

  void runOnOperation() override {
    if (format == "f32")
      return;
    if (format != "int8") {
      getOperation().emitError("activations cannot be stored as '")
          << format << "'; there are int8 and f32";
      return signalPassFailure();
    }

    // All users of a value in a block share one rounding, which stands before the first of them.
    llvm::MapVector<std::pair<Block *, Value>, SmallVector<OpOperand *>> users;
    auto opts = remark::RemarkOpts::name("ChooseActivations").category("quantization");
    getOperation().walk([&](Operation *op) {
      ProductOperands product = getProductOperands(op);
      if (!product.x)
        return;
      StringRef reason = whyNotInt8(product);
      if (reason.empty())
        users[{op->getBlock(), product.x->get()}].push_back(product.x);
      else
        remark::missed(op->getLoc(), opts) << reason;
    });

    auto int8 = BlockAttr::get(&getContext(), BlockFormat::Int8);
    for (auto &[key, operands] : users) {
      Value x = key.second;
      auto type = cast<RankedTensorType>(x.getType());
      OpBuilder builder(operands.front()->getOwner());
      Value rounded = QuantizeRowsOp::create(builder, x.getLoc(), type.cloneWithEncoding(int8), x);
      for (OpOperand *operand : operands)
        operand->set(rounded);
    }
  }
};
} // namespace

} // namespace mlir::moe
