#include "test/codegen/artifact/PackedPanels.h"

#include "codegen/artifact/Packing.h"
#include "codegen/artifact/Rounding.h"

#include <bit>
#include <cmath>
#include <gtest/gtest.h>

namespace moire::test {

namespace {

float halfToFloat(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31)
    return fraction ? NAN : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024.f + fraction, exponent - 25)
                          : std::ldexp(float(fraction), -24));
}

float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

/// What a scale of 16 bits stands for.
float scaleOf(const PanelInfo &info, uint16_t bits) {
  return info.scales == Scales::Brain ? bfloatToFloat(bits) : halfToFloat(bits);
}

/// The integer of element (row, i) of a unit whose quants begin here, as Packing.h lays it out.
int quantOf(const PanelInfo &info, const uint8_t *quants, int64_t row, int64_t i) {
  int64_t block = i / 32, inBlock = i % 32;
  auto byteOf = [&](int64_t line) {
    return quants[((block * info.bits + line) * 16 + row) * 4 + inBlock % 4];
  };
  if (info.bits == 8)
    return int8_t(byteOf(inBlock / 4));
  const int64_t group = inBlock / 4, half = group / 4;
  int code = 0;
  if (info.bits == 4)
    code = group % 2 ? byteOf(group / 2) >> 4 : byteOf(group / 2) & 15;
  else if (info.bits == 6 && group % 4 < 3)
    code = byteOf(3 * half + group % 4) & 63;
  else if (info.bits == 6)
    for (int64_t i = 0; i < 3; ++i) // two bits are left in each byte
      code |= byteOf(3 * half + i) >> 6 << 2 * i;
  else if (group < 5)
    code = byteOf(group) & 31;
  else
    for (int64_t i = 0; i < 5; ++i) { // three bits are left in each byte
      int64_t bit = 5 * (group - 5) + i;
      code |= (byteOf(bit / 3) >> (5 + bit % 3) & 1) << i;
    }
  return info.values ? info.values[code] : code - info.zero;
}

} // namespace

float panelElement(PanelFormat format, int64_t k, const uint8_t *panel, int64_t row, int64_t i) {
  const PanelInfo &info = panelInfo(format);
  PanelParts parts = panelParts(format);
  const uint8_t *unit = panel;
  int64_t inUnit = i;
  if (info.isBlocked()) {
    // The columns that share the widest number, or lie together.
    int64_t columns = info.scales == Scales::Factors ? 256 : std::max<int64_t>(info.columns, 32);
    unit += i / columns * parts.unit;
    inUnit = i % columns;
  }
  int64_t place = inUnit / info.columns * 16 + row;
  int quant = info.isBlocked() ? quantOf(info, unit + parts.quants, row, inUnit) : 0;
  switch (info.scales) {
  case Scales::None:
    if (format == PanelFormat::BF16Pairs) { // little-endian: the high half of a word is the second
      EXPECT_TRUE(i + 1 < k || i % 2 == 1 || at<uint16_t>(panel, (i / 2 * 16 + row) * 2) == 0);
      return bfloatToFloat(at<uint16_t>(panel, (i / 2 * 16 + row) * 2 + 1 - i % 2));
    }
    return format == PanelFormat::F32   ? at<float>(panel, i * 16 + row)
           : format == PanelFormat::F16 ? halfToFloat(at<uint16_t>(panel, i * 16 + row))
                                        : bfloatToFloat(at<uint16_t>(panel, i * 16 + row));
  case Scales::Half:
  case Scales::Brain: {
    float value = quant * scaleOf(info, at<uint16_t>(unit + parts.scales, place));
    return info.minima ? value + scaleOf(info, at<uint16_t>(unit + parts.minima, place)) : value;
  }
  case Scales::Exponent:
    return quant * std::ldexp(1.f, unit[parts.scales + place] - 128);
  case Scales::Single: {
    float value = quant * at<float>(unit + parts.scales, place);
    return info.minima ? value + at<float>(unit + parts.minima, place) : value;
  }
  case Scales::Factors: {
    float scale = halfToFloat(at<uint16_t>(unit + parts.scales, row));
    uint8_t factor = unit[parts.factors + place];
    if (!info.minima)
      return scale * int8_t(factor) * quant;
    float minimum = halfToFloat(at<uint16_t>(unit + parts.minima, row));
    return scale * factor * quant - minimum * unit[parts.minimum_factors + place];
  }
  }
  __builtin_unreachable();
}

bool same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

std::vector<std::vector<float>> roundedRows(PanelFormat format, int64_t k,
                                            const std::vector<std::vector<float>> &rows) {
  const PanelInfo &info = panelInfo(format);
  std::vector<std::vector<float>> result(16, std::vector<float>(k));
  for (int64_t first = 0; first < k; first += info.columns) {
    const int64_t columns = std::min(info.columns, k - first);
    std::vector<float> values(columns * 16);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t row = 0; row < 16; ++row)
        values[i * 16 + row] = rows[row][first + i];
    RoundedBlock block;
    roundBlock(info, values.data(), columns, block);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t row = 0; row < 16; ++row) {
        int code = block.codes[i][row];
        float value = float(info.bits == 8 ? int8_t(code) : code - int(info.zero)) *
                      scaleOf(info, block.scales[row]);
        result[row][first + i] = info.minima ? value + scaleOf(info, block.minima[row]) : value;
      }
  }
  return result;
}

} // namespace moire::test
