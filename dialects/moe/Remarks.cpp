#include "dialects/moe/Remarks.h"

#include "dialects/moe/Moe.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::moe {

remark::RemarkOpts remarkAbout(Operation *op, StringRef name, StringRef category) {
  remark::RemarkOpts options = remark::RemarkOpts::name(name).category(category);
  if (auto weight = dyn_cast<WeightOp>(op))
    return options.function(splitWeightSymbol(weight.getSymName()).first);
  auto function = op->getParentOfType<FunctionOpInterface>();
  return function ? options.function(function.getName()) : options;
}

std::pair<StringRef, StringRef> splitWeightSymbol(StringRef symbol) {
  auto [function, name] = symbol.split('.');
  bool hasFunction = !name.empty() && !llvm::all_of(name, llvm::isDigit); // @router.3 has a number
  return hasFunction ? std::pair(function, name) : std::pair(StringRef(), symbol);
}

std::string weightNames(ValueRange values) {
  llvm::SmallSetVector<StringRef, 4> names;
  for (Value value : values)
    if (auto read = value ? value.getDefiningOp<ReadOp>() : ReadOp())
      if (cast<RankedTensorType>(read.getType()).getRank() > 1) // gains and biases are vectors
        names.insert(splitWeightSymbol(read.getWeight()).second);
  return llvm::join(names, ", ");
}

std::string weightNamesOfReaders(Value rows) {
  SmallVector<Value> weights;
  for (Operation *reader : llvm::reverse(llvm::to_vector(rows.getUsers()))) { // in their order
    auto experts = dyn_cast<ExpertsOp>(reader);
    for (Value operand : reader->getOperands())
      if (!experts || operand != experts.getDown()) // which meets the hidden rows
        weights.push_back(operand);
  }
  return weightNames(weights);
}

} // namespace mlir::moe
