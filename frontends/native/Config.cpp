#include "frontends/native/Config.h"

#include "frontends/native/RopeDivisors.h"

#include <cmath>
#include <cstring>

using namespace moire;

//===- Expressions ------------------------------------------------------------===//

Value ExprEvaluator::evaluate(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Kind::Name:
    return name(expr);
  case Expr::Kind::Index: {
    Value at = evaluate(*expr.operands[0]);
    return at.isError() ? at : index(expr, at);
  }
  case Expr::Kind::Call:
    return call(expr);
  case Expr::Kind::Unary:
    return evaluateUnary(expr, evaluate(*expr.operands[0]), diagnostics);
  case Expr::Kind::Binary: {
    Value left = evaluate(*expr.operands[0]);
    // `window != none and i >= window`: what is decided is not asked further.
    if (left.kind == Value::Kind::Bool && (expr.text == "and" || expr.text == "or") &&
        left.boolean == (expr.text == "or"))
      return left;
    return binary(expr, left, evaluate(*expr.operands[1]));
  }
  default:
    return literalValue(expr);
  }
}

Value ExprEvaluator::binary(const Expr &expr, const Value &left, const Value &right) {
  return evaluateBinary(expr, left, right, diagnostics);
}

//===- Config ------------------------------------------------------------===//

/// The value of `key`, or `none`: a JSON null is as good as an absent key.
static Value lookUp(const Container &container, const std::string &key) {
  auto found = container.metadata.find(key);
  return found == container.metadata.end() ? Value::none() : Value::of(found->second);
}

/// Equal, or equal to an element of a list (`architectures` is one).
static bool holds(const Value &found, const Value &wanted) {
  if (found.kind != Value::Kind::List)
    return sameValue(found, wanted);
  for (const MetadataValue &element : *found.list)
    if (sameValue(Value::of(element), wanted))
      return true;
  return false;
}

ConfigValues::ConfigValues(const Description &description, const Container &container,
                           Diagnostics &diagnostics)
    : ExprEvaluator(diagnostics), description(description), container(container) {}

/// For a comparison with a name on its left: which value the name has.
std::string ConfigValues::found(const Expr &condition) {
  if (condition.kind != Expr::Kind::Binary || condition.operands.front()->kind != Expr::Kind::Name)
    return "";
  const Expr &name = *condition.operands.front();
  return "; found: " + name.text + " = " + evaluate(name).spelled();
}

bool ConfigValues::checkRequirements() {
  bool all = true;
  for (const Requirement &requirement : description.requirements) {
    Value value = evaluate(*requirement.condition);
    if (value.kind == Value::Kind::Bool) {
      all &= value.boolean;
      if (!value.boolean)
        diagnostics.unsupported(requirement.at, requirement.reason + found(*requirement.condition));
    } else if (!value.isError()) {
      diagnostics.error(requirement.at, "expected a condition; found: " + value.spelled());
    }
  }
  return all;
}

Value ConfigValues::get(const std::string &name) {
  auto found = known.find(name);
  if (found != known.end())
    return found->second;
  const ConfigEntry *entry = description.findConfig(name);
  if (!entry)
    return {};
  constexpr unsigned deepest = 32; // each level is an expression on the stack
  if (depth == deepest) {
    diagnostics.error(entry->at, "`" + name + "` hangs on a chain of more than " +
                                     std::to_string(deepest) + " names");
    return {};
  }
  ++depth;
  // What config says holds for the whole model, also when it is asked for inside of a layer.
  std::string savedName = std::move(layerName);
  layerName.clear();
  Value value = compute(*entry);
  layerName = std::move(savedName);
  --depth;
  return known[name] = value;
}

Value ConfigValues::compute(const ConfigEntry &entry) {
  if (entry.subject)
    return choose(entry);
  for (const Key &key : entry.keys) {
    Value value = lookUp(container, key.text);
    if (!value.isNone())
      return value;
  }
  if (entry.value)
    return evaluate(*entry.value);
  std::string keys;
  for (const Key &key : entry.keys)
    keys += (keys.empty() ? "" : " or ") + quote(key.text);
  std::vector<std::string_view> present;
  for (const auto &[key, value] : container.metadata)
    present.push_back(key);
  diagnostics.error(entry.keys.front().at,
                    "`" + entry.name + "` needs the key " + keys + ", and " +
                        quote(container.path) + " has " +
                        (entry.keys.size() > 1 ? "none of them" : "no such key") +
                        hint(entry.keys.front().text, present));
  return {};
}

Value ConfigValues::choose(const ConfigEntry &entry) {
  Value subject = evaluate(*entry.subject);
  if (subject.isError())
    return {};
  std::string described;
  for (const ChooseCase &chosen : entry.cases) {
    if (chosen.literals.empty())
      return evaluate(*chosen.value);
    for (const ExprPtr &literal : chosen.literals) {
      Value value = literalValue(*literal);
      if (holds(subject, value))
        return evaluate(*chosen.value);
      described += (described.empty() ? "" : ", ") + value.spelled();
    }
  }
  std::string what =
      entry.subject->kind == Expr::Kind::Name ? "`" + entry.subject->text + "`" : "the value";
  diagnostics.unsupported(entry.subject->at, what + " is " + subject.spelled() +
                                                 "; the description knows " + described);
  return {};
}

Value ConfigValues::evaluateInLayer(const Expr &expr, const std::string &name, int64_t number) {
  layerName = name;
  layer = number;
  Value value = evaluate(expr);
  layerName.clear();
  return value;
}

int64_t ConfigValues::dimension(const Expr &expr, const Value &value) {
  if (value.kind == Value::Kind::Integer && value.integer >= 1 && value.integer <= int64_t(1) << 30)
    return value.integer;
  if (!value.isError())
    diagnostics.error(expr.at,
                      "a dimension is a whole number from 1 to 2^30; found: " + value.spelled());
  return 0;
}

Value ConfigValues::name(const Expr &expr) {
  return !layerName.empty() && expr.text == layerName ? Value::of(layer) : get(expr.text);
}

Value ConfigValues::index(const Expr &expr, const Value &index) {
  return element(expr, get(expr.text), index);
}

Value ConfigValues::element(const Expr &expr, const Value &list, const Value &index) {
  if (list.isError())
    return {};
  if (list.kind != Value::Kind::List) {
    diagnostics.error(expr.at, "`" + expr.text + "` is no list, but " + list.spelled());
    return {};
  }
  auto size = static_cast<int64_t>(list.list->size());
  if (index.kind != Value::Kind::Integer || index.integer < 0 || index.integer >= size) {
    diagnostics.error(expr.at, "`" + expr.text + "` is a list of " + std::to_string(size) +
                                   "; there is no element " + index.spelled());
    return {};
  }
  return Value::of((*list.list)[index.integer]);
}

Value ConfigValues::call(const Expr &expr) {
  const VocabularyWord *word = findVocabularyWord(expr.text);
  if (!word)
    return {};
  return callPlainWord(expr, *word, [&](size_t n) {
    const Argument *argument = word->argument(expr, n);
    return argument ? evaluate(*argument->value) : Value();
  });
}

Value ConfigValues::callPlainWord(const Expr &expr, const VocabularyWord &word,
                                  const std::function<Value(size_t)> &argument) {
  auto fail = [&](size_t n, std::string_view expected, const Value &found) {
    const Argument *given = word.argument(expr, n);
    if (given && !found.isError())
      diagnostics.error(given->value->at, "`" + std::string(word.parameters[n].name) +
                                              "` expects " + std::string(expected) +
                                              "; found: " + found.spelled());
    return Value();
  };
  std::vector<Value> values;
  for (size_t n = 0; n < word.parameters.size(); ++n)
    values.push_back(argument(n));

  if (word.parameters[0].name == "tensor") {
    if (values[0].kind != Value::Kind::String)
      return fail(0, "a tensor's name in quotes", values[0]);
    auto found = container.tensors.find(values[0].text);
    if (word.name == "has")
      return Value::of(found != container.tensors.end());
    if (found == container.tensors.end() || found->second.shape.empty()) {
      diagnostics.error(expr.at, "the tensor " + quote(values[0].text) + " is missing in " +
                                     quote(container.path));
      return {};
    }
    if (word.name == "rows")
      return Value::of(found->second.shape.front());
    if (!values[1].isNumber())
      return fail(1, "a number", values[1]);
    return llama3Divisors(expr, found->second, values[1].number());
  }

  if (word.name == "contains") {
    if (values[1].isError() || values[0].isNone())
      return values[1].isError() ? Value() : Value::of(false);
    return values[0].kind == Value::Kind::List ? Value::of(holds(values[0], values[1]))
                                               : fail(0, "a list or none", values[0]);
  }

  for (size_t n = 0; n < values.size(); ++n)
    if (!values[n].isNumber())
      return fail(n, "a number", values[n]);
  if (word.name == "floor") {
    double whole = std::floor(values[0].number());
    if (std::fabs(whole) < 1e15) // an integer in double and in int64
      return Value::of(static_cast<int64_t>(whole));
    return fail(0, "a smaller number", values[0]);
  }
  for (size_t n = 0; n < values.size(); ++n) {
    if (!(values[n].number() > 0))
      return fail(n, "a number above 0", values[n]);
    if (!std::isfinite(static_cast<float>(values[n].number()))) // it is computed with as f32
      return fail(n, "a smaller number", values[n]);
  }
  RopeScaling scaling;
  scaling.factor = values[0].number();
  if (word.name == "linear_scaling") {
    scaling.kind = scaling.factor == 1 ? RopeScaling::Kind::None : RopeScaling::Kind::Linear;
    return Value::of(scaling);
  }
  scaling.kind = RopeScaling::Kind::Llama3;
  scaling.low_factor = values[1].number();
  scaling.high_factor = values[2].number();
  if (values[3].kind != Value::Kind::Integer)
    return fail(3, "a whole number", values[3]);
  scaling.original_context = values[3].integer;
  return Value::of(scaling);
}

Value ConfigValues::llama3Divisors(const Expr &expr, const TensorEntry &tensor, double base) {
  std::vector<float> divisors;
  if (tensor.type == StorageType::F32 && tensor.file) {
    divisors.resize(tensor.bytes / sizeof(float));
    memcpy(divisors.data(), tensor.data().data(), divisors.size() * sizeof(float));
  }
  if (std::optional<RopeScaling> scaling = findLlama3Scaling(divisors, base))
    return Value::of(*scaling);
  diagnostics.unsupported(expr.at, "the tensor " + quote(tensor.name) +
                                       " holds other divisors of RoPE frequencies than Llama 3's");
  return {};
}

//===- Matching ------------------------------------------------------------===//

static bool termHolds(const MatchTerm &term, const Container &container) {
  Value found = lookUp(container, term.key.text);
  for (const ExprPtr &value : term.values)
    if (holds(found, literalValue(*value)))
      return !term.differs;
  return term.differs;
}

bool moire::matches(const Description &description, const Container &container, bool fallback) {
  for (const MatchLine &line : description.matches) {
    if (line.container != container.kind || line.fallback != fallback)
      continue;
    bool all = true;
    for (const MatchTerm &term : line.terms)
      all &= termHolds(term, container);
    if (all)
      return true;
  }
  return false;
}

std::string moire::nearMiss(const Description &description, const Container &container) {
  for (const MatchLine &line : description.matches) {
    const MatchTerm *failed = nullptr;
    bool any = false;
    for (const MatchTerm &term : line.terms) {
      if (line.container == container.kind && termHolds(term, container))
        any = true;
      else if (!failed)
        failed = &term;
    }
    if (any && failed)
      return failed->key.text + " = " + lookUp(container, failed->key.text).spelled();
  }
  return "";
}
