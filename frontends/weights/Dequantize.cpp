#include "frontends/weights/Dequantize.h"
#include <bit>
#include <cassert>
#include <cstring>

using namespace moire;

// q * d + m is rounded twice in ggml; a fused multiply-add would round once.
#pragma STDC FP_CONTRACT OFF

template <typename T> static T load(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

static float fromBf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

static float fromF16(uint16_t bits) {
  const uint32_t sign = uint32_t(bits & 0x8000) << 16;
  const uint32_t exponent = bits >> 10 & 0x1f;
  const uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0) {
    // Zero and subnormals are multiples of 2^-24.
    float magnitude = float(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  // Infinities and NaN keep an exponent of ones; for the others the bias changes from 15 to 127.
  const uint32_t wide = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | mantissa << 13);
}

// The blocks of 32 elements. In 4-bit blocks byte j holds element j (low) and element j + 16
// (high).

/// { f16 d, u8 q[16] }: d * (q - 8)
static void dequantizeQ4_0(const uint8_t *block, float *values) {
  const float d = fromF16(load<uint16_t>(block));
  for (int j = 0; j < 16; ++j) {
    const uint8_t q = block[2 + j];
    values[j] = float((q & 15) - 8) * d;
    values[j + 16] = float((q >> 4) - 8) * d;
  }
}

/// { f16 d, f16 m, u8 q[16] }: d * q + m
static void dequantizeQ4_1(const uint8_t *block, float *values) {
  const float d = fromF16(load<uint16_t>(block));
  const float m = fromF16(load<uint16_t>(block + 2));
  for (int j = 0; j < 16; ++j) {
    const uint8_t q = block[4 + j];
    values[j] = float(q & 15) * d + m;
    values[j + 16] = float(q >> 4) * d + m;
  }
}

/// { f16 d, i8 q[32] }: d * q
static void dequantizeQ8_0(const uint8_t *block, float *values) {
  const float d = fromF16(load<uint16_t>(block));
  for (int j = 0; j < 32; ++j)
    values[j] = float(int8_t(block[2 + j])) * d;
}

bool moire::isWeightType(StorageType type) { return type <= StorageType::Q8_0; }

int64_t moire::rowCount(const TensorEntry &tensor) {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < tensor.shape.size(); ++i)
    rows *= tensor.shape[i];
  return rows;
}

int64_t moire::rowElements(const TensorEntry &tensor) {
  return tensor.shape.empty() ? 1 : tensor.shape.back();
}

void moire::dequantize(StorageType type, std::span<const uint8_t> blocks, std::span<float> values) {
  const StorageTypeInfo &info = storageTypeInfo(type);
  assert(isWeightType(type) && values.size() % info.block_elements == 0 &&
         blocks.size() == values.size() / info.block_elements * info.block_bytes);
  const uint8_t *block = blocks.data();
  for (size_t i = 0; i < values.size(); i += info.block_elements, block += info.block_bytes) {
    switch (type) {
    case StorageType::F32:
      values[i] = load<float>(block);
      break;
    case StorageType::F16:
      values[i] = fromF16(load<uint16_t>(block));
      break;
    case StorageType::BF16:
      values[i] = fromBf16(load<uint16_t>(block));
      break;
    case StorageType::Q4_0:
      dequantizeQ4_0(block, &values[i]);
      break;
    case StorageType::Q4_1:
      dequantizeQ4_1(block, &values[i]);
      break;
    case StorageType::Q8_0:
      dequantizeQ8_0(block, &values[i]);
      break;
    default:
      return; // excluded by the precondition
    }
  }
}

void moire::dequantizeRows(const TensorEntry &tensor, int64_t firstRow, int64_t rows,
                           std::span<float> values) {
  const StorageTypeInfo &info = storageTypeInfo(tensor.type);
  const uint64_t rowBytes = rowElements(tensor) / info.block_elements * info.block_bytes;
  assert(firstRow >= 0 && rows >= 0 && rows <= rowCount(tensor) - firstRow);
  dequantize(tensor.type, tensor.data().subspan(firstRow * rowBytes, rows * rowBytes), values);
}
