#include "frontends/weights/Dequantize.h"
#include "frontends/weights/Blocks.h"
#include "gtest/gtest.h"
#include <bit>
#include <cmath>
#include <cstring>

using namespace moire;

static std::shared_ptr<MappedFile> golden(const std::string &name) {
  ReadError error;
  auto file = MappedFile::open(std::string(MOIRE_GOLDEN_DIR) + "/ggml_blocks/" + name, error);
  EXPECT_TRUE(file) << error.message;
  return file;
}

namespace {

struct GoldenBlocks {
  std::string name;
  StorageType type;
};

class Dequantize : public testing::TestWithParam<GoldenBlocks> {};

} // namespace

TEST_P(Dequantize, EqualsGgmlBitForBit) {
  const auto [name, type] = GetParam();
  auto blocks = golden(name + ".bin");
  auto expected = golden(name + ".f32");
  ASSERT_TRUE(blocks && expected);
  std::vector<float> values(expected->bytes().size() / sizeof(float));
  const StorageTypeInfo &info = storageTypeInfo(type);
  ASSERT_EQ(values.size(), blocks->bytes().size() / info.block_bytes * info.block_elements);
  ASSERT_GE(values.size(), 2048u);
  dequantize(type, blocks->bytes(), values);
  EXPECT_EQ(std::memcmp(values.data(), expected->bytes().data(), expected->bytes().size()), 0);
}

TEST_P(Dequantize, RowsAreTheSameValues) {
  const auto [name, type] = GetParam();
  auto blocks = golden(name + ".bin");
  ASSERT_TRUE(blocks);
  const StorageTypeInfo &info = storageTypeInfo(type);
  const int64_t count = blocks->bytes().size() / info.block_bytes * info.block_elements;
  TensorEntry tensor{name, type, {2, 4, count / 8}, blocks, 0, blocks->bytes().size()};
  EXPECT_EQ(rowCount(tensor), 8);
  std::vector<float> all(count);
  dequantize(type, blocks->bytes(), all);
  std::vector<float> rows(2 * count / 8);
  dequantizeRows(tensor, /*firstRow=*/5, /*rows=*/2, rows);
  EXPECT_EQ(std::memcmp(rows.data(), &all[5 * count / 8], rows.size() * sizeof(float)), 0);
}

/// Every block format, under the name of its files.
static std::vector<GoldenBlocks> everyFormat() {
  return {
      {"BF16", StorageType::BF16},
#define MOIRE_BLOCK(enumerator, ...) {#enumerator, StorageType::enumerator},
#include "dialects/Formats.def"
  };
}

INSTANTIATE_TEST_SUITE_P(Blocks, Dequantize, testing::ValuesIn(everyFormat()),
                         [](const auto &info) { return info.param.name; });

TEST(DequantizeF16, EveryNumberHasItsValue) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const uint16_t half = bits;
    float value;
    dequantize(StorageType::F16, {reinterpret_cast<const uint8_t *>(&half), 2}, {&value, 1});
    const int exponent = bits >> 10 & 31;
    const int mantissa = bits & 1023;
    EXPECT_EQ(std::signbit(value), bits >> 15 != 0);
    if (exponent == 31 && mantissa != 0) {
      EXPECT_TRUE(std::isnan(value));
      continue;
    }
    const float magnitude = exponent == 31  ? HUGE_VALF
                            : exponent == 0 ? std::ldexp(float(mantissa), -24)
                                            : std::ldexp(float(1024 + mantissa), exponent - 25);
    EXPECT_EQ(std::fabs(value), magnitude) << bits;
  }
}

TEST(DequantizeF16, RoundsToTheNearest) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits)
    if ((bits & 0x7fff) <= 0x7c00)
      ASSERT_EQ(toF16(fromF16(static_cast<uint16_t>(bits))), bits);
    else
      ASSERT_TRUE(std::isnan(fromF16(toF16(fromF16(static_cast<uint16_t>(bits))))));
  // Everything between, and half way: the compiler's own conversion.
  for (uint64_t bits = 0; bits < 0x7f800000; bits += 0x3ff)
    for (uint32_t sign : {0u, 0x80000000u}) {
      const auto value = std::bit_cast<float>(static_cast<uint32_t>(bits) | sign);
      ASSERT_EQ(toF16(value), std::bit_cast<uint16_t>(static_cast<_Float16>(value))) << value;
    }
}

TEST(DequantizeF32, BytesNeedNotBeAligned) {
  uint8_t bytes[9] = {};
  const float numbers[2] = {1.5f, -0.0f};
  std::memcpy(bytes + 1, numbers, sizeof(numbers));
  float values[2];
  dequantize(StorageType::F32, {bytes + 1, 8}, values);
  EXPECT_EQ(std::memcmp(values, numbers, sizeof(numbers)), 0);
}
