#include "frontends/weights/Synthetic.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

using namespace moire;

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t moire::syntheticHash(uint64_t seed, uint64_t place) {
  uint64_t x = seed + place * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

static uint64_t hashOf(std::string_view text, uint64_t seed) {
  for (char c : text)
    seed = syntheticHash(seed ^ static_cast<unsigned char>(c), 1);
  return seed;
}

/// Signs of a Hadamard matrix, whose rows are orthogonal, with columns turned by the seed. Experts
/// beyond its size get the same with other columns turned.
float SyntheticRouter::element(int64_t expert, int64_t column) const {
  if (column > noise_columns)
    return 0;
  if (column == noise_columns)
    return static_cast<float>(preferences[expert] * scale);
  bool negative = std::popcount(static_cast<uint64_t>(expert % noise_columns & column)) & 1;
  uint64_t turned = syntheticHash(seed + static_cast<uint64_t>(expert / noise_columns), column);
  negative ^= turned & 1;
  auto size = static_cast<float>(scale / std::sqrt(static_cast<double>(noise_columns)));
  return negative ? -size : size;
}

/// To nearest, for numbers that are normal as f16 or 0; smaller ones become 0.
static uint16_t toHalf(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  uint32_t rounded = (bits & 0x7FFFFFFF) + 0xFFF + (bits >> 13 & 1);
  constexpr uint32_t smallest = 113 << 23; // 2^-14
  constexpr uint32_t largest = 0x477FE000; // 65504
  if (rounded < smallest)
    return sign;
  return sign | static_cast<uint16_t>((std::min(rounded, largest) - (112 << 23)) >> 13);
}

static uint16_t toBfloat(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

namespace {

class Maker final : public ByteMaker {
public:
  Maker(uint64_t seed, const TensorEntry &tensor, SyntheticElements elements)
      : seed(hashOf(tensor.name, syntheticHash(seed, 1))), elements(std::move(elements)),
        type(tensor.type), k(tensor.shape.back()) {}

  void make(uint64_t offset, std::span<uint8_t> bytes) const override {
    const StorageTypeInfo &info = storageTypeInfo(type);
    assert(offset % info.block_bytes == 0 && bytes.size() % info.block_bytes == 0);
    int64_t block = static_cast<int64_t>(offset / info.block_bytes);
    uint8_t *end = bytes.data() + bytes.size();
    for (uint8_t *at = bytes.data(); at != end; at += info.block_bytes, ++block)
      makeBlock(block, at);
  }

private:
  bool isZeroRow(int64_t row) const {
    return elements.zero_rows && row % elements.matrix_rows < elements.zero_rows;
  }

  float value(int64_t element) const {
    int64_t row = element / k, column = element % k;
    if (elements.router)
      return elements.router->element(row, column);
    if (isZeroRow(row))
      return 0;
    if (column == elements.same_column)
      return static_cast<float>(elements.same_value);
    if (elements.deviation == 0)
      return static_cast<float>(elements.constant);
    auto bits = static_cast<uint16_t>(syntheticHash(seed, element / 4) >> (16 * (element % 4)));
    return static_cast<float>((bits - 32767.5) / 32767.5 * std::sqrt(3.0) * elements.deviation);
  }

  /// One element of a plain type, or a block.
  void makeBlock(int64_t block, uint8_t *at) const {
    switch (type) {
    case StorageType::F32: {
      float number = value(block);
      std::memcpy(at, &number, sizeof number);
      return;
    }
    case StorageType::F16:
    case StorageType::BF16: {
      uint16_t number = type == StorageType::F16 ? toHalf(value(block)) : toBfloat(value(block));
      std::memcpy(at, &number, sizeof number);
      return;
    }
    case StorageType::Q8_0:
      return makeQ8(block, at);
    default:
      return makeQ4(block, at);
    }
  }

  /// The place in this block of the column that is the same in all rows, or -1.
  int64_t samePlace(int64_t block) const {
    int64_t place = elements.same_column - block * 32 % k;
    return elements.same_column >= 0 && place >= 0 && place < 32 ? place : -1;
  }

  /// q8_0: f16 scale, 32 signed bytes. Bytes from -127 to 127 have the deviation 73.3.
  void makeQ8(int64_t block, uint8_t *at) const {
    std::memset(at, 0, 34);
    if (isZeroRow(block * 32 / k))
      return;
    double step = elements.deviation / 73.3;
    uint16_t scale = toHalf(static_cast<float>(step));
    std::memcpy(at, &scale, sizeof scale);
    for (int64_t word = 0; word < 4; ++word) {
      uint64_t bits = syntheticHash(seed, block * 4 + word);
      std::memcpy(at + 2 + 8 * word, &bits, sizeof bits);
    }
    for (int64_t n = 0; n < 32; ++n)
      if (at[2 + n] == 0x80)
        at[2 + n] = 0;
    if (int64_t place = samePlace(block); place >= 0)
      at[2 + place] = static_cast<uint8_t>(static_cast<int8_t>(
          std::clamp<double>(std::round(elements.same_value / step), -127, 127)));
  }

  /// q4_0: f16 scale, 16 bytes of nibbles that mean nibble - 8; without the nibble 0, which would
  /// shift the mean, they have the deviation 4.18. q4_1: scale and minimum; 15 steps around 0.
  void makeQ4(int64_t block, uint8_t *at) const {
    bool centered = type == StorageType::Q4_0;
    uint8_t *nibbles = at + (centered ? 2 : 4);
    bool zero = isZeroRow(block * 32 / k);
    double step = zero ? 0 : elements.deviation / (centered ? 4.18 : 4.61);
    uint16_t scale = toHalf(static_cast<float>(step)),
             minimum = toHalf(static_cast<float>(-7.5 * step));
    std::memcpy(at, &scale, sizeof scale);
    if (!centered)
      std::memcpy(at + 2, &minimum, sizeof minimum);
    for (int64_t word = 0; word < 2; ++word) {
      constexpr uint64_t ones = 0x1111111111111111;
      uint64_t bits = zero ? 8 * ones : syntheticHash(seed, block * 2 + word);
      uint64_t isNull = ~(bits | bits >> 1 | bits >> 2 | bits >> 3) & ones;
      if (centered)
        bits |= isNull << 3;
      std::memcpy(nibbles + 8 * word, &bits, sizeof bits);
    }
    int64_t place = zero ? -1 : samePlace(block);
    if (place < 0)
      return;
    double level = std::round(elements.same_value / step + (centered ? 8 : 7.5));
    auto nibble = static_cast<uint8_t>(std::clamp<double>(level, 0, 15));
    uint8_t &byte = nibbles[place % 16];
    byte = place < 16 ? static_cast<uint8_t>((byte & 0xF0) | nibble)
                      : static_cast<uint8_t>((byte & 0x0F) | nibble << 4);
  }

  uint64_t seed;
  SyntheticElements elements;
  StorageType type;
  int64_t k;
};

} // namespace

bool moire::canSynthesize(StorageType type) {
  switch (type) {
  case StorageType::F32:
  case StorageType::F16:
  case StorageType::BF16:
  case StorageType::Q4_0:
  case StorageType::Q4_1:
  case StorageType::Q8_0:
    return true;
  default:
    return false;
  }
}

TensorEntry moire::makeSyntheticTensor(uint64_t seed, std::string name, StorageType type,
                                       std::vector<int64_t> shape, SyntheticElements elements) {
  const StorageTypeInfo &info = storageTypeInfo(type);
  assert(canSynthesize(type) && shape.back() % info.block_elements == 0);
  int64_t count = 1;
  for (int64_t dimension : shape)
    count *= dimension;
  TensorEntry tensor{
      std::move(name), type, std::move(shape),
      nullptr,         0,    static_cast<uint64_t>(count) / info.block_elements * info.block_bytes};
  tensor.maker = std::make_shared<Maker>(seed, tensor, std::move(elements));
  return tensor;
}
