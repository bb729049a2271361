#include "test/codegen/cpu/KvStorage.h"
#include "test/codegen/cpu/Weights.h"

#include <cmath>
#include <cstring>
#include <limits>

namespace moire::test {

std::string elementOf(KvFormat format) {
  static const char *const names[] = {"f32", "f16", "bf16", "i8"};
  return names[static_cast<int>(format)];
}

int64_t elementBytes(KvFormat format) {
  return format == KvFormat::F32 ? 4 : format == KvFormat::Int8 ? 1 : 2;
}

KvHeadLayout::KvHeadLayout(KvFormat format, int64_t headDim, int64_t page) {
  const int64_t scales = format == KvFormat::Int8 ? 4 * page : 0;
  valueStride = (headDim + 15) / 16 * 16 * elementBytes(format);
  keyScales = headDim * page * elementBytes(format);
  values = keyScales + scales;
  valueScales = values + page * valueStride;
  bytes = valueScales + scales;
}

template <typename T> static void append(std::vector<uint8_t> &bytes, T value) {
  const auto *from = reinterpret_cast<const uint8_t *>(&value);
  bytes.insert(bytes.end(), from, from + sizeof value);
}

static uint16_t toBFloat(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if (std::isnan(value))
    return bits >> 16 | 0x40;
  const uint32_t below = bits & 0xffff;
  uint16_t upper = bits >> 16;
  if (below > 0x8000 || (below == 0x8000 && upper % 2))
    ++upper; // from the largest finite number to infinity, too
  return upper;
}

static StoredRow storeInt8(const std::vector<float> &row) {
  StoredRow stored;
  stored.bytes.resize(row.size());
  float largest = 0;
  for (float x : row) {
    if (!std::isfinite(x)) {
      stored.scale = std::numeric_limits<float>::quiet_NaN();
      return stored;
    }
    largest = std::fmax(largest, std::fabs(x));
  }
  if (largest < std::ldexp(1.0f, -100))
    return stored;
  stored.scale = largest / 127;
  for (size_t i = 0; i < row.size(); ++i)
    stored.bytes[i] = static_cast<int8_t>(std::nearbyintf(row[i] * (127 / largest)));
  return stored;
}

StoredRow store(KvFormat format, const std::vector<float> &row) {
  if (format == KvFormat::Int8)
    return storeInt8(row);
  StoredRow stored;
  for (float x : row) {
    if (format == KvFormat::F32)
      append(stored.bytes, x);
    else if (format == KvFormat::F16)
      append(stored.bytes, static_cast<_Float16>(x));
    else
      append(stored.bytes, toBFloat(x));
  }
  return stored;
}

std::vector<float> read(KvFormat format, const StoredRow &row) {
  std::vector<float> values;
  const int64_t size = elementBytes(format);
  for (size_t at = 0; at < row.bytes.size(); at += size) {
    const uint8_t *bytes = row.bytes.data() + at;
    float value;
    if (format == KvFormat::Int8) {
      value = static_cast<float>(static_cast<int8_t>(*bytes)) * row.scale;
    } else if (format == KvFormat::F16) {
      _Float16 half;
      std::memcpy(&half, bytes, 2);
      value = static_cast<float>(half);
    } else {
      uint32_t bits = 0; // of bf16 the upper half
      std::memcpy(reinterpret_cast<uint8_t *>(&bits) + 4 - size, bytes, size);
      std::memcpy(&value, &bits, 4);
    }
    values.push_back(value);
  }
  return values;
}

} // namespace moire::test
