// Recipes of the IR become packing jobs: which panels, from which tensors, where in the section.

#include "codegen/cpu/Phases.h"

#include "llvm/ADT/StringMap.h"

#include "llvm/Support/FormatVariadic.h"

#include <map>
#include <set>

using namespace mlir;

namespace moire::cpu {
namespace {

PanelFormat formatOf(RankedTensorType matrix) {
  if (auto block = moe::BlockAttr::of(matrix))
    return blockInfo(block.getFormat()).panel;
  Type element = matrix.getElementType();
  return element.isF32()   ? PanelFormat::F32
         : element.isF16() ? PanelFormat::F16
                           : PanelFormat::BF16;
}

class WeightPlanner {
public:
  WeightPlanner(ModuleOp module, const Container &container, const Machine &machine, Plan &plan)
      : module(module), container(container), machine(machine), plan(plan) {}

  LogicalResult run() {
    LogicalResult result = success();
    module.walk([&](moe::ReadOp read) {
      auto weight = module.lookupSymbol<moe::WeightOp>(read.getWeight());
      if (failed(add(weight)))
        result = failure();
    });
    // An instruction for rows of bf16 takes pairs of columns; whoever else reads the weight can,
    // too.
    if (machine.chooseInstruction(16) != "vfmadd")
      module.walk([&](moe::ReadOp read) {
        auto known = plan.weightIndex.find(read.getWeight());
        if (known == plan.weightIndex.end() || llvm::none_of(read->getUses(), meetsRowsOfBf16))
          return;
        PackedWeight &weight = plan.weights[known->second];
        if (weight.format == PanelFormat::BF16)
          weight.format = PanelFormat::BF16Pairs;
      });
    module.walk([&](moe::ReadOp read) {
      for (OpOperand &use : read->getUses())
        if (failed(result) || failed(orderPanels(read, use)))
          result = failure();
    });
    // Frequencies of rotary embeddings are numbers of ours, once for each distinct set.
    module.walk([&](moe::RopeOp rope) {
      PackedWeight table{.name = "rope_frequencies", .format = PanelFormat::Vector};
      for (float f : rope.getFrequencies())
        table.computed.push_back(f);
      table.rows = 1;
      table.k = table.computed.size();
      if (llvm::none_of(plan.weights,
                        [&](const PackedWeight &w) { return w.computed == table.computed; }))
        plan.weights.push_back(std::move(table));
    });
    if (failed(result))
      return failure();
    plan.weightBytes = layOutWeights(plan.weights);
    remarkWidening();
    return success();
  }

private:
  // Whether a weight is multiplied with rows of bf16. (Hidden rows of experts never are.)
  static bool meetsRowsOfBf16(OpOperand &weight) {
    auto experts = dyn_cast<moe::ExpertsOp>(weight.getOwner());
    if (experts && weight.get() == experts.getDown())
      return false;
    return llvm::any_of(weight.getOwner()->getOperandTypes(),
                        [](Type type) { return bool(moe::RowsAttr::of(type)); });
  }

  LogicalResult add(moe::WeightOp weight) {
    if (plan.weightIndex.count(weight.getSymName()))
      return success();
    RankedTensorType type = weight.getWeightType();
    ArrayRef<int64_t> shape = type.getShape();
    int64_t stack = std::max<int64_t>(weight.getStack(), 1), experts = weight.getExperts();
    shape = shape.drop_front(weight.getRowDim());
    PackedWeight packed;
    packed.name = weight.getSymName().str();
    packed.format = shape.size() == 1 ? PanelFormat::Vector : formatOf(type);
    packed.rows = shape.size() == 1 ? 1 : shape[0];
    packed.k = shape.back();
    packed.experts = experts;
    for (int64_t layer = 0; layer < stack; ++layer)
      for (int64_t expert = 0; expert < std::max<int64_t>(experts, 1); ++expert) {
        packed.slices.emplace_back();
        if (failed(addSources(weight, layer, expert, packed.slices.back())))
          return failure();
      }
    plan.weightIndex[packed.name] = plan.weights.size();
    plan.weights.push_back(std::move(packed));
    return success();
  }

  LogicalResult addSources(moe::WeightOp weight, int64_t layer, int64_t expert,
                           std::vector<RowSource> &sources) {
    if (auto concat = dyn_cast<moe::ConcatAttr>(weight.getRecipe())) {
      for (FlatSymbolRefAttr part : concat.getParts())
        if (failed(addSources(module.lookupSymbol<moe::WeightOp>(part), layer, expert, sources)))
          return failure();
      return success();
    }
    auto source = cast<moe::SourceAttr>(weight.getRecipe());
    std::string name = source.getName().str();
    if (!source.getLayers().empty())
      name.replace(name.find("{i}"), 3, std::to_string(source.getLayers()[layer]));
    bool isOwn = name.find("{e}") != std::string::npos; // a tensor for each expert
    if (isOwn)
      name.replace(name.find("{e}"), 3, std::to_string(expert));
    auto tensor = container.tensors.find(name);
    if (tensor == container.tensors.end())
      return weight.emitError() << "tensor '" << name << "' is not in " << container.path;
    ArrayRef<int64_t> shape = weight.getWeightType().getShape().drop_front(weight.getRowDim());
    int64_t firstRow = source.getFirstRow();
    // (Leading dimensions of 1 may be missing: then there is one expert.)
    const std::vector<int64_t> &stored = tensor->second.shape;
    if (source.getExperts() && !isOwn && stored.size() >= 2)
      firstRow += expert * stored[stored.size() - 2];
    if (!isOwnFormat(formatOf(weight.getWeightType())))
      countTensor(tensor->second);
    sources.push_back({&tensor->second, shape[0], source.getInterleavedHeads(), firstRow});
    return success();
  }

  /// A gated product reads gate and up of the same columns together: their panels alternate.
  LogicalResult orderPanels(moe::ReadOp read, OpOperand &use) {
    Operation *op = use.getOwner();
    bool alternate = false;
    if (auto gated = dyn_cast<moe::GatedLinearOp>(op))
      alternate = gated.getActivation() == moe::Activation::Silu;
    if (auto experts = dyn_cast<moe::ExpertsOp>(op))
      alternate = experts.getGated() && use.get() == experts.getUp() &&
                  use.getOperandNumber() == experts.getUpMutable().getOperandNumber();
    auto [known, isNew] = alternates.try_emplace(read.getWeight(), alternate);
    if (!isNew && known->second != alternate)
      return op->emitError() << "the weight @" << read.getWeight()
                             << " is read both as gate and up together and as plain rows";
    PackedWeight &weight = plan.weights[plan.weightIndex.find(read.getWeight())->second];
    if (!isNew || !alternate)
      return success();
    weight.alternate_panels = true;
    for (std::vector<RowSource> &sources : weight.slices) {
      if (sources.size() == 1) { // one tensor holds both
        RowSource up = sources.front();
        sources.front().rows = up.rows = up.rows / 2;
        up.first_row += up.rows;
        sources.push_back(up);
      }
      if (sources.size() != 2)
        return op->emitError() << "gate and up consist of " << sources.size()
                               << " tensors; two, or one for both, can be packed";
    }
    return success();
  }

  void countTensor(const TensorEntry &tensor) {
    std::optional<BlockFormat> format = blockFormatOf(tensor.type);
    if (format && !blockInfo(*format).isKept())
      widened[*format].insert(&tensor);
  }

  // Says what takes more memory than in the file, once for each format.
  void remarkWidening() {
    for (const auto &[format, tensors] : widened) {
      const BlockInfo &blocks = blockInfo(format);
      double panel = static_cast<double>(panelBytes(blocks.panel, kSuperBlock)) / kPanelRows;
      double stored = static_cast<double>(blocks.bytes * kSuperBlock / blocks.elements);
      emitRemark(UnknownLoc::get(module.getContext()))
          << tensors.size() << (tensors.size() == 1 ? " tensor" : " tensors") << " of "
          << StringRef(blocks.name).upper() << " will take "
          << llvm::formatv("{0:f1}", panel / stored).str() << " times their bytes, with the same "
          << "values: no product works on this format as it is stored";
    }
  }

  ModuleOp module;
  const Container &container;
  const Machine &machine;
  Plan &plan;
  llvm::StringMap<bool> alternates; // by weight: whether its panels alternate
  std::map<BlockFormat, std::set<const TensorEntry *>> widened;
};

} // namespace

LogicalResult planWeights(ModuleOp module, const Container &container, const Machine &machine,
                          Plan &plan) {
  return WeightPlanner(module, container, machine, plan).run();
}

} // namespace moire::cpu
