// -moe-choose-activations: see passes/Passes.td.

#include "passes/Passes.h"

#include "dialects/moe/Moe.h"
#include "dialects/moe/Remarks.h"
#include "mlir/IR/Builders.h"
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

/// The widest block of activations, in columns.
static constexpr int64_t kWidest = 256;

namespace {
/// What the rows of a product become, or, where they stay f32, why.
struct Choice {
  Attribute encoding;
  StringRef reason;
};

/// Users of the same rows, and the format that all of them can take: the narrowest blocks.
struct Users {
  Attribute encoding;
  SmallVector<OpOperand *> operands;
  SmallVector<Attribute> wanted; // by each of them

  void add(Attribute wanted, OpOperand *operand) {
    auto mine = dyn_cast_or_null<BlockAttr>(encoding), other = dyn_cast<BlockAttr>(wanted);
    if (!mine || other.getColumns() < mine.getColumns())
      encoding = wanted;
    operands.push_back(operand);
    this->wanted.push_back(wanted);
  }
};
} // namespace

static remark::RemarkOpts remarkOn(Operation *product) {
  return remarkAbout(product, "ChooseActivations", "quantization");
}

/// "int8 in blocks of 32 columns", or "bf16".
static std::string spelled(Attribute encoding) {
  auto block = dyn_cast<BlockAttr>(encoding);
  return block ? "int8 in blocks of " + std::to_string(block.getColumns()) + " columns" : "bf16";
}

static bool isBf16(Type type) {
  auto weight = cast<RankedTensorType>(type);
  return weight.getElementType().isBF16() && !weight.getEncoding();
}

/// The choice for rows of that width, by what they are multiplied with.
static Choice choose(int64_t width, ValueRange weights, StringRef format) {
  MLIRContext *context = weights[0].getContext();
  if (llvm::all_of(weights.getTypes(), BlockAttr::of)) {
    if (width % BlockAttr::kColumns != 0)
      return {{}, "the rows are no whole number of blocks"};
    int64_t columns = kWidest;
    for (Type weight : weights.getTypes())
      columns = std::min(columns, BlockAttr::of(weight).getScaleColumns());
    return {BlockAttr::get(context, BlockFormat::Int8, std::max(columns, BlockAttr::kColumns)), {}};
  }
  if (format != "bf16")
    return {{}, "the weight is not stored in blocks"};
  if (!llvm::all_of(weights.getTypes(), isBf16))
    return {{}, "the weight is stored neither in blocks nor as bf16"};
  return {RowsAttr::get(context, BFloat16Type::get(context)), {}};
}

static Choice choose(const ProductOperands &product, StringRef format) {
  auto type = cast<RankedTensorType>(product.x->get().getType());
  if (type.getEncoding())
    return {{}, "the rows have a format already"};
  Choice choice = choose(type.getDimSize(1), product.weights, format);
  if (!choice.encoding && format == "int8" &&
      llvm::all_of(ValueRange(product.weights).getTypes(), isBf16))
    choice.reason = "the weight is not stored in blocks, and rows of bf16 were not asked for";
  return choice;
}

/// The same for the rows between the products of experts, which become int8 or stay f32.
static Choice chooseHidden(ExpertsOp experts) {
  if (experts.getHidden())
    return {{}, "the rows have a format already"};
  return choose(experts.getHiddenWidth(), experts.getDown(), "int8");
}

namespace {
struct ChooseActivations : impl::ChooseActivationsBase<ChooseActivations> {
  using ChooseActivationsBase::ChooseActivationsBase;

  void runOnOperation() override {
    if (format == "f32") {
      remark::missed(getOperation().getLoc(), remarkOn(getOperation()))
          << "no rows are rounded, as was asked for";
      return;
    }
    if (format != "int8" && format != "bf16") {
      getOperation().emitError("activations cannot be stored as '")
          << format << "'; there are int8, bf16 and f32";
      return signalPassFailure();
    }

    // All users of a value in a block that want one kind of format share one rounding, which stands
    // before the first of them.
    llvm::MapVector<std::tuple<Block *, Value, unsigned>, Users> users;
    getOperation().walk([&](Operation *op) {
      ProductOperands product = getProductOperands(op);
      if (!product.x)
        return;
      auto [encoding, reason] = choose(product, format);
      if (encoding)
        users[{op->getBlock(), product.x->get(), isa<BlockAttr>(encoding)}].add(encoding,
                                                                                product.x);
      else
        remark::missed(op->getLoc(), remarkOn(op)) << ("the rows are not rounded: " + reason).str()
                                                   << aboutWeights(weightNames(product.weights));
    });
    getOperation().walk([&](ExpertsOp experts) {
      auto [encoding, reason] = chooseHidden(experts);
      auto about = aboutWeights(weightNames({experts.getDown()}));
      if (encoding) {
        experts.setHiddenAttr(cast<BlockAttr>(encoding));
        remark::passed(experts.getLoc(), remarkOn(experts))
            << "the hidden rows are " + spelled(encoding) << about;
      } else {
        remark::missed(experts.getLoc(), remarkOn(experts))
            << ("the hidden rows are not rounded: " + reason).str() << about;
      }
    });

    for (auto &[key, group] : users) {
      Value x = std::get<Value>(key);
      auto type = cast<RankedTensorType>(x.getType());
      OpBuilder builder(group.operands.front()->getOwner());
      Value rounded =
          QuantizeRowsOp::create(builder, x.getLoc(), type.cloneWithEncoding(group.encoding), x);
      for (OpOperand *operand : group.operands)
        operand->set(rounded);
      report(group, rounded);
    }
  }

  /// Says what the rows became, and for which products they could have been rounded more coarsely.
  static void report(const Users &group, Value rounded) {
    Operation *first = group.operands.front()->getOwner();
    remark::passed(first->getLoc(), remarkOn(first))
        << "the rows are " + spelled(group.encoding) +
               (group.operands.size() == 1 ? "" : ", once for all products")
        << aboutWeights(weightNamesOfReaders(rounded));
    for (auto [operand, wanted] : llvm::zip(group.operands, group.wanted))
      if (wanted != group.encoding)
        remark::missed(operand->getOwner()->getLoc(), remarkOn(operand->getOwner()))
            << "the rows could be " + spelled(wanted) +
                   ", but other products with narrower scales read them"
            << aboutWeights(weightNames(getProductOperands(operand->getOwner()).weights));
  }
};
} // namespace

} // namespace mlir::moe
