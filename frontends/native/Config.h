// The names of `config`, evaluated against the metadata of a container.

#ifndef MOIRE_FRONTENDS_NATIVE_CONFIG_H
#define MOIRE_FRONTENDS_NATIVE_CONFIG_H

#include "frontends/native/Value.h"

namespace moire {

/// Evaluates expressions; where names come from is up to the subclass.
class ExprEvaluator {
public:
  explicit ExprEvaluator(Diagnostics &diagnostics) : diagnostics(diagnostics) {}
  virtual ~ExprEvaluator() = default;

  Value evaluate(const Expr &expr);

protected:
  virtual Value name(const Expr &expr) = 0;
  /// name[index]
  virtual Value index(const Expr &expr, const Value &index) = 0;
  virtual Value call(const Expr &expr) = 0;
  virtual Value binary(const Expr &expr, const Value &left, const Value &right);

  Diagnostics &diagnostics;
};

/// The config of one container. Each name is evaluated when it is first used, so that keys which
/// only some models have are missed only where they are needed.
class ConfigValues final : public ExprEvaluator {
public:
  ConfigValues(const Description &description, const Container &container,
               Diagnostics &diagnostics);

  /// Checks the lines that begin with `require`; a failed one is Unsupported. Returns false if one
  /// failed.
  bool checkRequirements();
  Value get(const std::string &name);
  /// Evaluates `expr` where `layerName` (if not empty) stands for the number `layer`.
  Value evaluateInLayer(const Expr &expr, const std::string &layerName, int64_t layer);

  /// `value` as a dimension: a whole number from 1 to 2^30. Reports and returns 0 otherwise.
  int64_t dimension(const Expr &expr, const Value &value);

  /// Words that may be used anywhere: scaling, floor, rows, has. `argument(n)` is its nth argument.
  Value callPlainWord(const Expr &expr, const VocabularyWord &word,
                      const std::function<Value(size_t)> &argument);
  /// list[index], for the lists of the metadata.
  Value element(const Expr &expr, const Value &list, const Value &index);

private:
  std::string found(const Expr &condition);
  Value llama3Divisors(const Expr &expr, const TensorEntry &tensor, double base);
  Value name(const Expr &expr) override;
  Value index(const Expr &expr, const Value &index) override;
  Value call(const Expr &expr) override;

  Value compute(const ConfigEntry &entry);
  Value choose(const ConfigEntry &entry);

  const Description &description;
  const Container &container;
  std::map<std::string, Value> known;
  unsigned depth = 0; // of names that are needed for names
  std::string layerName;
  int64_t layer = -1;
};

/// For a container that a `match` line describes in part: the first key with another value, as
/// "llama.expert_count = 8". Empty if no term holds, or all do.
std::string nearMiss(const Description &description, const Container &container);

/// Whether one of the description's `match` (or `fallback`) lines holds for `container`.
bool matches(const Description &description, const Container &container, bool fallback);

} // namespace moire

#endif
