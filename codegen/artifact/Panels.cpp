#include "codegen/artifact/Panels.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace moire {

constexpr int64_t kBlock = 32;      // elements of a Q4_0, Q4_1 or Q8_0 block
constexpr int64_t kLineWords = 16;  // a 64-byte line: one word of 4 bytes a row
constexpr int64_t kPanelAlign = 64; // bytes
constexpr int64_t kScaleBytes = 2;  // f16

static bool isBlockFormat(PanelFormat format) {
  return format == PanelFormat::Q4_0 || format == PanelFormat::Q4_1 || format == PanelFormat::Q8_0;
}

PanelParts panelParts(PanelFormat format, int64_t k) {
  if (!isBlockFormat(format))
    return {0, 0};
  int64_t blocks = k / kBlock;
  int64_t bytesPerRow = format == PanelFormat::Q8_0 ? kBlock : kBlock / 2;
  int64_t scales = blocks * bytesPerRow * kPanelRows;
  return {scales, format == PanelFormat::Q4_1 ? scales + blocks * kPanelRows * kScaleBytes : 0};
}

/// What a panel holds, without the zeros behind it.
static int64_t usedPanelBytes(PanelFormat format, int64_t k) {
  switch (format) {
  case PanelFormat::F32:
    return k * kPanelRows * 4;
  case PanelFormat::F16:
  case PanelFormat::BF16:
    return k * kPanelRows * 2;
  case PanelFormat::Q4_0:
  case PanelFormat::Q4_1:
  case PanelFormat::Q8_0: {
    PanelParts parts = panelParts(format, k);
    int64_t lastPart = parts.minima ? parts.minima : parts.scales;
    return lastPart + k / kBlock * kPanelRows * kScaleBytes;
  }
  case PanelFormat::Vector:
    return k * 4;
  }
  __builtin_unreachable();
}

int64_t panelBytes(PanelFormat format, int64_t k) {
  return (usedPanelBytes(format, k) + kPanelAlign - 1) / kPanelAlign * kPanelAlign;
}

int64_t storedBytes(StorageType type, int64_t k) {
  const StorageTypeInfo &info = storageTypeInfo(type);
  return k / info.block_elements * info.block_bytes;
}

bool canPack(StorageType source, PanelFormat format) {
  switch (format) {
  case PanelFormat::F32:
  case PanelFormat::Vector:
    return source == StorageType::F32 || source == StorageType::F16 || source == StorageType::BF16;
  case PanelFormat::F16:
    return source == StorageType::F16;
  case PanelFormat::BF16:
    return source == StorageType::BF16;
  case PanelFormat::Q4_0:
    return source == StorageType::Q4_0;
  case PanelFormat::Q4_1:
    return source == StorageType::Q4_1;
  case PanelFormat::Q8_0:
    return source == StorageType::Q8_0;
  }
  __builtin_unreachable();
}

//===----------------------------------------------------------------------===//
// Plain formats: a transposition, with or without widening.

static float widenBF16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

static float widenF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 31;
  uint32_t fraction = bits & 0x3ff;
  uint32_t normal = (exponent + (127 - 15)) << 23 | fraction << 13;
  uint32_t infinite = 0x7f800000u | fraction << 13;                    // or not a number
  uint32_t tiny = std::bit_cast<uint32_t>(float(fraction) * 0x1p-24f); // exponent 0
  uint32_t magnitude = exponent == 31 ? infinite : exponent == 0 ? tiny : normal;
  return std::bit_cast<float>(sign | magnitude);
}

template <typename T> static T load(const uint8_t *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

/// Element (k, row) of the panel is convert(element k of the row). Goes by tiles of K, so that the
/// part of the panel that is being written stays in the nearest cache while its 16 rows come in.
template <typename From, typename Convert>
static void transpose(int64_t k, const PanelRows &rows, uint8_t *panel, Convert convert) {
  using To = decltype(convert(From()));
  constexpr int64_t kTile = 64;
  To *out = reinterpret_cast<To *>(panel);
  for (int64_t begin = 0; begin < k; begin += kTile) {
    int64_t end = std::min(begin + kTile, k);
    for (int64_t row = 0; row < kPanelRows; ++row) {
      const uint8_t *from = rows[row];
      for (int64_t i = begin; i < end; ++i)
        out[i * kPanelRows + row] = convert(load<From>(from + i * sizeof(From)));
    }
  }
}

void widen(StorageType source, const uint8_t *from, int64_t count, float *to) {
  switch (source) {
  case StorageType::F16:
    for (int64_t i = 0; i < count; ++i)
      to[i] = widenF16(load<uint16_t>(from + i * 2));
    return;
  case StorageType::BF16:
    for (int64_t i = 0; i < count; ++i)
      to[i] = widenBF16(load<uint16_t>(from + i * 2));
    return;
  default:
    std::memcpy(to, from, count * 4);
  }
}

//===----------------------------------------------------------------------===//
// Block formats: words of four quants go to their lines, scales and minima to their own parts.

/// ggml's 4-bit block holds elements 0..15 in the low nibbles of its 16 bytes and 16..31 in the
/// high ones. A panel's line wants four elements in the low nibbles and the next four in the high.
template <bool hasMinima>
static void packNibbles(int64_t k, const PanelRows &rows, uint8_t *panel) {
  constexpr uint32_t kLow = 0x0f0f0f0f, kHigh = 0xf0f0f0f0;
  constexpr int64_t kHeader = hasMinima ? 4 : 2;
  constexpr int64_t kBlockBytes = kHeader + kBlock / 2;
  PanelParts parts = panelParts(hasMinima ? PanelFormat::Q4_1 : PanelFormat::Q4_0, k);
  uint32_t *lines = reinterpret_cast<uint32_t *>(panel);
  uint16_t *scales = reinterpret_cast<uint16_t *>(panel + parts.scales);
  uint16_t *minima = reinterpret_cast<uint16_t *>(panel + parts.minima);
  for (int64_t block = 0; block < k / kBlock; ++block) {
    for (int64_t row = 0; row < kPanelRows; ++row) {
      const uint8_t *from = rows[row] + block * kBlockBytes;
      scales[block * kPanelRows + row] = load<uint16_t>(from);
      if constexpr (hasMinima)
        minima[block * kPanelRows + row] = load<uint16_t>(from + 2);
      uint32_t q0 = load<uint32_t>(from + kHeader), q4 = load<uint32_t>(from + kHeader + 4);
      uint32_t q8 = load<uint32_t>(from + kHeader + 8), q12 = load<uint32_t>(from + kHeader + 12);
      uint32_t *line = lines + block * 4 * kLineWords + row;
      line[0 * kLineWords] = (q0 & kLow) | (q4 & kLow) << 4;
      line[1 * kLineWords] = (q8 & kLow) | (q12 & kLow) << 4;
      line[2 * kLineWords] = (q0 >> 4 & kLow) | (q4 & kHigh);
      line[3 * kLineWords] = (q8 >> 4 & kLow) | (q12 & kHigh);
    }
  }
}

static void packBytes(int64_t k, const PanelRows &rows, uint8_t *panel) {
  constexpr int64_t kHeader = 2;
  constexpr int64_t kBlockBytes = kHeader + kBlock;
  uint32_t *lines = reinterpret_cast<uint32_t *>(panel);
  uint16_t *scales = reinterpret_cast<uint16_t *>(panel + panelParts(PanelFormat::Q8_0, k).scales);
  for (int64_t block = 0; block < k / kBlock; ++block) {
    for (int64_t row = 0; row < kPanelRows; ++row) {
      const uint8_t *from = rows[row] + block * kBlockBytes;
      scales[block * kPanelRows + row] = load<uint16_t>(from);
      uint32_t *line = lines + block * 8 * kLineWords + row;
      for (int64_t i = 0; i < 8; ++i)
        line[i * kLineWords] = load<uint32_t>(from + kHeader + 4 * i);
    }
  }
}

static void transposeWidened(StorageType source, int64_t k, const PanelRows &rows, uint8_t *panel) {
  if (source == StorageType::F16)
    transpose<uint16_t>(k, rows, panel, widenF16);
  else if (source == StorageType::BF16)
    transpose<uint16_t>(k, rows, panel, widenBF16);
  else
    transpose<float>(k, rows, panel, [](float value) { return value; });
}

void packPanel(PanelFormat format, StorageType source, int64_t k, const PanelRows &rows,
               uint8_t *panel) {
  switch (format) {
  case PanelFormat::F32:
    transposeWidened(source, k, rows, panel);
    break;
  case PanelFormat::F16:
  case PanelFormat::BF16:
    transpose<uint16_t>(k, rows, panel, [](uint16_t bits) { return bits; });
    break;
  case PanelFormat::Q4_0:
    packNibbles<false>(k, rows, panel);
    break;
  case PanelFormat::Q4_1:
    packNibbles<true>(k, rows, panel);
    break;
  case PanelFormat::Q8_0:
    packBytes(k, rows, panel);
    break;
  case PanelFormat::Vector:
    __builtin_unreachable();
  }
  int64_t used = usedPanelBytes(format, k);
  std::memset(panel + used, 0, panelBytes(format, k) - used);
}

} // namespace moire
