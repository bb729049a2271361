#include "frontends/native/Value.h"

#include <cmath>

using namespace moire;

Value Value::none() {
  Value value;
  value.kind = Kind::None;
  return value;
}

Value Value::of(bool boolean) {
  Value value;
  value.kind = Kind::Bool;
  value.boolean = boolean;
  return value;
}

Value Value::of(int64_t integer) {
  Value value;
  value.kind = Kind::Integer;
  value.integer = integer;
  return value;
}

Value Value::of(double real) {
  Value value;
  value.kind = Kind::Real;
  value.real = real;
  return value;
}

Value Value::of(std::string text) {
  Value value;
  value.kind = Kind::String;
  value.text = std::move(text);
  return value;
}

Value Value::of(RopeScaling scaling) {
  Value value;
  value.kind = Kind::Scaling;
  value.scaling = scaling;
  return value;
}

Value Value::of(const MetadataValue &metadata) {
  const auto &held = metadata.value;
  if (const bool *boolean = std::get_if<bool>(&held))
    return of(*boolean);
  if (const int64_t *integer = std::get_if<int64_t>(&held))
    return of(*integer);
  if (const double *real = std::get_if<double>(&held))
    return of(*real);
  if (const std::string *text = std::get_if<std::string>(&held))
    return of(*text);
  if (const auto *list = std::get_if<MetadataValue::List>(&held)) {
    Value value;
    value.kind = Kind::List;
    value.list = list;
    return value;
  }
  return none();
}

Value Value::ofStep(Kind kind, int step) {
  Value value;
  value.kind = kind;
  value.step = step;
  return value;
}

std::string Value::spelled() const {
  switch (kind) {
  case Kind::Error:
    return "an error";
  case Kind::None:
    return "none";
  case Kind::Bool:
    return boolean ? "true" : "false";
  case Kind::Integer:
    return std::to_string(integer);
  case Kind::Real: {
    char text[32];
    snprintf(text, sizeof text, "%.9g", real);
    return text;
  }
  case Kind::String:
    return quote(text);
  case Kind::List:
    return "a list of " + std::to_string(list->size());
  case Kind::Scaling:
    return "a RoPE scaling";
  case Kind::Tokens:
    return "tokens";
  case Kind::Rows:
    return "rows";
  case Kind::Sigmoid:
    return "a sigmoid";
  case Kind::Routing:
    return "a routing";
  case Kind::Weight:
    return "a weight";
  }
  return "";
}

bool moire::sameValue(const Value &a, const Value &b) {
  if (a.isNumber() && b.isNumber())
    return a.kind == Value::Kind::Integer && b.kind == Value::Kind::Integer
               ? a.integer == b.integer
               : a.number() == b.number();
  if (a.kind != b.kind)
    return false;
  switch (a.kind) {
  case Value::Kind::None:
    return true;
  case Value::Kind::Bool:
    return a.boolean == b.boolean;
  case Value::Kind::String:
    return a.text == b.text;
  default:
    return false;
  }
}

Value moire::literalValue(const Expr &expr) {
  switch (expr.kind) {
  case Expr::Kind::Bool:
    return Value::of(expr.boolean);
  case Expr::Kind::Integer:
    return Value::of(expr.integer);
  case Expr::Kind::Real:
    return Value::of(expr.real);
  case Expr::Kind::String:
    return Value::of(expr.text);
  default:
    return Value::none();
  }
}

static bool expectKind(const Expr &expr, const Value &value, Value::Kind kind,
                       std::string_view expected, Diagnostics &diagnostics) {
  if (value.kind == kind)
    return true;
  if (!value.isError())
    diagnostics.error(expr.at, "expected " + std::string(expected) + "; found: " + value.spelled());
  return false;
}

Value moire::evaluateUnary(const Expr &expr, const Value &operand, Diagnostics &diagnostics) {
  const Expr &inner = *expr.operands[0];
  if (expr.text == "not")
    return expectKind(inner, operand, Value::Kind::Bool, "true or false", diagnostics)
               ? Value::of(!operand.boolean)
               : Value();
  if (operand.kind == Value::Kind::Real)
    return Value::of(-operand.real);
  int64_t negated = 0;
  if (!expectKind(inner, operand, Value::Kind::Integer, "a number", diagnostics))
    return {};
  if (__builtin_sub_overflow(int64_t(0), operand.integer, &negated)) {
    diagnostics.error(expr.at, "the number is too large");
    return {};
  }
  return Value::of(negated);
}

static Value integerArithmetic(const Expr &expr, int64_t a, int64_t b, Diagnostics &diagnostics) {
  int64_t result = 0;
  bool overflow = false;
  char op = expr.text[0];
  if (op == '+') {
    overflow = __builtin_add_overflow(a, b, &result);
  } else if (op == '-') {
    overflow = __builtin_sub_overflow(a, b, &result);
  } else if (op == '*') {
    overflow = __builtin_mul_overflow(a, b, &result);
  } else if (b <= 0) {
    diagnostics.error(expr.at, "division of " + std::to_string(a) + " by " + std::to_string(b));
    return {};
  } else if (op == '/' && a % b != 0) {
    diagnostics.error(expr.at, std::to_string(a) + " / " + std::to_string(b) +
                                   " is not whole; write `floor(…)` of reals if that is meant");
    return {};
  } else {
    result = op == '/' ? a / b : a % b;
  }
  if (overflow) {
    diagnostics.error(expr.at, "the number is too large");
    return {};
  }
  return Value::of(result);
}

static Value arithmetic(const Expr &expr, const Value &left, const Value &right,
                        Diagnostics &diagnostics) {
  for (size_t n = 0; n < 2; ++n) {
    const Value &value = n ? right : left;
    if (!value.isNumber()) {
      diagnostics.error(expr.operands[n]->at,
                        "`" + expr.text + "` expects numbers; found: " + value.spelled());
      return {};
    }
  }
  if (left.kind == Value::Kind::Integer && right.kind == Value::Kind::Integer)
    return integerArithmetic(expr, left.integer, right.integer, diagnostics);
  double a = left.number(), b = right.number();
  switch (expr.text[0]) {
  case '+':
    return Value::of(a + b);
  case '-':
    return Value::of(a - b);
  case '*':
    return Value::of(a * b);
  case '/':
    if (b != 0)
      return Value::of(a / b);
    diagnostics.error(expr.at, "division by 0");
    return {};
  default:
    diagnostics.error(expr.at, "`%` expects whole numbers");
    return {};
  }
}

Value moire::evaluateBinary(const Expr &expr, const Value &left, const Value &right,
                            Diagnostics &diagnostics) {
  if (left.isError() || right.isError())
    return {};
  const std::string &op = expr.text;
  if (op == "and" || op == "or") {
    if (!expectKind(*expr.operands[0], left, Value::Kind::Bool, "true or false", diagnostics) ||
        !expectKind(*expr.operands[1], right, Value::Kind::Bool, "true or false", diagnostics))
      return {};
    return Value::of(op == "and" ? left.boolean && right.boolean : left.boolean || right.boolean);
  }
  if (op == "==")
    return Value::of(sameValue(left, right));
  if (op == "!=")
    return Value::of(!sameValue(left, right));
  if (op[0] != '<' && op[0] != '>')
    return arithmetic(expr, left, right, diagnostics);
  for (size_t n = 0; n < 2; ++n) {
    const Value &value = n ? right : left;
    if (!value.isNumber()) {
      diagnostics.error(expr.operands[n]->at,
                        "`" + op + "` compares numbers; found: " + value.spelled());
      return {};
    }
  }
  double a = left.number(), b = right.number();
  return Value::of(op == "<" ? a < b : op == "<=" ? a <= b : op == ">" ? a > b : a >= b);
}
