// Rounding to our own formats: the error is never above that of plain scaling, and what can be said
// exactly is.

#include "codegen/artifact/Rounding.h"
#include "frontends/weights/Blocks.h"

#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <random>

using namespace moire;

namespace {

constexpr int64_t kRows = kPanelRows;

std::vector<PanelFormat> ownFormats() {
  return {
#define MOIRE_QUANT(enumerator, ...) PanelFormat::enumerator,
#include "dialects/Formats.def"
  };
}

int codeOf(const PanelInfo &info, const RoundedBlock &block, int64_t column, int64_t row) {
  int code = block.codes[column][row];
  return info.bits == 8 ? int8_t(code) : code - int(info.zero);
}

/// A number as the format's scales can say it.
float roundedScale(const PanelInfo &info, float value) {
  return info.scales == Scales::Brain ? fromBf16(toBf16(value)) : fromF16(toF16(value));
}

float valueOf(const PanelInfo &info, const RoundedBlock &block, int64_t column, int64_t row) {
  float value = float(codeOf(info, block, column, row)) * fromScale(info.scales, block.scales[row]);
  return info.minima ? value + fromScale(info.scales, block.minima[row]) : value;
}

/// The sum of weighted squared errors of one row, for some codes.
double errorOf(const PanelInfo &info, const std::vector<float> &x,
               const std::function<double(int64_t)> &value) {
  double squares = 0, sum = 0;
  for (float v : x)
    squares += double(v) * v;
  const double base = info.minima ? 3 * std::sqrt(squares / double(x.size())) : 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum += (std::abs(x[i]) + base) * std::pow(x[i] - value(int64_t(i)), 2);
  return sum;
}

/// That of plain scaling: the largest magnitude, or the range, reaches over all codes.
double plainError(const PanelInfo &info, const std::vector<float> &x) {
  const float low = info.bits == 8 ? -127.f : -float(info.zero),
              high = info.bits == 8 ? 127.f : 15.f - float(info.zero);
  float extreme = 0, least = x[0], most = x[0];
  for (float v : x) {
    extreme = std::abs(v) > std::abs(extreme) ? v : extreme;
    least = std::min(least, v), most = std::max(most, v);
  }
  const float minimum = info.minima ? roundedScale(info, least) : 0;
  const float scale = roundedScale(info, info.minima ? (most - least) / 15 : extreme / low);
  return errorOf(info, x, [&](int64_t i) {
    float q = scale == 0 ? 0 : std::nearbyint((x[i] - minimum) / scale);
    return scale * std::clamp(q, low, high) + minimum;
  });
}

class Rounding : public testing::TestWithParam<PanelFormat> {
protected:
  const PanelInfo &info = panelInfo(GetParam());
  std::mt19937 random{1};

  std::vector<float> rowOf(const std::vector<float> &values, int64_t row) {
    std::vector<float> x(values.size() / kRows);
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = values[i * kRows + row];
    return x;
  }
};

TEST_P(Rounding, IsNeverWorseThanPlainScaling) {
  std::normal_distribution<float> normal;
  const std::function<float(int64_t)> kinds[] = {
      [&](int64_t) { return normal(random); },
      [&](int64_t) { return std::exp(normal(random)); },                      // one sign
      [&](int64_t) { return normal(random) * std::exp(2 * normal(random)); }, // heavy tails
      [&](int64_t i) { return i == 5 ? 40.f : normal(random); },              // an outlier
      [&](int64_t) { return normal(random) * 1e-7f; },                        // denormal scales
      [&](int64_t) { return normal(random) * 1e-12f; },                       // none
      [&](int64_t) { return normal(random) * 1e4f; },                         // near the largest
      [&](int64_t i) { return i % 3 ? 1.f : -1.f; },
      [&](int64_t) { return 0.3f; },
      [&](int64_t) { return 0.f; },
  };
  double searched = 0, plain = 0;
  for (size_t kind = 0; kind < std::size(kinds); ++kind)
    for (int64_t columns : {info.columns, int64_t(32)}) {
      std::vector<float> values(columns * kRows);
      for (size_t i = 0; i < values.size(); ++i)
        values[i] = kinds[kind](int64_t(i) / kRows);
      RoundedBlock block;
      roundBlock(info, values.data(), columns, block);
      for (int64_t row = 0; row < kRows; ++row) {
        std::vector<float> x = rowOf(values, row);
        double found = errorOf(info, x, [&](int64_t i) { return valueOf(info, block, i, row); });
        double bound = plainError(info, x);
        ASSERT_LE(found, bound * (1 + 1e-5)) << "kind " << kind << " row " << row;
        if (kind == 0)
          searched += found, plain += bound;
      }
    }
  // Of normal numbers it gains with 4 bits; with 8 bits the range is rarely worth changing.
  EXPECT_LT(searched, plain * (info.bits == 8 ? 1 : 0.95));
}

TEST_P(Rounding, CodesAreTheNearestOnes) {
  std::normal_distribution<float> normal;
  std::vector<float> values(info.columns * kRows);
  for (float &value : values)
    value = normal(random);
  RoundedBlock block;
  roundBlock(info, values.data(), info.columns, block);
  const int low = info.bits == 8 ? -127 : -int(info.zero), high = info.bits == 8 ? 127 : 15 + low;
  for (int64_t i = 0; i < info.columns; ++i)
    for (int64_t row = 0; row < kRows; ++row) {
      const int code = codeOf(info, block, i, row);
      ASSERT_GE(code, low);
      ASSERT_LE(code, high);
      const float x = values[i * kRows + row],
                  step = std::abs(fromScale(info.scales, block.scales[row]));
      const float rest = std::abs(x - valueOf(info, block, i, row));
      if (code != low && code != high)
        ASSERT_LE(rest, step * 0.5001f) << i << " " << row;
    }
}

TEST_P(Rounding, WhatCanBeSaidExactlyIs) {
  const int low = info.bits == 8 ? -127 : -int(info.zero), high = info.bits == 8 ? 127 : 15 + low;
  std::uniform_int_distribution<int> codes(low, high);
  std::vector<float> values(info.columns * kRows);
  for (int64_t i = 0; i < info.columns; ++i)
    for (int64_t row = 0; row < kRows; ++row) {
      int code = i == 3 ? low : i == 7 ? high : codes(random);
      values[i * kRows + row] =
          float(code) * std::ldexp(1.f, -int(row)) + (info.minima ? -2.5f : 0);
    }
  RoundedBlock block;
  roundBlock(info, values.data(), info.columns, block);
  for (int64_t i = 0; i < info.columns; ++i)
    for (int64_t row = 0; row < kRows; ++row)
      ASSERT_EQ(valueOf(info, block, i, row), values[i * kRows + row]) << i << " " << row;
}

class RoundingBf16Scales : public Rounding {};

// What an f16 scale makes zeros, or cannot reach, a bf16 scale says as well as everything else.
TEST_P(RoundingBf16Scales, HaveTheRangeOfF32) {
  std::normal_distribution<float> normal;
  for (float magnitude : {1e-20f, 1e-9f, 1e9f, 1e20f}) {
    std::vector<float> values(info.columns * kRows);
    for (float &value : values)
      value = normal(random) * magnitude;
    RoundedBlock block;
    roundBlock(info, values.data(), info.columns, block);
    for (int64_t row = 0; row < kRows; ++row) {
      double squares = 0, errors = 0;
      for (int64_t i = 0; i < info.columns; ++i) {
        const double x = values[i * kRows + row];
        squares += x * x, errors += std::pow(x - valueOf(info, block, i, row), 2);
      }
      ASSERT_LT(errors, 0.03 * squares) << magnitude;
    }
  }
}

TEST_P(Rounding, RowsAreIndependentAndWithoutNumbersAreNone) {
  std::normal_distribution<float> normal;
  std::vector<float> values(info.columns * kRows);
  for (float &value : values)
    value = normal(random);
  RoundedBlock before, after;
  roundBlock(info, values.data(), info.columns, before);
  values[9 * kRows + 2] = NAN;
  values[11 * kRows + 6] = -INFINITY;
  roundBlock(info, values.data(), info.columns, after);
  for (int64_t row = 0; row < kRows; ++row)
    for (int64_t i = 0; i < info.columns; ++i)
      if (row == 2 || row == 6)
        ASSERT_TRUE(std::isnan(valueOf(info, after, i, row)));
      else
        ASSERT_EQ(valueOf(info, after, i, row), valueOf(info, before, i, row));
}

INSTANTIATE_TEST_SUITE_P(Own, Rounding, testing::ValuesIn(ownFormats()), [](const auto &format) {
  return std::string(panelInfo(format.param).name);
});

INSTANTIATE_TEST_SUITE_P(Own, RoundingBf16Scales,
                         testing::Values(PanelFormat::Int4_G128_BF16, PanelFormat::Uint4_G32_BF16,
                                         PanelFormat::Int8_G64_BF16),
                         [](const auto &format) {
                           return std::string(panelInfo(format.param).name);
                         });

} // namespace
