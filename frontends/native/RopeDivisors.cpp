#include "frontends/native/RopeDivisors.h"

#include <algorithm>
#include <cmath>
#include <numbers>

using namespace moire;

/// By what `scaling` divides the frequency of `waveLength`: see `#moe.llama3_scaling`.
static double divisorOf(const RopeScaling &scaling, double waveLength) {
  auto context = static_cast<double>(scaling.original_context);
  if (waveLength < context / scaling.high_factor)
    return 1;
  if (waveLength > context / scaling.low_factor)
    return scaling.factor;
  double smooth =
      (context / waveLength - scaling.low_factor) / (scaling.high_factor - scaling.low_factor);
  return 1 / ((1 - smooth) / scaling.factor + smooth);
}

std::optional<RopeScaling> moire::findLlama3Scaling(const std::vector<float> &divisors,
                                                    double base) {
  RopeScaling scaling;
  scaling.kind = RopeScaling::Kind::Llama3;
  scaling.low_factor = 1;
  scaling.high_factor = 4;
  for (float divisor : divisors)
    scaling.factor = std::max<double>(scaling.factor, divisor);
  if (!(scaling.factor > 1) || !std::isfinite(scaling.factor) || !(base > 0))
    return std::nullopt;

  std::vector<double> waveLengths;
  for (size_t j = 0; j < divisors.size(); ++j)
    waveLengths.push_back(2 * std::numbers::pi *
                          std::pow(base, static_cast<double>(j) / divisors.size()));

  // Each divisor between 1 and the factor gives the context; without any, it lies between the wave
  // lengths of the last 1 and the first whole factor.
  double sum = 0, count = 0, lower = 0, upper = INFINITY;
  for (size_t j = 0; j < divisors.size(); ++j) {
    double divisor = divisors[j];
    if (divisor < 1 + 1e-4) {
      lower = std::max(lower, waveLengths[j] * scaling.high_factor);
    } else if (divisor > scaling.factor * (1 - 1e-4)) {
      upper = std::min(upper, waveLengths[j] * scaling.low_factor);
    } else {
      double smooth = (1 / divisor - 1 / scaling.factor) / (1 - 1 / scaling.factor);
      sum += waveLengths[j] *
             (scaling.low_factor + smooth * (scaling.high_factor - scaling.low_factor));
      ++count;
    }
  }
  double context = std::round(count > 0 ? sum / count : (lower + upper) / 2);
  if (!(context >= 1 && context <= 1e9))
    return std::nullopt;
  scaling.original_context = static_cast<int64_t>(context);
  for (size_t j = 0; j < divisors.size(); ++j) {
    double divisor = divisorOf(scaling, waveLengths[j]);
    if (!(std::fabs(divisors[j] - divisor) <= 1e-5 * divisor))
      return std::nullopt;
  }
  return scaling;
}
