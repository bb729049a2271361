// The words of the vocabulary for mixtures of experts.

#include "frontends/native/BodyEvaluator.h"

using namespace moire;

/// sigmoid(x) is no step by itself: it waits for the rows that it multiplies.
Value BodyEvaluator::sigmoid(Call &call) {
  int x = rows(call, 0);
  return call.failed ? Value() : Value::ofStep(Value::Kind::Sigmoid, x);
}

std::string BodyEvaluator::oneOf(Call &call, size_t n, std::initializer_list<const char *> words) {
  std::string expected;
  for (const char *word : words) {
    if (call.values[n].kind == Value::Kind::String && call.values[n].text == word)
      return word;
    expected += (expected.empty() ? "" : " or ") + quote(word);
  }
  mismatch(call, n, expected);
  return "";
}

Value BodyEvaluator::route(Call &call) {
  Step step;
  step.kind = Step::Kind::Route;
  step.at = call.expr.at;
  Routing &routing = step.routing;
  int logits = rows(call, 0);
  routing.top = dimension(call, 1);
  std::string scores = oneOf(call, 2, {"softmax", "sigmoid", "softmax_chosen"});
  routing.scores = scores == "sigmoid"          ? Routing::Scores::Sigmoid
                   : scores == "softmax_chosen" ? Routing::Scores::SoftmaxChosen
                                                : Routing::Scores::Softmax;
  if (!call.values[3].isNone())
    routing.normalize = number(call, 3, /*zeroAllowed=*/true);
  if (!call.values[4].isNone())
    routing.scaling = number(call, 4);
  if (logits >= 0) {
    routing.experts = width(logits);
    if (routing.top > routing.experts)
      mismatch(call, 1, "at most the number of experts, " + std::to_string(routing.experts));
    step.inputs = {logits};
    const Value &bias = call.values[5];
    bool absent = bias.isNone() || (bias.kind == Value::Kind::Weight && bias.weight->absent);
    if (!absent)
      if (const ResolvedWeight *given = weight(
              call, 5, {routing.experts}, "a weight [" + std::to_string(routing.experts) + "]"))
        step.weights = {addWeight(*given)};
  }
  readGroups(call, routing);
  if (call.failed)
    return {};
  step.width = routing.top;
  Value rows = append(std::move(step));
  return Value::ofStep(Value::Kind::Routing, rows.step);
}

/// The experts of a group stand one after another; only those of the best groups can be chosen.
void BodyEvaluator::readGroups(Call &call, Routing &routing) {
  auto isMissing = [&](size_t n, size_t with) {
    if (!call.values[with].isError())
      diagnostics.error(place(call, with).at,
                        "`" + std::string(call.word.parameters[with].name) +
                            "` of `route` needs `" + std::string(call.word.parameters[n].name) +
                            "`, which is " +
                            (call.word.argument(call.expr, n) ? "none" : "missing"));
    call.failed = true;
  };
  if (call.values[6].isNone()) {
    if (!call.values[7].isNone())
      isMissing(6, 7);
    // The score may be a word of a description whose config says that there are no groups.
    else if (!call.values[8].isNone() && !call.word.argument(call.expr, 6))
      isMissing(6, 8);
    return;
  }
  if (call.values[7].isNone())
    return isMissing(7, 6);
  routing.groups = dimension(call, 6);
  routing.group_limit = dimension(call, 7);
  if (!call.values[8].isNone() && oneOf(call, 8, {"max", "top2_sum"}) == "top2_sum")
    routing.group_score = Routing::GroupScore::Top2Sum;
  if (call.failed)
    return;
  if (routing.experts % routing.groups != 0)
    return mismatch(call, 6,
                    "a divisor of the number of experts, " + std::to_string(routing.experts));
  int64_t size = routing.experts / routing.groups;
  if (routing.group_limit > routing.groups)
    mismatch(call, 7, "at most `groups`, " + std::to_string(routing.groups));
  else if (routing.group_limit * size < routing.top)
    mismatch(call, 7,
             "enough groups of " + std::to_string(size) + " for " + std::to_string(routing.top) +
                 " experts");
  if (routing.group_score == Routing::GroupScore::Top2Sum && size < 2)
    mismatch(call, 8, "\"max\" for groups of one expert");
}

/// experts(x, routing, gate, up, down) = the sum of the swiglu of each chosen expert, weighted.
/// With `none` for gate, silu(x * up) takes the place of the gated product.
Value BodyEvaluator::experts(Call &call) {
  Step step;
  step.kind = Step::Kind::Experts;
  step.at = call.expr.at;
  int x = rows(call, 0);
  if (call.values[1].kind != Value::Kind::Routing)
    mismatch(call, 1, "what `route(…)` gives");
  if (call.failed)
    return {};
  int64_t count = body.steps[call.values[1].step].routing.experts, in = width(x);
  step.inputs = {x, call.values[1].step};
  step.gated = !call.values[2].isNone();
  std::string experts =
      "the matrices of " + std::to_string(count) + " experts [" + std::to_string(count) + ", ";
  std::string wide = experts + "any, " + std::to_string(in) + "]";
  const ResolvedWeight *gate = step.gated ? weight(call, 2, {count, anySize, in}, wide) : nullptr;
  int64_t hidden = gate ? gate->use.shape[1] : anySize;
  const ResolvedWeight *up = weight(
      call, 3, {count, hidden, in},
      gate ? experts + std::to_string(hidden) + ", " + std::to_string(in) + "], as `gate`" : wide);
  if (call.failed)
    return {};
  hidden = up->use.shape[1];
  const ResolvedWeight *down =
      weight(call, 4, {count, anySize, hidden}, experts + "any, " + std::to_string(hidden) + "]");
  if (call.failed)
    return {};
  if (gate)
    step.weights.push_back(addWeight(*gate));
  step.weights.push_back(addWeight(*up));
  step.weights.push_back(addWeight(*down));
  step.width = down->use.shape[1];
  return append(std::move(step));
}
