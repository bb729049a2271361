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
  auto isTensor = [](const Value &value) {
    return value.kind == Value::Kind::Rows || value.kind == Value::Kind::Weight;
  };
  if (left.isError() || right.isError() || (!isTensor(left) && !isTensor(right)))
    return ExprEvaluator::binary(expr, left, right);
  if (expr.text == "*" && left.kind == Value::Kind::Rows && right.kind == Value::Kind::Weight)
    return linear(expr, *expr.operands[1], left.step, right);
  if (expr.text == "+" && left.kind == Value::Kind::Rows && isTensor(right))
    return add(expr, left, right);
  diagnostics.error(expr.at, "`" + expr.text + "` of " + describe(left) + " and " +
                                 describe(right) +
                                 "; rows are multiplied by a matrix (`x * w[i]`), and rows or a "
                                 "bias are added to rows");
  return {};
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
  return swiglu(call);
}

const Expr &BodyEvaluator::place(const Call &call, size_t n) const {
  const Argument *given = call.word.argument(call.expr, n);
  return given ? *given->value : call.expr;
}

void BodyEvaluator::mismatch(Call &call, size_t n, const std::string &expected) {
  if (!call.values[n].isError())
    diagnostics.error(place(call, n).at, "`" + std::string(call.word.parameters[n].name) +
                                             "` of `" + std::string(call.word.name) + "` is " +
                                             expected + "; found: " + describe(call.values[n]));
  call.failed = true;
}

int BodyEvaluator::rows(Call &call, size_t n) {
  if (call.values[n].kind == Value::Kind::Rows)
    return call.values[n].step;
  mismatch(call, n, "rows");
  return -1;
}

const ResolvedWeight *BodyEvaluator::vector(Call &call, size_t n, int64_t length) {
  const Value &value = call.values[n];
  if (value.kind == Value::Kind::Weight && !value.weight->absent &&
      value.weight->use.shape == std::vector<int64_t>{length})
    return value.weight;
  mismatch(call, n, "a weight [" + std::to_string(length) + "]");
  return nullptr;
}

double BodyEvaluator::number(Call &call, size_t n, bool zeroAllowed) {
  const Value &value = call.values[n];
  if (value.isNumber() && (value.number() > 0 || (zeroAllowed && value.number() == 0)) &&
      std::isfinite(value.number()))
    return value.number();
  mismatch(call, n, zeroAllowed ? "a number, 0 or more" : "a number above 0");
  return 0;
}

int64_t BodyEvaluator::dimension(Call &call, size_t n) {
  int64_t dimension = config.dimension(place(call, n), call.values[n]);
  call.failed |= !dimension;
  return dimension;
}

Value BodyEvaluator::embed(Call &call) {
  if (call.values[0].kind != Value::Kind::Tokens)
    mismatch(call, 0, "`tokens`");
  const Value &table = call.values[1];
  if (table.kind != Value::Kind::Weight || table.weight->absent ||
      table.weight->use.shape.size() != 2)
    mismatch(call, 1, "a matrix with a row for each token");
  if (call.failed)
    return {};
  Step step;
  step.kind = Step::Kind::Embed;
  step.at = call.expr.at;
  step.weights = {addWeight(*table.weight)};
  step.width = table.weight->use.shape[1];
  return append(std::move(step));
}

Value BodyEvaluator::rmsNorm(Call &call) {
  int x = rows(call, 0);
  const ResolvedWeight *gain = x < 0 ? nullptr : vector(call, 1, width(x));
  double eps = number(call, 2, /*zeroAllowed=*/true);
  if (call.failed)
    return {};
  Step step;
  step.kind = Step::Kind::RmsNorm;
  step.at = call.expr.at;
  step.inputs = {x};
  step.weights = {addWeight(*gain)};
  step.width = width(x);
  step.eps = eps;
  return append(std::move(step));
}

Value BodyEvaluator::rope(Call &call) {
  Step step;
  step.kind = Step::Kind::Rope;
  step.at = call.expr.at;
  int x = rows(call, 0);
  step.head_dim = dimension(call, 1);
  step.base = number(call, 2);
  step.rotary_dims = call.values[3].isNone() ? step.head_dim : dimension(call, 3);
  if (call.values[4].kind == Value::Kind::Scaling)
    step.scaling = call.values[4].scaling;
  else if (!call.values[4].isNone())
    mismatch(call, 4, "`linear_scaling(…)`, `llama3_scaling(…)` or none");
  if (call.failed)
    return {};
  if (width(x) % step.head_dim != 0)
    mismatch(call, 0, "rows of whole heads of " + std::to_string(step.head_dim));
  if (step.rotary_dims % 2 != 0 || step.rotary_dims > step.head_dim)
    mismatch(call, call.values[3].isNone() ? 1 : 3,
             "even and at most " + std::to_string(step.head_dim));
  if (call.failed)
    return {};
  step.inputs = {x};
  step.width = width(x);
  return append(std::move(step));
}

Value BodyEvaluator::attention(Call &call) {
  Step step;
  step.kind = Step::Kind::Attention;
  step.at = call.expr.at;
  int q = rows(call, 0), k = rows(call, 1), v = rows(call, 2);
  step.head_dim = dimension(call, 3);
  if (!call.values[4].isNone())
    step.window = dimension(call, 4);
  if (!call.values[5].isNone())
    step.scale = number(call, 5);
  else if (step.head_dim)
    step.scale = 1 / std::sqrt(static_cast<double>(step.head_dim));
  if (call.failed)
    return {};
  if (width(k) % step.head_dim != 0)
    mismatch(call, 1, "rows of whole heads of " + std::to_string(step.head_dim));
  if (width(v) != width(k))
    mismatch(call, 2, "as wide as `k`, " + std::to_string(width(k)));
  if (width(q) % width(k) != 0)
    mismatch(call, 0, "rows of " + std::to_string(width(k)) + " (the width of `k`) or a multiple");
  if (call.failed)
    return {};
  step.inputs = {q, k, v};
  step.width = width(q);
  return append(std::move(step));
}

/// swiglu(x, gate, up, down) = (silu(x * gate) · (x * up)) * down
Value BodyEvaluator::swiglu(Call &call) {
  int x = rows(call, 0);
  for (size_t n = 1; n < 4; ++n)
    if (call.values[n].kind != Value::Kind::Weight)
      mismatch(call, n, "a matrix");
  if (call.failed)
    return {};
  Value gate = linear(call.expr, place(call, 1), x, call.values[1]);
  Value up = linear(call.expr, place(call, 2), x, call.values[2]);
  if (gate.isError() || up.isError())
    return {};
  if (width(gate.step) != width(up.step)) {
    mismatch(call, 2, "as wide as `gate`, " + std::to_string(width(gate.step)));
    return {};
  }
  Step product;
  product.kind = Step::Kind::GateSilu;
  product.at = call.expr.at;
  product.inputs = {gate.step, up.step};
  product.width = width(gate.step);
  Value hidden = append(std::move(product));
  return linear(call.expr, place(call, 3), hidden.step, call.values[3]);
}
