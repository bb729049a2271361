// Values of expressions, and the vocabulary that makes them.

#ifndef MOIRE_FRONTENDS_NATIVE_VALUE_H
#define MOIRE_FRONTENDS_NATIVE_VALUE_H

#include "frontends/native/Model.h"

#include <functional>

namespace moire {

struct ResolvedWeight;

/// The value of an expression. `Error` is one that was reported already: what uses it is silent.
struct Value {
  enum class Kind : uint8_t {
    Error,
    None,
    Bool,
    Integer,
    Real,
    String,
    List,    // of metadata
    Scaling, // of RoPE
    Tokens,
    Rows,    // the result of a step
    Sigmoid, // of rows: it multiplies other rows
    Routing, // the experts of each token
    Weight,  // a weight of the container
  };
  Kind kind = Kind::Error;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  const MetadataValue::List *list = nullptr;
  RopeScaling scaling;
  int step = -1;
  const ResolvedWeight *weight = nullptr;

  static Value none();
  static Value of(bool boolean);
  static Value of(int64_t integer);
  static Value of(double real);
  static Value of(std::string text);
  static Value of(RopeScaling scaling);
  static Value of(const MetadataValue &metadata);
  static Value ofStep(Kind kind, int step);
  static Value rows(int step) { return ofStep(Kind::Rows, step); }

  bool isError() const { return kind == Kind::Error; }
  bool isNone() const { return kind == Kind::None; }
  bool isNumber() const { return kind == Kind::Integer || kind == Kind::Real; }
  double number() const { return kind == Kind::Integer ? static_cast<double>(integer) : real; }
  /// `"text"`, `12`, `true`, `none`, `rows`, …, for messages.
  std::string spelled() const;
};

/// Equal kind and content; integers and reals compare as numbers. For the kinds that can be
/// literals.
bool sameValue(const Value &a, const Value &b);

/// The value of a literal expression.
Value literalValue(const Expr &expr);

/// One word of the vocabulary that is called like a function.
struct VocabularyWord {
  enum class Use : uint8_t {
    Anywhere, // numbers and other plain values
    Layers,   // steps of the program: only in `before layers`, `layer`, `after layers` and parts
  };
  struct Parameter {
    std::string_view name;
    bool required;
  };
  std::string_view name;
  Use use;
  std::vector<Parameter> parameters;

  /// The argument for `parameters[n]`, or null if it is not given. Arguments by position come
  /// first.
  const Argument *argument(const Expr &call, size_t n) const;
};

/// The word `name`, or null.
const VocabularyWord *findVocabularyWord(std::string_view name);
std::vector<std::string_view> vocabularyNames();

/// Reports arguments that `word` does not have, that are given twice, and required ones that are
/// missing.
void checkArguments(const Expr &call, const VocabularyWord &word, Diagnostics &diagnostics);

/// Arithmetic, comparisons and logic on plain values; reports what does not fit. Integers stay
/// integers; a division of integers must leave no remainder.
Value evaluateUnary(const Expr &expr, const Value &operand, Diagnostics &diagnostics);
Value evaluateBinary(const Expr &expr, const Value &left, const Value &right,
                     Diagnostics &diagnostics);

} // namespace moire

#endif
