// Turns the statements of a body into steps, with every shape checked on the way.

#ifndef MOIRE_FRONTENDS_NATIVE_BODYEVALUATOR_H
#define MOIRE_FRONTENDS_NATIVE_BODYEVALUATOR_H

#include "frontends/native/WeightTable.h"

namespace moire {

/// The width of rows that could not be made: what uses them is silent, weights are still looked up.
constexpr int64_t unknownWidth = -1;
/// A dimension of a weight that the others decide.
constexpr int64_t anySize = -1;

class BodyEvaluator final : public ExprEvaluator {
public:
  /// `layer` is the layer's number under the name `layerName`, or -1 outside of the layers.
  BodyEvaluator(const Description &description, ConfigValues &config, WeightTable &weights,
                Diagnostics &diagnostics, std::string layerName, int64_t layer);

  /// Runs `statements` and returns the body that ends with the rows called `result`. `width` is
  /// that of the `x` that enters, 0 if there is none yet (then there are `tokens`). Where something
  /// is wrong or missing, the result of the body is -1, and reported here or by the weight table.
  Body run(const std::vector<Statement> &statements, const std::string &result, int64_t width);

private:
  Value name(const Expr &expr) override;
  Value index(const Expr &expr, const Value &index) override;
  Value call(const Expr &expr) override;
  Value binary(const Expr &expr, const Value &left, const Value &right) override;

  void runStatements(const std::vector<Statement> &statements);
  void runPart(const Expr &call);

  /// The arguments of a call of a vocabulary word, evaluated, with checks that report.
  struct Call {
    const Expr &expr;
    const VocabularyWord &word;
    std::vector<Value> values; // one a parameter; kind None where it is not given
    bool failed = false;
  };
  const Expr &place(const Call &call, size_t n) const;
  void mismatch(Call &call, size_t n, const std::string &expected);
  int rows(Call &call, size_t n);
  /// The weight that argument `n` must be; `anySize` fits every size. Null if another is given.
  const ResolvedWeight *weight(Call &call, size_t n, const std::vector<int64_t> &shape,
                               const std::string &expected);
  double number(Call &call, size_t n, bool zeroAllowed = false);
  int64_t dimension(Call &call, size_t n);
  /// The text of argument `n`, which must be one of `words`; otherwise empty.
  std::string oneOf(Call &call, size_t n, std::initializer_list<const char *> words);

  Value embed(Call &call);
  Value rmsNorm(Call &call);
  Value rope(Call &call);
  Value attention(Call &call);
  Value swiglu(Call &call);
  Value sigmoid(Call &call);
  Value route(Call &call);
  void readGroups(Call &call, Routing &routing);
  Value experts(Call &call);
  Value linear(const Expr &expr, const Expr &weightExpr, int x, const Value &weight);
  Value add(const Expr &expr, const Value &left, const Value &right);
  Value scaled(const Expr &expr, const Value &rows, double factor);
  Value gated(const Expr &expr, const Value &sigmoid, const Value &rows);
  Value weightValue(const Expr &expr, int64_t ofLayer);

  int64_t width(int step) const { return body.steps[step].width; }
  int addWeight(const ResolvedWeight &weight);
  Value append(Step step);
  void dropUnused();
  std::string describe(const Value &value) const;

  const Description &description;
  ConfigValues &config;
  WeightTable &weights;
  std::string layerName;
  int64_t layer;
  std::map<std::string, Value> locals;
  unsigned partDepth = 0, statementsRun = 0;
  Body body;
};

} // namespace moire

#endif
