#include "frontends/native/BodyEvaluator.h"

#include <cmath>

using namespace moire;

BodyEvaluator::BodyEvaluator(const Description &description, ConfigValues &config,
                             WeightTable &weights, Diagnostics &diagnostics, std::string layerName,
                             int64_t layer)
    : ExprEvaluator(diagnostics), description(description), config(config), weights(weights),
      layerName(std::move(layerName)), layer(layer) {}

Body BodyEvaluator::run(const std::vector<Statement> &statements, const std::string &result,
                        int64_t width) {
  if (width == unknownWidth) {
    locals["x"] = Value();
  } else if (width) {
    Step input;
    input.kind = Step::Kind::Input;
    input.width = width;
    locals["x"] = append(std::move(input));
  } else {
    locals["tokens"].kind = Value::Kind::Tokens;
  }
  if (!layerName.empty())
    locals[layerName] = Value::of(layer);
  runStatements(statements);

  Value end = locals[result];
  SourceRange last = statements.empty() ? description.at : statements.back().at;
  if (end.kind == Value::Kind::Rows) {
    body.result = end.step;
    dropUnused();
  } else if (!end.isError()) {
    diagnostics.error(last, "`" + result + "` must be rows at the end; found: " + describe(end));
  }
  return std::move(body);
}

void BodyEvaluator::runStatements(const std::vector<Statement> &statements) {
  constexpr unsigned mostStatements = 10000; // parts that call parts can multiply
  for (const Statement &statement : statements) {
    if (++statementsRun > mostStatements) {
      diagnostics.error(statement.at, "more than " + std::to_string(mostStatements) +
                                          " lines to run in one layer");
      return;
    }
    if (statement.name.empty())
      runPart(*statement.value);
    else
      locals[statement.name] = evaluate(*statement.value);
  }
}

/// A part sees what it is given and `x`, and changes `x` only.
void BodyEvaluator::runPart(const Expr &call) {
  const Part &part = *description.findPart(call.text);
  constexpr unsigned deepest = 16;
  if (partDepth == deepest) {
    diagnostics.error(call.at,
                      "parts call one another more than " + std::to_string(deepest) + " deep");
    locals["x"] = Value();
    return;
  }
  std::map<std::string, Value> inner;
  for (size_t n = 0; n < part.parameters.size(); ++n)
    inner[part.parameters[n]] = evaluate(*call.arguments[n].value);
  for (const char *shared : {"x", "tokens"})
    if (auto found = locals.find(shared); found != locals.end())
      inner[shared] = found->second;
  std::swap(locals, inner);
  ++partDepth;
  runStatements(part.body);
  --partDepth;
  std::swap(locals, inner);
  locals["x"] = inner["x"];
}

//===- Names ------------------------------------------------------------===//

Value BodyEvaluator::name(const Expr &expr) {
  if (auto found = locals.find(expr.text); found != locals.end())
    return found->second;
  if (description.findConfig(expr.text))
    return config.get(expr.text);
  if (expr.text == "tokens" || expr.text == "x") {
    diagnostics.error(expr.at, expr.text == "x" ? "`x` is made here only"
                                                : "`tokens` are there only before the layers");
    return {};
  }
  return weightValue(expr, -1);
}

Value BodyEvaluator::index(const Expr &expr, const Value &index) {
  if (description.findConfig(expr.text))
    return config.element(expr, config.get(expr.text), index);
  if (index.kind != Value::Kind::Integer || index.integer < 0) {
    diagnostics.error(expr.operands[0]->at,
                      "the number of a layer is expected; found: " + index.spelled());
    return {};
  }
  return weightValue(expr, index.integer);
}

Value BodyEvaluator::weightValue(const Expr &expr, int64_t ofLayer) {
  const ResolvedWeight *weight = weights.resolve(expr.text, ofLayer);
  if (!weight)
    return {};
  Value value;
  value.kind = Value::Kind::Weight;
  value.text = expr.text;
  value.weight = weight;
  return value;
}

std::string BodyEvaluator::describe(const Value &value) const {
  if (value.kind == Value::Kind::Rows)
    return "rows of " + std::to_string(width(value.step));
  if (value.kind == Value::Kind::Sigmoid)
    return "a sigmoid of rows of " + std::to_string(width(value.step));
  if (value.kind == Value::Kind::Routing)
    return "a routing to " + std::to_string(body.steps[value.step].routing.experts) + " experts";
  if (value.kind == Value::Kind::Weight)
    return value.weight->absent ? "`" + value.text + "`, which the file does not have"
                                : "`" + value.text + "` " + spelledShape(value.weight->use.shape);
  return value.spelled();
}

//===- Steps ------------------------------------------------------------===//

Value BodyEvaluator::append(Step step) {
  body.steps.push_back(std::move(step));
  return Value::rows(static_cast<int>(body.steps.size()) - 1);
}

int BodyEvaluator::addWeight(const ResolvedWeight &weight) {
  for (size_t n = 0; n < body.weights.size(); ++n)
    if (body.weights[n].name == weight.use.name && body.weights[n].layer == weight.use.layer)
      return static_cast<int>(n);
  body.weights.push_back(weight.use);
  return static_cast<int>(body.weights.size()) - 1;
}

/// Operations that the result does not need, with their weights.
void BodyEvaluator::dropUnused() {
  std::vector<bool> used(body.steps.size());
  used[body.result] = true;
  for (size_t n = body.steps.size(); n-- > 0;)
    if (used[n])
      for (int input : body.steps[n].inputs)
        used[input] = true;
  Body kept;
  std::vector<int> newIndex(body.steps.size()), newWeight(body.weights.size(), -1);
  for (size_t n = 0; n < body.steps.size(); ++n) {
    if (!used[n])
      continue;
    Step step = std::move(body.steps[n]);
    for (int &input : step.inputs)
      input = newIndex[input];
    for (int &weight : step.weights) {
      if (newWeight[weight] < 0) {
        newWeight[weight] = static_cast<int>(kept.weights.size());
        kept.weights.push_back(body.weights[weight]);
      }
      weight = newWeight[weight];
    }
    newIndex[n] = static_cast<int>(kept.steps.size());
    kept.steps.push_back(std::move(step));
  }
  kept.result = newIndex[body.result];
  body = std::move(kept);
}

Value BodyEvaluator::binary(const Expr &expr, const Value &left, const Value &right) {
  using Kind = Value::Kind;
  auto isPlain = [](const Value &value) { return value.kind < Kind::Tokens; };
  if (left.isError() || right.isError() || (isPlain(left) && isPlain(right)))
    return ExprEvaluator::binary(expr, left, right);
  bool ofRows = left.kind == Kind::Rows;
  if (expr.text == "*") {
    if (ofRows && right.kind == Kind::Weight)
      return linear(expr, *expr.operands[1], left.step, right);
    if (ofRows && right.isNumber())
      return scaled(expr, left, right.number());
    if (left.isNumber() && right.kind == Kind::Rows)
      return scaled(expr, right, left.number());
    if (left.kind == Kind::Sigmoid && right.kind == Kind::Rows)
      return gated(expr, left, right);
    if (ofRows && right.kind == Kind::Sigmoid)
      return gated(expr, right, left);
  }
  if (expr.text == "/" && ofRows && right.isNumber()) {
    if (right.number() != 0)
      return scaled(expr, left, 1 / right.number());
    diagnostics.error(expr.at, "division by 0");
    return {};
  }
  if (expr.text == "+" && ofRows && (right.kind == Kind::Rows || right.kind == Kind::Weight))
    return add(expr, left, right);
  diagnostics.error(expr.at, "`" + expr.text + "` of " + describe(left) + " and " +
                                 describe(right) +
                                 "; rows are multiplied by a matrix (`x * w[i]`), a number or a "
                                 "sigmoid, and rows or a bias are added to rows");
  return {};
}

Value BodyEvaluator::scaled(const Expr &expr, const Value &rows, double factor) {
  if (!std::isfinite(static_cast<float>(factor))) {
    diagnostics.error(expr.at, "the factor is too large");
    return {};
  }
  if (factor == 1)
    return rows;
  Step step;
  step.kind = Step::Kind::Scale;
  step.at = expr.at;
  step.inputs = {rows.step};
  step.width = width(rows.step);
  step.factor = factor;
  return append(std::move(step));
}

/// One number a row, or as many as the row has, multiply it.
Value BodyEvaluator::gated(const Expr &expr, const Value &sigmoid, const Value &rows) {
  if (width(sigmoid.step) != 1 && width(sigmoid.step) != width(rows.step)) {
    diagnostics.error(expr.at, describe(sigmoid) + " multiplies " + describe(rows) +
                                   "; it must have one number a row, or as many as they");
    return {};
  }
  Step step;
  step.kind = Step::Kind::Gate;
  step.at = expr.at;
  step.inputs = {sigmoid.step, rows.step};
  step.width = width(rows.step);
  step.activation = Step::Activation::Sigmoid;
  return append(std::move(step));
}

Value BodyEvaluator::linear(const Expr &expr, const Expr &weightExpr, int x, const Value &value) {
  const ResolvedWeight &weight = *value.weight;
  const std::vector<int64_t> &shape = weight.use.shape;
  if (weight.absent || shape.size() != 2 || shape[1] != width(x)) {
    diagnostics.error(weightExpr.at, "rows of " + std::to_string(width(x)) +
                                         " are multiplied by a matrix [any, " +
                                         std::to_string(width(x)) + "]; found: " + describe(value));
    return {};
  }
  Step step;
  step.kind = Step::Kind::Linear;
  step.at = expr.at;
  step.inputs = {x};
  step.weights = {addWeight(weight)};
  if (weight.bias)
    step.weights.push_back(addWeight(*weight.bias));
  step.width = shape[0];
  return append(std::move(step));
}

Value BodyEvaluator::add(const Expr &expr, const Value &left, const Value &right) {
  int64_t wide = width(left.step);
  if (right.kind == Value::Kind::Rows) {
    if (width(right.step) != wide) {
      diagnostics.error(expr.at, "the sum of " + describe(left) + " and " + describe(right));
      return {};
    }
    Step sum;
    sum.kind = Step::Kind::Add;
    sum.at = expr.at;
    sum.inputs = {left.step, right.step};
    sum.width = wide;
    return append(std::move(sum));
  }
  const ResolvedWeight &bias = *right.weight;
  if (bias.absent)
    return left;
  Step product = body.steps[left.step];
  if (product.kind != Step::Kind::Linear || product.weights.size() != 1) {
    diagnostics.error(expr.at, "a bias is added to a product that has none yet, as in "
                               "`x * w[i] + b[i]`");
    return {};
  }
  if (bias.use.shape != std::vector<int64_t>{wide}) {
    diagnostics.error(expr.operands[1]->at, "a bias [" + std::to_string(wide) +
                                                "] is expected; found: " + describe(right));
    return {};
  }
  product.weights.push_back(addWeight(bias));
  return append(std::move(product));
}

//===- Calls ------------------------------------------------------------===//

Value BodyEvaluator::call(const Expr &expr) {
  const VocabularyWord *word = findVocabularyWord(expr.text);
  if (!word)
    return {};
  auto argument = [&](size_t n) {
    const Argument *given = word->argument(expr, n);
    return given ? evaluate(*given->value) : Value::none();
  };
  if (word->use == VocabularyWord::Use::Anywhere)
    return config.callPlainWord(expr, *word, argument);
  Call call{expr, *word, {}};
  for (size_t n = 0; n < word->parameters.size(); ++n)
    call.values.push_back(argument(n));
  if (word->name == "embed")
    return embed(call);
  if (word->name == "rms_norm")
    return rmsNorm(call);
  if (word->name == "rope")
    return rope(call);
  if (word->name == "attention")
    return attention(call);
  if (word->name == "swiglu")
    return swiglu(call);
  if (word->name == "sigmoid")
    return sigmoid(call);
  if (word->name == "route")
    return route(call);
  return experts(call);
}
