#include "runtime/IdealTime.h"

#include "runtime/Json.h"

#include <algorithm>

namespace moire {

StepNeeds &StepNeeds::operator+=(const StepNeeds &other) {
  f32 += other.f32;
  bf16 += other.bf16;
  int8 += other.int8;
  bytes += other.bytes;
  return *this;
}

MachineLimits &MachineLimits::operator+=(const MachineLimits &other) {
  f32 += other.f32;
  bf16 += other.bf16;
  int8 += other.int8;
  read += other.read;
  return *this;
}

MachineLimits MachineLimits::operator*(double factor) const {
  return {f32 * factor, bf16 * factor, int8 * factor, read * factor};
}

// Positions that the tokens depth … depth + tokens - 1 of a sequence see, each itself and at most
// window - 1 before it: summed up.
static double seenByTokens(const StepShape &step, int64_t window) {
  // Tokens at positions below the window see all up to their own, the others `window`.
  int64_t end = step.depth + step.tokens;
  int64_t from = step.depth, to = window ? std::clamp(window, from, end) : end;
  double growing = 0.5 * static_cast<double>(to - from) * static_cast<double>(from + 1 + to);
  return growing + static_cast<double>(end - to) * static_cast<double>(window);
}

// Positions that any of them sees.
static double seenBySequence(const StepShape &step, int64_t window) {
  int64_t end = step.depth + step.tokens;
  return static_cast<double>(window ? std::min(end, window + step.tokens - 1) : end);
}

// Programs have no math library.
static double power(double base, int64_t exponent) {
  double result = 1;
  for (; exponent > 0; exponent /= 2, base *= base)
    if (exponent % 2)
      result *= base;
  return result;
}

StepNeeds needsOf(const Work &work, const StepShape &step) {
  StepNeeds cost;
  const double tokens = static_cast<double>(step.sequences * step.tokens);
  for (const WorkPart &part : work) {
    const double times = static_cast<double>(part.times);
    const double rows = part.head ? static_cast<double>(step.logitRows) : tokens;
    if (rows == 0)
      continue;
    const double pairs = static_cast<double>(step.sequences) * seenByTokens(step, part.window);
    auto operations = [&](int64_t token, int64_t position) {
      return 2 * times *
             (rows * static_cast<double>(token) + pairs * static_cast<double>(position));
    };
    cost.f32 += operations(part.token.f32, part.position.f32);
    cost.bf16 += operations(part.token.bf16, part.position.bf16);
    cost.int8 += operations(part.token.int8, part.position.int8);

    double bytes = static_cast<double>(part.bytes) + rows * static_cast<double>(part.tokenBytes);
    bytes += static_cast<double>(step.sequences * part.kvBytes) * seenBySequence(step, part.window);
    if (part.experts > 0) {
      const double experts = static_cast<double>(part.experts);
      const double missed = 1 - static_cast<double>(part.chosen) / experts; // by one token
      bytes += static_cast<double>(part.expertBytes) * experts *
               (1 - power(missed, step.sequences * step.tokens));
    }
    cost.bytes += times * bytes;
  }
  return cost;
}

double memorySeconds(const StepNeeds &cost, const MachineLimits &limits) {
  return limits.read > 0 ? cost.bytes / limits.read : 0;
}

double operationSeconds(const StepNeeds &cost, const MachineLimits &limits) {
  double seconds = 0;
  for (auto [operations, rate] :
       {std::pair(cost.f32, limits.f32), {cost.bf16, limits.bf16}, {cost.int8, limits.int8}}) {
    if (operations > 0 && rate <= 0)
      return 0;
    if (operations > 0)
      seconds += operations / rate;
  }
  return seconds;
}

bool parseLimits(std::string_view text, int64_t threads, MachineLimits &limits,
                 std::string &error) {
  limits = {};
  JsonValue object;
  if (!parseJson(text, object, error))
    return false;
  const JsonValue *list = object.find("limits");
  if (!list || list->kind != JsonValue::Array) {
    error =
        "expected an object with a list \"limits\", as `moire bench --limits -o json` prints it";
    return false;
  }
  for (const JsonValue &entry : list->items) {
    const JsonValue *kind = entry.find("kind"), *team = entry.find("threads"),
                    *rate = entry.find("rate");
    if (!kind || kind->kind != JsonValue::String || !team || team->kind != JsonValue::Integer ||
        !rate || (rate->kind != JsonValue::Real && rate->kind != JsonValue::Integer)) {
      error = "an entry of \"limits\" lacks its kind, threads or rate";
      return false;
    }
    if (team->integer != threads)
      continue;
    for (auto [name, place] : {std::pair("f32", &limits.f32),
                               {"bf16", &limits.bf16},
                               {"int8", &limits.int8},
                               {"read", &limits.read}})
      if (kind->string == name)
        *place = rate->real;
  }
  return true;
}

} // namespace moire
