// What remarks of passes and phases are about: the function, and the weights of its products.
//
//   remark::missed(op.getLoc(), remarkAbout(op, "FuseGateUp", "fusion"))
//       << reason << aboutWeights(weightNames({gate, up}));

#ifndef MOIRE_DIALECTS_MOE_REMARKS_H
#define MOIRE_DIALECTS_MOE_REMARKS_H

#include "mlir/IR/Remarks.h"
#include "mlir/IR/ValueRange.h"

namespace mlir::moe {

/// The argument of a remark that holds the names of weights.
constexpr llvm::StringLiteral kAboutWeights = "Weights";

/// Options of a remark that the pass or phase `name` makes about `op`, with the name of the
/// function that it is in. A weight of layers, @layer_0.q, belongs to their function, @layer_0.
/// `name` and `category` have to live as long as the remark.
remark::RemarkOpts remarkAbout(Operation *op, StringRef name, StringRef category);

/// The function that a weight belongs to and its name there, of its symbol: "layer_0" and "q" of
/// @layer_0.q, "" and "head" of @head.
std::pair<StringRef, StringRef> splitWeightSymbol(StringRef symbol);

/// "q, k, v": the names of the weights that are read for `values`, each once; "" if none is.
std::string weightNames(ValueRange values);

/// "gate_up": the names of the weights that `rows` are multiplied with.
std::string weightNamesOfReaders(Value rows);

inline remark::detail::LazyTextBuild aboutWeights(std::string names) {
  return remark::metric(kAboutWeights, std::move(names));
}

} // namespace mlir::moe

#endif
