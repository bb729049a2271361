// -moe-choose-weights: see passes/Passes.td.

#include "passes/Passes.h"
#include "passes/quantization/WeightRules.h"

#include "dialects/moe/Moe.h"
#include "dialects/moe/Remarks.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::moe {

#define GEN_PASS_DEF_CHOOSEWEIGHTS
#include "passes/Passes.h.inc"

/// The only user of rows, behind any scalings by a constant; null if there are several.
static Operation *onlyUserOf(Value rows) {
  while (rows.hasOneUse()) {
    Operation *user = *rows.getUsers().begin();
    auto scale = dyn_cast<ScaleOp>(user);
    if (!scale)
      return user;
    rows = scale.getResult();
  }
  return nullptr;
}

/// What the weight is to the operation that reads it; nullopt: nothing that takes blocks.
static std::optional<WeightRole> roleOf(OpOperand &weight) {
  return TypeSwitch<Operation *, std::optional<WeightRole>>(weight.getOwner())
      .Case([&](LinearOp product) -> std::optional<WeightRole> {
        if (&weight != &product.getWeightMutable())
          return std::nullopt;
        Operation *user = onlyUserOf(product.getResult());
        if (isa_and_nonnull<RouteOp>(user))
          return WeightRole::Router;
        // Layers are private functions, and return rows; the others return logits.
        auto end = dyn_cast_or_null<func::ReturnOp>(user);
        bool isHead = end && cast<func::FuncOp>(end->getParentOp()).isPublic();
        return isHead ? WeightRole::Head : WeightRole::Product;
      })
      .Case([&](GatedLinearOp product) {
        return &weight == &product.getWeightMutable() ? std::optional(WeightRole::Product)
                                                      : std::nullopt;
      })
      .Case([](EmbedOp) { return WeightRole::Embedding; })
      .Case([](ExpertsOp) { return WeightRole::Experts; })
      .Default([](Operation *) { return std::nullopt; });
}

namespace {
/// A weight symbol and who reads it.
struct Use {
  SmallVector<ReadOp> reads;
  std::optional<WeightRole> role = WeightRole::Product; // nullopt: not to be touched
};

class Chooser {
public:
  Chooser(ModuleOp module, WeightRules &rules) : module(module), rules(rules) {}

  void run() {
    llvm::MapVector<Operation *, Use> uses;
    SymbolTable symbols(module);
    for (auto weight : module.getOps<WeightOp>())
      if (auto concat = dyn_cast<ConcatAttr>(weight.getRecipe()))
        for (FlatSymbolRefAttr part : concat.getParts())
          inConcats.insert(symbols.lookup(part.getValue()));
    module.walk([&](ReadOp read) {
      Use &use = uses[symbols.lookup(read.getWeight())];
      use.reads.push_back(read);
      for (OpOperand &operand : read->getUses()) {
        std::optional<WeightRole> role = roleOf(operand);
        use.role = role && use.role ? std::optional(std::min(*role, *use.role)) : std::nullopt;
      }
    });
    for (auto &[weight, use] : uses)
      choose(cast<WeightOp>(weight), use);
    report();
  }

private:
  /// Why the weight cannot have another format, or an empty string.
  StringRef whyNot(WeightOp weight, const Use &use) {
    if (isa<ConcatAttr>(weight.getRecipe()) || inConcats.contains(weight))
      return "it is a concatenation, or a part of one";
    if (!use.role)
      return "something reads it that is no product, experts or embedding";
    if (weight.getWeightType().getShape().back() % BlockAttr::kColumns != 0)
      return "its rows are no whole number of 32 columns";
    return "";
  }

  void choose(WeightOp weight, const Use &use) {
    RankedTensorType type = weight.getWeightType();
    if (type.getRank() - weight.getRowDim() != 2)
      return; // gains and biases are vectors
    auto opts = remarkAbout(weight, "ChooseWeights", "quantization");
    auto about = aboutWeights(splitWeightSymbol(weight.getSymName()).second.str());
    StringRef reason = whyNot(weight, use);
    BlockAttr stored = BlockAttr::of(type);
    WeightRules::Choice choice;
    if (reason.empty()) {
      StringRef name = cast<SourceAttr>(weight.getRecipe()).getName().getValue();
      choice = rules.choose(*use.role, name, bool(stored));
      reason = choice.reason;
    }
    if (!choice.format) {
      if (rules.mayRound())
        remark::missed(weight.getLoc(), opts) << ("not rounded: " + reason).str() << about;
      return;
    }
    if (stored)
      ++rounded[stored.getFormat()];
    remark::passed(weight.getLoc(), opts)
        << ("rounded to " + StringRef(::moire::blockInfo(*choice.format).name)).str() << about;
    auto block = BlockAttr::get(module.getContext(), *choice.format);
    auto encoded = [&](RankedTensorType from) {
      return RankedTensorType::get(from.getShape(), Float32Type::get(module.getContext()), block);
    };
    weight.setTypeAttr(TypeAttr::get(encoded(type)));
    for (ReadOp read : use.reads)
      read.getResult().setType(encoded(cast<RankedTensorType>(read.getType())));
  }

  void report() {
    for (StringRef name : rules.unmatched())
      emitWarning(UnknownLoc::get(module.getContext()))
          << "no weight that can be rounded is called " << name;
    for (auto [format, count] : rounded)
      emitWarning(UnknownLoc::get(module.getContext()))
          << count << (count == 1 ? " weight" : " weights") << " of "
          << StringRef(::moire::blockInfo(format).name)
          << " will be rounded a second time, with more loss than once: better take the model as "
             "it "
             "was before that";
  }

  ModuleOp module;
  WeightRules &rules;
  DenseSet<Operation *> inConcats;
  std::map<BlockFormat, int64_t> rounded; // weights that were in blocks, by their format
};

struct ChooseWeights : impl::ChooseWeightsBase<ChooseWeights> {
  using ChooseWeightsBase::ChooseWeightsBase;

  void runOnOperation() override {
    std::string error;
    std::optional<WeightRules> parsed = WeightRules::parse(rules, error);
    if (!parsed) {
      getOperation().emitError() << "weights cannot be rounded so: " << error;
      return signalPassFailure();
    }
    Chooser(getOperation(), *parsed).run();
  }
};
} // namespace

} // namespace mlir::moe
