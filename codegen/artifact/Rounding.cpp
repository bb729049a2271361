#include "codegen/artifact/Rounding.h"

#include "frontends/weights/Blocks.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

// The same bits on every machine that compiles: no fused multiply-adds.
#pragma STDC FP_CONTRACT OFF

namespace moire {

/// Factors for the range of the values. Of blocks that are wide, or have outliers, those below 1.
static constexpr float kRanges[] = {1.05f, 0.95f, 0.9f, 0.85f, 0.8f, 0.75f, 0.7f, 0.65f};
/// How often a scale is refitted to its integers.
static constexpr int kRefits = 2;
/// What the weights of errors have beside |x| with minima, in root mean squares of the block.
static constexpr float kBase = 3;

namespace {

/// A number of each of some rows, as many as every x86-64 has in a register.
constexpr int64_t kLanes = 4;
using Lanes = float __attribute__((vector_size(4 * kLanes)));

/// Numbers that a scale can be.
struct Fit {
  Lanes scale, minimum;
};

/// Sums over the columns of a block, by their weights, for the integers q that a fit gives.
struct Sums {
  Lanes error = {}, q = {}, qq = {}, xq = {};
};

/// The search for the blocks of some rows.
class Search {
public:
  Search(const PanelInfo &info, const Lanes *x, int64_t columns)
      : x(x), columns(columns), scales(info.scales), hasMinimum(info.minima),
        low(info.bits == 8 ? -127 : -info.zero), high(info.bits == 8 ? 127 : 15 - info.zero) {}

  Fit run();
  Lanes integers(Lanes values, const Fit &fit, Lanes inverse) const;
  static Lanes inverseOf(Lanes scale);

private:
  Fit ofRange(float factor) const;
  Sums sumsOf(const Fit &fit) const;
  Fit refitted(const Fit &fit, const Sums &sums) const;

  Lanes rounded(Lanes values) const;

  const Lanes *x;
  int64_t columns;
  Scales scales;
  bool hasMinimum;
  float low, high;
  Lanes weightOf(Lanes value) const { return __builtin_elementwise_abs(value) + base; }

  Lanes least = {}, largest = {}, base = {};
  Lanes weights = {}, sum = {}; // of the weights w, and of w x
};

} // namespace

static Lanes splat(float value) { return Lanes{} + value; }

static uint16_t toScale(Scales scales, float value) {
  return scales == Scales::Brain ? toBf16(value) : toF16(value);
}

/// The nearest numbers that a scale can be; the largest for what is beyond it.
Lanes Search::rounded(Lanes values) const {
  const float most = scales == Scales::Brain ? 0x1.fep127f : 65504;
  for (int64_t row = 0; row < kLanes; ++row)
    values[row] = fromScale(scales, toScale(scales, std::clamp(values[row], -most, most)));
  return values;
}

/// `a` where the condition holds, else `b`.
static Lanes choose(decltype(Lanes{} < Lanes{}) condition, Lanes a, Lanes b) {
  return condition ? a : b;
}

/// 1 / scale, or 0: then all integers are 0.
Lanes Search::inverseOf(Lanes scale) { return choose(scale == 0.f, Lanes{}, splat(1) / scale); }

Lanes Search::integers(Lanes values, const Fit &fit, Lanes inverse) const {
  // Adding so large a number leaves no bits for a fraction: to nearest, ties to even.
  constexpr float kLarge = 0x1.8p23f;
  Lanes q = (values - fit.minimum) * inverse;
  q = __builtin_elementwise_min(__builtin_elementwise_max(q, splat(low)), splat(high));
  return (q + kLarge) - kLarge;
}

/// The scale that makes the range of the values `factor` times as wide as it is reach over all
/// codes.
Fit Search::ofRange(float factor) const {
  if (!hasMinimum) {
    Lanes extreme = choose(largest > -least, largest, least);
    return {rounded(extreme * (factor / low)), {}};
  }
  Lanes centre = (largest + least) * 0.5f, half = (largest - least) * (0.5f * factor);
  return {rounded(half * (2 / high)), rounded(centre - half)};
}

Sums Search::sumsOf(const Fit &fit) const {
  Sums sums;
  Lanes inverse = inverseOf(fit.scale);
  for (int64_t i = 0; i < columns; ++i) {
    Lanes q = integers(x[i], fit, inverse);
    Lanes rest = x[i] - (fit.scale * q + fit.minimum);
    Lanes weight = weightOf(x[i]), weighted = weight * q;
    sums.error += weight * (rest * rest);
    sums.qq += weighted * q;
    sums.xq += x[i] * weighted;
    sums.q += weighted;
  }
  return sums;
}

/// The best fit for the integers that `fit` gave, or `fit` where they say nothing.
Fit Search::refitted(const Fit &fit, const Sums &sums) const {
  if (!hasMinimum)
    return {rounded(choose(sums.qq == 0.f, fit.scale, sums.xq / sums.qq)), {}};
  Lanes determinant = weights * sums.qq - sums.q * sums.q;
  Lanes scale = (weights * sums.xq - sum * sums.q) / determinant;
  Lanes minimum = (sum - scale * sums.q) / weights;
  return {rounded(choose(determinant == 0.f, fit.scale, scale)),
          rounded(choose(determinant == 0.f, fit.minimum, minimum))};
}

Fit Search::run() {
  least = largest = x[0];
  Lanes squares = {};
  for (int64_t i = 0; i < columns; ++i) {
    least = __builtin_elementwise_min(least, x[i]);
    largest = __builtin_elementwise_max(largest, x[i]);
    squares += x[i] * x[i];
  }
  if (hasMinimum)
    base = kBase * __builtin_elementwise_sqrt(squares / static_cast<float>(columns));
  for (int64_t i = 0; i < columns; ++i) {
    weights += weightOf(x[i]);
    sum += weightOf(x[i]) * x[i];
  }
  Fit best = ofRange(1);
  Sums bestSums = sumsOf(best);
  auto tryFit = [&](const Fit &fit) {
    Sums sums = sumsOf(fit);
    auto better = sums.error < bestSums.error;
    best = {choose(better, fit.scale, best.scale), choose(better, fit.minimum, best.minimum)};
    bestSums = {choose(better, sums.error, bestSums.error), choose(better, sums.q, bestSums.q),
                choose(better, sums.qq, bestSums.qq), choose(better, sums.xq, bestSums.xq)};
  };
  for (float factor : kRanges)
    tryFit(ofRange(factor));
  for (int i = 0; i < kRefits; ++i)
    tryFit(refitted(best, bestSums));
  return best;
}

/// Rounds kLanes rows from `first` on.
static void roundRows(const PanelInfo &info, const float *values, int64_t columns, int64_t first,
                      RoundedBlock &block) {
  Lanes x[kWidestBlock], zeros = {};
  for (int64_t i = 0; i < columns; ++i) {
    std::memcpy(&x[i], values + i * kPanelRows + first, sizeof x[i]);
    zeros += x[i] * 0.f;
  }
  const auto finite = zeros == 0.f; // else there is a NaN among them
  for (int64_t i = 0; i < columns; ++i)
    x[i] = choose(finite, x[i], Lanes{});

  Search search(info, x, columns);
  const Fit fit = search.run();
  const Lanes inverse = Search::inverseOf(fit.scale);
  for (int64_t i = 0; i < columns; ++i) {
    Lanes q = search.integers(x[i], fit, inverse);
    for (int64_t row = 0; row < kLanes; ++row)
      block.codes[i][first + row] = static_cast<uint8_t>(static_cast<int>(q[row]) + info.zero);
  }
  for (int64_t row = 0; row < kLanes; ++row) {
    block.scales[first + row] = toScale(info.scales, finite[row] ? fit.scale[row] : NAN);
    block.minima[first + row] = toScale(info.scales, fit.minimum[row]);
  }
}

float fromScale(Scales scales, uint16_t bits) {
  return scales == Scales::Brain ? fromBf16(bits) : fromF16(bits);
}

void roundBlock(const PanelInfo &info, const float *values, int64_t columns, RoundedBlock &block) {
  assert(columns > 0 && columns <= kWidestBlock);
  for (int64_t first = 0; first < kPanelRows; first += kLanes)
    roundRows(info, values, columns, first, block);
}

} // namespace moire
