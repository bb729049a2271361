// A model description as it was written. See docs/model-descriptions.md for the language.

#ifndef MOIRE_FRONTENDS_NATIVE_AST_H
#define MOIRE_FRONTENDS_NATIVE_AST_H

#include "frontends/native/Diagnostics.h"

namespace moire {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// `name = value` or `value` between the parentheses of a call.
struct Argument {
  std::string keyword; // empty: by position
  SourceRange at;
  ExprPtr value;
};

struct Expr {
  enum class Kind : uint8_t {
    None,
    Bool,    // boolean
    Integer, // integer
    Real,    // real
    String,  // text
    Name,    // text
    Index,   // text [ operands[0] ]
    Call,    // text ( arguments )
    Unary,   // text is "-" or "not"; operands[0]
    Binary,  // text is the operator; operands[0], operands[1]
  };
  Kind kind = Kind::None;
  SourceRange at;
  std::string text;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::vector<ExprPtr> operands;
  std::vector<Argument> arguments;
};

/// A metadata key of a container: config.json's, flattened with dots, or GGUF's.
struct Key {
  std::string text;
  SourceRange at;
};

/// `"linear" or "dynamic": value` below a `choose`; without literals it is `otherwise`.
struct ChooseCase {
  std::vector<ExprPtr> literals;
  ExprPtr value;
};

/// A line of `config`:
///   name from key or key default value
///   name = value
///   name = choose subject, and cases below
struct ConfigEntry {
  std::string name;
  SourceRange at;
  std::vector<Key> keys;
  ExprPtr value; // null: none of the keys may be absent
  ExprPtr subject;
  std::vector<ChooseCase> cases;
};

/// `require condition, "why"`
struct Requirement {
  ExprPtr condition;
  std::string reason;
  SourceRange at;
};

/// `key = value or value`, or `key != value`; a key that is absent equals `none`.
struct MatchTerm {
  Key key;
  bool differs = false; // `!=`
  std::vector<ExprPtr> values;
};

/// `match huggingface term and term`; a `fallback` counts if no description has a match that holds.
struct MatchLine {
  Container::Kind container;
  bool fallback = false;
  std::vector<MatchTerm> terms;
  SourceRange at;
};

/// Where a weight may come from: a tensor of the container, or another weight.
struct WeightSource {
  std::string tensor; // empty: `weight`
  std::string weight;
  ExprPtr interleaved; // heads whose rows stand in the order of interleaved RoPE, or null
  ExprPtr first_row;   // of each matrix of the tensor, which has `all_rows` rows, or null: all
  ExprPtr all_rows;
  SourceRange at;
};

/// A line of `weights`:
///   name[i] = source or source [rows, columns] with optional bias / optional / when condition
/// Several lines with one name are alternatives: the first whose condition holds.
struct WeightEntry {
  enum class Bias : uint8_t { None, Required, Optional };
  std::string name;
  SourceRange at;
  std::string index; // empty: one tensor for the whole model
  std::vector<WeightSource> sources;
  std::vector<ExprPtr> shape; // empty: stated in the other `weights` section
  Bias bias = Bias::None;
  bool optional = false;
  ExprPtr condition;      // null: always, or
  bool otherwise = false; // when no line before it holds
};

struct WeightsSection {
  Container::Kind container;
  SourceRange at;
  std::vector<WeightEntry> entries;
  std::vector<std::string> ignored; // patterns with `*`
};

/// `name = value`, or a part's call (`name` empty).
struct Statement {
  std::string name;
  SourceRange at;
  ExprPtr value;
};

struct Part {
  std::string name;
  SourceRange at;
  std::vector<std::string> parameters;
  std::vector<Statement> body;
};

struct LayerBlock {
  SourceRange at;
  std::string index;
  ExprPtr condition;
  bool otherwise = false;
  std::vector<Statement> body;
};

struct Description {
  SourceText source;
  std::string name;
  SourceRange at;
  std::vector<MatchLine> matches;
  std::vector<ConfigEntry> config;
  std::vector<Requirement> requirements;
  std::vector<WeightsSection> weights;
  std::vector<Part> parts;
  std::vector<Statement> before;
  std::vector<LayerBlock> layers;
  std::vector<Statement> after;

  const ConfigEntry *findConfig(std::string_view name) const;
  const Part *findPart(std::string_view name) const;
  const WeightsSection *findWeights(Container::Kind container) const;
  /// The line that states the shape of the weight: `entry` itself, or another of the same name. A
  /// weight has one shape, so whichever states it speaks for all. If none does, `entry`.
  const WeightEntry &shapeLine(const WeightEntry &entry) const;
};

/// "huggingface" or "gguf", as descriptions spell it.
std::string_view containerWord(Container::Kind kind);

} // namespace moire

#endif
