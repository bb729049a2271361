// Tensors without a file: what their elements are, in every storage type.

#include "frontends/weights/Synthetic.h"

#include "frontends/weights/Dequantize.h"
#include "gtest/gtest.h"

#include <cmath>
#include <numeric>

using namespace moire;

namespace {

std::vector<uint8_t> bytesOf(const TensorEntry &tensor) {
  std::vector<uint8_t> scratch;
  const uint8_t *bytes = tensor.bytesAt(0, tensor.bytes, scratch);
  return {bytes, bytes + tensor.bytes};
}

std::vector<float> valuesOf(const TensorEntry &tensor) {
  std::vector<float> values(rowCount(tensor) * rowElements(tensor));
  dequantize(tensor.type, bytesOf(tensor), values);
  return values;
}

class Synthetic : public testing::TestWithParam<StorageType> {};

} // namespace

TEST_P(Synthetic, ElementsSpreadEvenlyAroundZero) {
  TensorEntry tensor =
      makeSyntheticTensor(7, "a", GetParam(), {64, 256}, {.deviation = 0.25, .matrix_rows = 64});
  std::vector<float> values = valuesOf(tensor);
  double sum = 0, squares = 0, most = 0;
  for (float value : values) {
    sum += value;
    squares += value * value;
    most = std::max<double>(most, std::fabs(value));
  }
  auto count = static_cast<double>(values.size());
  EXPECT_NEAR(sum / count, 0, 0.01);
  EXPECT_NEAR(std::sqrt(squares / count), 0.25, 0.005);
  EXPECT_LT(most, 0.25 * 1.9); // sqrt(3) and what blocks round
  EXPECT_GT(most, 0.25 * 1.5);
}

TEST_P(Synthetic, BytesFollowFromSeedNameAndPlace) {
  auto make = [&](uint64_t seed, const char *name) {
    return makeSyntheticTensor(seed, name, GetParam(), {4, 64}, {.deviation = 1});
  };
  TensorEntry tensor = make(1, "a");
  std::vector<uint8_t> all = bytesOf(tensor);
  EXPECT_EQ(all, bytesOf(make(1, "a")));
  EXPECT_NE(all, bytesOf(make(2, "a")));
  EXPECT_NE(all, bytesOf(make(1, "b")));
  uint64_t row = tensor.bytes / 4;
  std::vector<uint8_t> scratch;
  const uint8_t *third = tensor.bytesAt(2 * row, row, scratch);
  EXPECT_TRUE(std::equal(third, third + row, all.begin() + 2 * row));
}

TEST_P(Synthetic, ZeroRowsAndAColumnThatIsTheSame) {
  TensorEntry tensor = makeSyntheticTensor(
      7, "a", GetParam(), {2, 8, 64},
      {.deviation = 1, .matrix_rows = 8, .zero_rows = 3, .same_column = 37, .same_value = 1});
  std::vector<float> values = valuesOf(tensor);
  for (int64_t row = 0; row < 16; ++row)
    for (int64_t column = 0; column < 64; ++column) {
      float value = values[row * 64 + column];
      if (row % 8 < 3)
        EXPECT_EQ(value, 0) << row;
      else if (column == 37)
        EXPECT_NEAR(value, 1, 0.12) << row; // 4 bits have steps of 0.24
    }
}

INSTANTIATE_TEST_SUITE_P(Types, Synthetic,
                         testing::Values(StorageType::F32, StorageType::F16, StorageType::BF16,
                                         StorageType::Q4_0, StorageType::Q4_1, StorageType::Q8_0),
                         [](const auto &type) {
                           return std::string(storageTypeInfo(type.param).name);
                         });

TEST(SyntheticConstant, HasNoNoise) {
  TensorEntry tensor = makeSyntheticTensor(1, "norm", StorageType::F32, {16}, {.constant = 1});
  EXPECT_EQ(valuesOf(tensor), std::vector<float>(16, 1));
}

TEST(SyntheticRouting, RouterRowsAreOrthogonal) {
  SyntheticRouter router{3, 16, 2, std::vector<float>(16, 0.5F)};
  for (int64_t a = 0; a < 16; ++a)
    for (int64_t b = 0; b <= a; ++b) {
      double dot = 0;
      for (int64_t column = 0; column < 16; ++column)
        dot += router.element(a, column) * router.element(b, column);
      EXPECT_NEAR(dot, a == b ? 4 : 0, 1e-5);
    }
  EXPECT_EQ(router.element(3, 16), 1); // preference times scale
  EXPECT_EQ(router.element(3, 17), 0);
}

TEST(SyntheticRouting, ZipfsLaw) {
  std::vector<double> shares = zipfFrequencies(64, 6, 1.1);
  EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 6, 1e-9);
  EXPECT_EQ(shares[0], 1); // would be more than always
  EXPECT_NEAR(shares[40] / shares[20], std::pow(41.0 / 21, -1.1), 1e-9);
  EXPECT_EQ(zipfFrequencies(8, 2, 0), std::vector<double>(8, 0.25));
  EXPECT_EQ(zipfPreferences(8, 2, 0), std::vector<float>(8, 0));
}
