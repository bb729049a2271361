// One function a format; each begins with the layout of its block. f16 and wider numbers are
// little-endian. Nibbles, where nothing else is said: byte j of 16 holds element j (low) and
// element j + 16 (high).

#include "frontends/weights/BlockDecoders.h"

#include <bit>

using namespace moire;

// A product is rounded before a minimum is added; a fused multiply-add would round once.
#pragma STDC FP_CONTRACT OFF

float moire::fromF16(uint16_t bits) {
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

uint16_t moire::toF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000)
    return sign | 0x7e00;
  if (magnitude <
      113u << 23) // below 2^-14 f16 counts in steps of 2^-24, which an addition rounds to
    return sign | static_cast<uint16_t>(
                      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000);
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return sign |
         static_cast<uint16_t>(rounded >= 143u << 23 ? 0x7c00 : (rounded - (112u << 23)) >> 13);
}

uint16_t moire::toBf16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

//===- Blocks of 32 ---------------------------------------------------------------------------===//

/// { f16 d, u8 q[16] }: d * (q - 8)
static void takeQ4_0(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  takeNibbles(bytes + 2, 16, 8, block.quants);
}

/// { f16 d, f16 m, u8 q[16] }: d * q + m
static void takeQ4_1(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  block.minimum = loadBytes<uint16_t>(bytes + 2);
  takeNibbles(bytes + 4, 16, 0, block.quants);
}

/// Bit j of `high` is bit 4 of quant j.
static void addHighBits(uint32_t high, int8_t *quants) {
  for (int j = 0; j < 32; ++j)
    quants[j] = static_cast<int8_t>(quants[j] + (high >> j & 1) * 16);
}

/// { f16 d, u32 high, u8 q[16] }: d * (q - 16)
static void takeQ5_0(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  takeNibbles(bytes + 6, 16, 16, block.quants);
  addHighBits(loadBytes<uint32_t>(bytes + 2), block.quants);
}

/// { f16 d, f16 m, u32 high, u8 q[16] }: d * q + m
static void takeQ5_1(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  block.minimum = loadBytes<uint16_t>(bytes + 2);
  takeNibbles(bytes + 8, 16, 0, block.quants);
  addHighBits(loadBytes<uint32_t>(bytes + 4), block.quants);
}

/// { f16 d, i8 q[32] }: d * q
static void takeQ8_0(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  std::memcpy(block.quants, bytes + 2, 32);
}

/// { f16 d, u8 q[16] }: d * values[q]
static void takeIQ4_NL(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  takeNibbles(bytes + 2, 16, kIq4Values, block.quants);
}

/// { u8 e, u8 q[16] }: 2^(e - 128) * values[q], values being doubled
static void takeMXFP4(const uint8_t *bytes, Block &block) {
  block.factors[0] = bytes[0];
  takeNibbles(bytes + 1, 16, kFp4Values, block.quants);
}

/// { u8 d[4], u8 q[4][8] }: d as an unsigned E4M3, halved, of 16 elements each; 0x7f counts as 0
static void takeNVFP4(const uint8_t *bytes, Block &block) {
  for (int i = 0; i < 4; ++i) {
    const int e = bytes[i] >> 3 & 15;
    const float fraction = float(bytes[i] & 7) / 8;
    // Times 2^(e - 8) with an implicit 1, or 2^-7 without.
    const float power = std::bit_cast<float>(uint32_t((e ? e - 8 : -7) + 127) << 23);
    block.scales[i] = bytes[i] == 0x7f ? 0 : (e ? 1 + fraction : fraction) * power;
    takeNibbles(bytes + 4 + 8 * i, 8, kFp4Values, block.quants + 16 * i);
  }
}

//===- Blocks of 256 with factors -------------------------------------------------------------===//

/// Columns in pairs of 32: low nibbles of 32 bytes, then the high ones.
static void takeNibblesOf32(const uint8_t *bytes, Block &block) {
  for (int i = 0; i < 4; ++i)
    takeNibbles(bytes + 32 * i, 32, 0, block.quants + 64 * i);
}

/// Eight factors and eight of minima, 6 bits each, in 12 bytes: the first four of both in the low
/// six bits of bytes 0 .. 7, the others' low nibbles in bytes 8 .. 11 and their upper bits on top
/// of bytes 0 .. 7.
static void takeFactors(const uint8_t *bytes, Block &block) {
  for (int i = 0; i < 4; ++i) {
    block.factors[i] = bytes[i] & 63;
    block.minimumFactors[i] = bytes[i + 4] & 63;
    block.factors[i + 4] = (bytes[i + 8] & 15) | (bytes[i] >> 6) << 4;
    block.minimumFactors[i + 4] = bytes[i + 8] >> 4 | (bytes[i + 4] >> 6) << 4;
  }
}

/// { f16 d, f16 dmin, u8 factors[12], u8 q[128] }: d * factor * q - dmin * factor, for 32 columns
static void takeQ4_K(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  block.minimum = loadBytes<uint16_t>(bytes + 2);
  takeFactors(bytes + 4, block);
  takeNibblesOf32(bytes + 16, block);
}

/// { f16 d, f16 dmin, u8 factors[12], u8 high[32], u8 q[128] }: bit i of high[j] is bit 4 of
/// element 32 * i + j
static void takeQ5_K(const uint8_t *bytes, Block &block) {
  block.scale = loadBytes<uint16_t>(bytes);
  block.minimum = loadBytes<uint16_t>(bytes + 2);
  takeFactors(bytes + 4, block);
  takeNibblesOf32(bytes + 48, block);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 32; ++j)
      block.quants[32 * i + j] += (bytes[16 + j] >> i & 1) * 16;
}

/// { u8 q[128], u8 high[64], i8 factors[16], f16 d }: d * factor * (q - 32), for 16 columns. Each
/// half of 128 columns has 64 bytes of nibbles and 32 of upper pairs of bits.
static void takeQ6_K(const uint8_t *bytes, Block &block) {
  for (int half = 0; half < 2; ++half) {
    int8_t *quants = block.quants + 128 * half;
    takeNibbles(bytes + 64 * half, 64, 32, quants);
    const uint8_t *high = bytes + 128 + 32 * half;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 32; ++j)
        quants[32 * i + j] = static_cast<int8_t>(quants[32 * i + j] + (high[j] >> 2 * i & 3) * 16);
  }
  std::memcpy(block.factors, bytes + 192, 16);
  block.scale = loadBytes<uint16_t>(bytes + 208);
}

//===- Blocks of 256 that panels widen --------------------------------------------------------===//

/// Pairs of bits: each 32 bytes hold 128 columns, 32 in their lowest pairs first.
static void takePairs(const uint8_t *bytes, int zero, int8_t *quants) {
  for (int half = 0; half < 2; ++half)
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 32; ++j)
        quants[128 * half + 32 * i + j] =
            static_cast<int8_t>((bytes[32 * half + j] >> 2 * i & 3) - zero);
}

/// { u8 factors[16], u8 q[64], f16 d, f16 dmin }: d * low nibble * q - dmin * high nibble, for 16
/// columns
static void takeQ2_K(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes + 80));
  const float dmin = fromF16(loadBytes<uint16_t>(bytes + 82));
  for (int i = 0; i < 16; ++i) {
    block.scales[i] = d * float(bytes[i] & 15);
    block.minima[i] = -(dmin * float(bytes[i] >> 4));
  }
  takePairs(bytes + 16, 0, block.quants);
}

/// { u8 high[32], u8 q[64], u8 factors[12], f16 d }: d * (factor - 32) * (q - 4), for 16 columns;
/// bit i of high[j] is bit 2 of element 32 * i + j. Factors have 6 bits: nibbles of 8 bytes, first
/// the low ones, and pairs of bits of the other 4 bytes.
static void takeQ3_K(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes + 108));
  const uint8_t *factors = bytes + 96;
  for (int i = 0; i < 16; ++i) {
    const int low = factors[i % 8] >> 4 * (i / 8) & 15,
              high = factors[8 + i % 4] >> 2 * (i / 4) & 3;
    block.scales[i] = d * float((low | high << 4) - 32);
  }
  takePairs(bytes + 32, 4, block.quants);
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 32; ++j)
      block.quants[32 * i + j] += (bytes[j] >> i & 1) * 4;
}

/// { f16 d, u16 high, u8 low[4], u8 q[8][16] }: d * (factor - 32) * values[q], for 32 columns;
/// factors have 4 bits in `low` and 2 in `high`
static void takeIQ4_XS(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  const int high = loadBytes<uint16_t>(bytes + 2);
  for (int i = 0; i < 8; ++i) {
    const int low = bytes[4 + i / 2] >> 4 * (i % 2) & 15;
    block.scales[i] = d * float((low | (high >> 2 * i & 3) << 4) - 32);
    takeNibbles(bytes + 8 + 16 * i, 16, kIq4Values, block.quants + 32 * i);
  }
}

static void fillScales(float scale, Block &block) {
  for (int i = 0; i < 8; ++i)
    block.scales[i] = scale;
}

/// { u8 q[48], u8 rest[4], f16 d }: d * (q - 1); five ternary digits in a byte, as a fraction of
/// 243 rounded up: the next digit is what three times the byte carries over.
static void takeTQ1_0(const uint8_t *bytes, Block &block) {
  int8_t *out = block.quants;
  auto digits = [&](const uint8_t *from, int count, int digitsOfByte) {
    for (int digit = 0, power = 1; digit < digitsOfByte; ++digit, power *= 3)
      for (int j = 0; j < count; ++j)
        *out++ = static_cast<int8_t>((uint8_t(from[j] * power) * 3 >> 8) - 1);
  };
  digits(bytes, 32, 5);
  digits(bytes + 32, 16, 5);
  digits(bytes + 48, 4, 4);
  fillScales(fromF16(loadBytes<uint16_t>(bytes + 52)), block);
}

/// { u8 q[64], f16 d }: d * (q - 1), q of two bits
static void takeTQ2_0(const uint8_t *bytes, Block &block) {
  takePairs(bytes, 1, block.quants);
  fillScales(fromF16(loadBytes<uint16_t>(bytes + 64)), block);
}

//===- All ------------------------------------------------------------------------------------===//

void moire::takeApart(BlockFormat format, const uint8_t *bytes, Block &block) {
  switch (format) {
#define MOIRE_BLOCK(enumerator, ...)                                                               \
  case BlockFormat::enumerator:                                                                    \
    take##enumerator(bytes, block);                                                                \
    break;
#define MOIRE_QUANT(enumerator, ...) case BlockFormat::enumerator:
#include "dialects/Formats.def"
  case BlockFormat::Int8:
    return;
  }
  // Scales that panels keep in parts, multiplied out. The products are exact.
  const BlockInfo &info = blockInfo(format);
  const PanelInfo &panel = panelInfo(info.panel);
  if (panel.scales == Scales::Half) {
    block.scales[0] = fromF16(block.scale);
    if (panel.minima)
      block.minima[0] = fromF16(block.minimum);
  } else if (panel.scales == Scales::Exponent) {
    const uint32_t e = block.factors[0];
    block.scales[0] = std::bit_cast<float>(e < 2 ? 0x00200000u << e : (e - 1) << 23);
  } else if (panel.scales == Scales::Factors) {
    const float d = fromF16(block.scale);
    const float dmin = panel.minima ? fromF16(block.minimum) : 0;
    for (int i = 0; i < info.elements / panel.columns; ++i) {
      block.scales[i] = d * float(panel.minima ? block.factors[i] : int8_t(block.factors[i]));
      if (panel.minima)
        block.minima[i] = -(dmin * float(block.minimumFactors[i]));
    }
  }
}
