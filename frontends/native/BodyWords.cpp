// The words of the vocabulary that make steps from rows: embeddings, norms, positions, attention
// and dense FFNs.

#include "frontends/native/BodyEvaluator.h"

#include <cmath>

using namespace moire;

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

const ResolvedWeight *BodyEvaluator::weight(Call &call, size_t n, const std::vector<int64_t> &shape,
                                            const std::string &expected) {
  const Value &value = call.values[n];
  bool fits = value.kind == Value::Kind::Weight && !value.weight->absent &&
              value.weight->use.shape.size() == shape.size();
  for (size_t at = 0; fits && at < shape.size(); ++at)
    fits = shape[at] == anySize || shape[at] == value.weight->use.shape[at];
  if (fits)
    return value.weight;
  mismatch(call, n, expected);
  return nullptr;
}

double BodyEvaluator::number(Call &call, size_t n, bool zeroAllowed) {
  const Value &value = call.values[n];
  const bool positive = value.isNumber() && value.number() > 0;
  if (positive && !std::isfinite(static_cast<float>(value.number()))) {
    mismatch(call, n, "too large"); // it is computed with as f32
    return 0;
  }
  if (positive || (zeroAllowed && value.isNumber() && value.number() == 0))
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
  const ResolvedWeight *gain = nullptr;
  if (x >= 0) {
    std::string expected =
        "a weight [" + std::to_string(width(x)) + "], or of heads that divide it";
    gain = weight(call, 1, {anySize}, expected);
    if (gain && width(x) % gain->use.shape[0] != 0)
      mismatch(call, 1, expected);
  }
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
  product.kind = Step::Kind::Gate;
  product.at = call.expr.at;
  product.inputs = {gate.step, up.step};
  product.width = width(gate.step);
  Value hidden = append(std::move(product));
  return linear(call.expr, place(call, 3), hidden.step, call.values[3]);
}
