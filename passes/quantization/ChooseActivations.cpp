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

/// The operand that holds the rows of a product, and the weights that they are multiplied with.
struct ProductOperands {
  OpOperand *x = nullptr;
  SmallVector<Value, 2> weights;
};

/// The operands of a product; x is null for any other op.
static ProductOperands getProductOperands(Operation *op) {
  return TypeSwitch<Operation *, ProductOperands>(op)
      .Case<LinearOp, GatedLinearOp>([](auto product) {
        return ProductOperands{&product.getXMutable(), {product.getWeight()}};
      })
      .Case([](ExpertsOp experts) {
        ProductOperands product{&experts.getXMutable(), {experts.getUp()}};
        if (experts.getGate())
          product.weights.push_back(experts.getGate());
        return product;
      })
      .Default([](Operation *) { return ProductOperands(); });
}

/// Why rows of that width stay f32, or an empty string when they become int8.
static StringRef whyNotInt8(int64_t width, ValueRange weights) {
  if (!llvm::all_of(weights.getTypes(), BlockAttr::of))
    return "the weight is not stored in blocks";
  if (width % BlockAttr::kBlock != 0)
    return "the rows are no whole number of blocks";
  return "";
}

static StringRef whyNotInt8(const ProductOperands &product) {
  auto type = cast<RankedTensorType>(product.x->get().getType());
  if (type.getEncoding())
    return "the rows have a format already";
  return whyNotInt8(type.getDimSize(1), product.weights);
}

/// The same for the rows between the products of experts.
static StringRef whyNotInt8Hidden(ExpertsOp experts) {
  if (experts.getHidden())
    return "the rows have a format already";
  return whyNotInt8(experts.getHiddenWidth(), experts.getDown());
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

    auto int8 = BlockAttr::get(&getContext(), BlockFormat::Int8);
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
    getOperation().walk([&](ExpertsOp experts) {
      StringRef reason = whyNotInt8Hidden(experts);
      if (reason.empty())
        experts.setHiddenAttr(int8);
      else
        remark::missed(experts.getLoc(), opts) << "hidden rows: " << reason;
    });

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
