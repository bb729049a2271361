// exp and log in double precision, so that a compiled program needs no math library and computes
// the same bits on every machine.

#ifndef MOIRE_RUNTIME_MATH_H
#define MOIRE_RUNTIME_MATH_H

#include <bit>
#include <cstdint>

namespace moire {

/// e to the x; relative error below 1e-15. Below -708 the result is 0, above 709 it is that of 709.
/// Free of branches: loops over it vectorize.
inline double exponential(double x) {
  double clamped = x < -708.0 ? -708.0 : x > 709.0 ? 709.0 : x;
  // x = k ln 2 + r with |r| <= ln 2 / 2. Adding 1.5 * 2^52 rounds to an integer, which then stands
  // in the low bits; ln 2 comes in two parts so that r keeps its last bits.
  constexpr double kRound = 6755399441055744.0;
  double shifted = clamped * 1.4426950408889634 + kRound;
  double k = shifted - kRound;
  double r = clamped - k * 6.93147180369123816490e-01 - k * 1.90821492927058770002e-10;
  // Taylor's series: the first term left out is below 5e-18 of the result.
  double sum = 1.0 / 6227020800.0;
  sum = sum * r + 1.0 / 479001600.0;
  sum = sum * r + 1.0 / 39916800.0;
  sum = sum * r + 1.0 / 3628800.0;
  sum = sum * r + 1.0 / 362880.0;
  sum = sum * r + 1.0 / 40320.0;
  sum = sum * r + 1.0 / 5040.0;
  sum = sum * r + 1.0 / 720.0;
  sum = sum * r + 1.0 / 120.0;
  sum = sum * r + 1.0 / 24.0;
  sum = sum * r + 1.0 / 6.0;
  sum = sum * r + 0.5;
  sum = sum * r + 1.0;
  sum = sum * r + 1.0;
  uint64_t exponent = (std::bit_cast<uint64_t>(shifted) + 1023) << 52;
  double result = sum * std::bit_cast<double>(exponent);
  return x < -708.0 ? 0.0 : result;
}

/// The natural logarithm of a positive normal number; relative error below 1e-15 (absolute near 1).
inline double logarithm(double x) {
  // x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m = 2 artanh((m - 1) / (m + 1)).
  uint64_t bits = std::bit_cast<uint64_t>(x);
  uint64_t offset = bits - std::bit_cast<uint64_t>(0.70710678118654752440);
  double k = static_cast<double>(static_cast<int64_t>(offset) >> 52);
  double m = std::bit_cast<double>((offset & 0xFFFFFFFFFFFFFull) +
                                   std::bit_cast<uint64_t>(0.70710678118654752440));
  double s = (m - 1.0) / (m + 1.0), square = s * s;
  double sum = 0.0;
  for (int n = 21; n >= 3; n -= 2)
    sum = (sum + 1.0 / n) * square;
  return k * 6.93147180369123816490e-01 +
         (2.0 * s + (2.0 * s * sum + k * 1.90821492927058770002e-10));
}

} // namespace moire

#endif
