// Several weights read as one: what the fusions of products have in common.

#ifndef MOIRE_PASSES_FUSION_CONCATWEIGHTS_H
#define MOIRE_PASSES_FUSION_CONCATWEIGHTS_H

#include "dialects/moe/Moe.h"

namespace mlir::moe {

/// The reason of whyNotConcat that is left to fusions which can make several of the weights.
inline constexpr llvm::StringLiteral kDifferentFormats =
    "the weights are stored in different formats";

/// Why `weights` cannot be the rows of one weight, or an empty string when they can: each is the
/// result of a `moe.read`, of the same slice of equally high stacks, in the same format. They are
/// matrices that multiply the same rows (so their columns agree), matrices of equally many experts
/// that do, or biases.
StringRef whyNotConcat(const SymbolTable &symbols, ArrayRef<Value> weights);

/// A read of all the rows of `weights`, which whyNotConcat allows, in their order. The weight
/// symbol is made if the module has none with that recipe yet; it is called after its parts:
/// `@q_k_v`.
Value readConcat(OpBuilder &builder, SymbolTable &symbols, ArrayRef<Value> weights);

/// Erases those of the reads that nothing uses any more. Their symbols stay: they are the recipe.
void eraseUnusedReads(ArrayRef<Value> weights);

} // namespace mlir::moe

#endif
