// What `--quant` says: which weights are rounded to which of our own formats.

#ifndef MOIRE_PASSES_QUANTIZATION_WEIGHTRULES_H
#define MOIRE_PASSES_QUANTIZATION_WEIGHTRULES_H

#include "dialects/Formats.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/GlobPattern.h"

#include <vector>

namespace mlir::moe {

/// What a weight is to the operations that read it. Of several the one that comes first here.
enum class WeightRole : uint8_t { Router, Embedding, Head, Experts, Product };

/// The rules, as they are written:
///
///     rules  = rule {"," rule}
///     rule   = format | name "=" format      a format alone is for all matrices
///     format = "keep" | ("int4" | "uint4" | "int8") [":g" ("32" | "64" | "128" | "256")]
///     name   = "router" | "embedding" | "head" | "experts" | a pattern
///
/// A pattern is matched with the name of the file's tensor, in which {i} stands for the layer and
/// {e} for the expert: * is any text, ? a character. Of the rules that match a weight the last one
/// counts. Rules without a name leave routers as they are, and make `int8` of embeddings and heads
/// that are f32, f16 or bf16; a rule with a name that matches is obeyed.
class WeightRules {
public:
  /// A rule's format; nullopt is `keep`.
  using Format = std::optional<::moire::BlockFormat>;

  /// Returns nullopt, and what is wrong in `error`.
  static std::optional<WeightRules> parse(llvm::StringRef text, std::string &error);

  struct Choice {
    Format format;
    llvm::StringRef reason; // why it is kept, if it is
  };
  /// The choice for a weight: its role, the pattern of its tensors' names, and whether it is stored
  /// in blocks. Notes which rules matched.
  Choice choose(WeightRole role, llvm::StringRef name, bool isInBlocks);

  /// Whether any rule asks for more than to keep what is there.
  bool mayRound() const;

  /// The names of rules that have matched no weight.
  std::vector<llvm::StringRef> unmatched() const;

private:
  struct Rule {
    std::string name; // empty: every weight
    std::optional<WeightRole> role;
    std::optional<llvm::GlobPattern> pattern;
    Format format;
    bool matched = false;
  };

  std::vector<Rule> rules;
};

} // namespace mlir::moe

#endif
