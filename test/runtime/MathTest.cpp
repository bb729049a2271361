#include "runtime/Math.h"

#include "runtime/Format.h"

#include <gtest/gtest.h>

#include <cmath>

namespace moire {
namespace {

TEST(Math, ExponentialIsAccurate) {
  for (double x = -708; x < 709; x += 0.0371)
    EXPECT_NEAR(exponential(x) / std::exp(x), 1.0, 1e-15) << x;
  for (double x : {0.0, -0.0, 1e-300, -1e-17, 0.34657359, -0.34657360})
    EXPECT_NEAR(exponential(x), std::exp(x), 2.3e-16) << x;
  EXPECT_EQ(exponential(0), 1.0);
}

TEST(Math, ExponentialEndsGently) {
  EXPECT_EQ(exponential(-709), 0.0);
  EXPECT_EQ(exponential(-INFINITY), 0.0);
  EXPECT_EQ(exponential(1e9), exponential(709));
}

TEST(Math, LogarithmIsAccurate) {
  for (double x = 1e-300; x < 1e300; x *= 1.37)
    EXPECT_NEAR(logarithm(x), std::log(x), 1e-15 * std::fabs(std::log(x)) + 1e-16) << x;
  for (double x = 0.5; x < 2; x += 0.00713)
    EXPECT_NEAR(logarithm(x), std::log(x), 2.3e-16) << x;
  EXPECT_EQ(logarithm(1), 0.0);
}

TEST(Format, WritesSizesAsPeopleReadThem) {
  EXPECT_EQ(formatBytes(0), "0 bytes");
  EXPECT_EQ(formatBytes(9'999), "9999 bytes");
  EXPECT_EQ(formatBytes(98'362'432), "98.4 MB");
  EXPECT_EQ(formatBytes(1'250'000'000), "1.25 GB");
  EXPECT_EQ(formatBytes(UINT64_MAX), "18446744.1 TB");
}

} // namespace
} // namespace moire
