#include "passes/fusion/ConcatWeights.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::moe {

/// The dimension of the rows of a weight that is read: experts, if any, are before it.
static int64_t rowDimOf(RankedTensorType type) { return std::max<int64_t>(type.getRank() - 2, 0); }

/// The type of the whole stack that a read takes its slice from.
static RankedTensorType stackType(const SymbolTable &symbols, ReadOp read) {
  return symbols.lookup<WeightOp>(read.getWeight()).getWeightType();
}

StringRef whyNotConcat(const SymbolTable &symbols, ArrayRef<Value> weights) {
  auto first = weights.front().getDefiningOp<ReadOp>();
  for (Value weight : weights) {
    auto read = weight.getDefiningOp<ReadOp>();
    if (!read || !first)
      return "a weight is not a moe.read of a weight symbol";
    if (read.getSlice() != first.getSlice())
      return "the weights are read at different slices";
    auto type = cast<RankedTensorType>(read.getType());
    auto firstType = cast<RankedTensorType>(first.getType());
    if (type.getElementType() != firstType.getElementType() ||
        type.getEncoding() != firstType.getEncoding())
      return kDifferentFormats;
    if (read.getSlice() &&
        stackType(symbols, read).getDimSize(0) != stackType(symbols, first).getDimSize(0))
      return "the weights are stacks of different numbers of slices";
    if (type.getRank() == 3 && symbols.lookup<WeightOp>(read.getWeight()).getExperts() == 0)
      return "the recipe of a weight does not say that it has experts";
  }
  return "";
}

/// The name of a concatenation: @layer_0.q_k for @layer_0.q and @layer_0.k, @q_k for @q and @k.
static std::string nameOf(ConcatAttr recipe) {
  StringRef first = recipe.getParts().front().getValue();
  StringRef scope = first.take_front(first.rfind('.') + 1); // empty without a dot: npos + 1 is 0
  for (FlatSymbolRefAttr part : recipe.getParts())
    if (!part.getValue().starts_with(scope))
      scope = "";
  std::string name = scope.str();
  for (FlatSymbolRefAttr part : recipe.getParts())
    name +=
        (name.size() == scope.size() ? "" : "_") + part.getValue().drop_front(scope.size()).str();
  return name;
}

/// The weight whose recipe is the concatenation `recipe`, made behind its last part if there is
/// none.
static WeightOp getOrCreateConcat(OpBuilder &builder, SymbolTable &symbols, ConcatAttr recipe,
                                  RankedTensorType type, Location loc) {
  auto module = cast<ModuleOp>(symbols.getOp());
  WeightOp lastPart;
  for (FlatSymbolRefAttr part : recipe.getParts()) {
    auto weight = symbols.lookup<WeightOp>(part.getValue());
    if (!lastPart || lastPart->isBeforeInBlock(weight))
      lastPart = weight;
  }
  for (auto weight : module.getOps<WeightOp>())
    if (weight.getRecipe() == recipe)
      return weight;

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(lastPart);
  auto concat = WeightOp::create(builder, loc, builder.getStringAttr(nameOf(recipe)),
                                 TypeAttr::get(type), recipe);
  symbols.insert(concat, builder.getInsertionPoint()); // renames it if the name is taken
  return concat;
}

Value readConcat(OpBuilder &builder, SymbolTable &symbols, ArrayRef<Value> weights) {
  auto first = weights.front().getDefiningOp<ReadOp>();
  auto firstType = cast<RankedTensorType>(first.getType());
  SmallVector<FlatSymbolRefAttr> parts;
  SmallVector<Location> locations;
  SmallVector<int64_t> shape(
      firstType.getShape()); // [[experts,] rows, columns] or, of a bias, [rows]
  int64_t rowDim = rowDimOf(firstType);
  shape[rowDim] = 0;
  for (Value weight : weights) {
    auto read = weight.getDefiningOp<ReadOp>();
    parts.push_back(read.getWeightAttr());
    locations.push_back(read.getLoc());
    shape[rowDim] += cast<RankedTensorType>(read.getType()).getDimSize(rowDim);
  }
  Location loc = builder.getFusedLoc(locations);

  SmallVector<int64_t> stacked(shape);
  if (first.getSlice())
    stacked.insert(stacked.begin(), stackType(symbols, first).getDimSize(0));
  auto recipe = ConcatAttr::get(builder.getContext(), parts);
  WeightOp concat = getOrCreateConcat(
      builder, symbols, recipe,
      RankedTensorType::get(stacked, firstType.getElementType(), firstType.getEncoding()), loc);
  return ReadOp::create(
      builder, loc,
      RankedTensorType::get(shape, firstType.getElementType(), firstType.getEncoding()),
      FlatSymbolRefAttr::get(concat.getSymNameAttr()), first.getSlice());
}

void eraseUnusedReads(ArrayRef<Value> weights) {
  llvm::SmallSetVector<Value, 4> distinct(weights.begin(), weights.end());
  for (Value weight : distinct)
    if (weight.use_empty())
      weight.getDefiningOp()->erase();
}

} // namespace mlir::moe
