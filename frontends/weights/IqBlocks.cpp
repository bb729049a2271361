// Block formats whose quants are places in a grid: a list of points of 8 (or 4) coordinates, found
// by ggml's authors as the ones that weights are near to most often. Magnitudes and signs are
// stored apart (but for IQ1, whose points have signs).

#include "frontends/weights/BlockDecoders.h"
#include "frontends/weights/IqGrids.h"

#include <bit>

using namespace moire;

/// Coordinates of a point; bit j of `signs` makes coordinate j negative.
template <size_t size>
static void takePoint(const std::array<int8_t, size> &point, uint32_t signs, int8_t *quants) {
  for (size_t j = 0; j < size; ++j)
    quants[j] = static_cast<int8_t>(signs >> j & 1 ? -point[j] : point[j]);
}

/// Eight signs of which seven are stored: their number is even.
static uint32_t evenSigns(uint32_t seven) {
  return seven | uint32_t(std::popcount(seven) & 1) << 7;
}

/// { f16 d, { u8 points[4], u32 } [8] }: for 32 columns d * (1/2 + top 4 bits of the u32) / 4;
/// below them four times seven signs
void moire::takeIQ2_XXS(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  for (int i = 0; i < 8; ++i) {
    const uint8_t *points = bytes + 2 + 8 * i;
    const uint32_t word = loadBytes<uint32_t>(points + 4);
    block.scales[i] = d * (0.5f + float(word >> 28)) * 0.25f;
    for (int j = 0; j < 4; ++j)
      takePoint(iq2xxsGrid()[points[j]], evenSigns(word >> 7 * j & 127),
                block.quants + 32 * i + 8 * j);
  }
}

/// { f16 d, u16 points[32], u8 scales[8] }: nine bits of a point, seven signs; for 16 columns
/// d * (1/2 + nibble) / 4
void moire::takeIQ2_XS(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  for (int i = 0; i < 32; ++i) {
    const uint32_t point = loadBytes<uint16_t>(bytes + 2 + 2 * i);
    takePoint(iq2xsGrid()[point & 511], evenSigns(point >> 9), block.quants + 8 * i);
  }
  for (int i = 0; i < 16; ++i)
    block.scales[i] = d * (0.5f + float(bytes[66 + i / 2] >> 4 * (i % 2) & 15)) * 0.25f;
}

/// { f16 d, u8 points[32], u8 signs[32], u8 high[8], u8 scales[8] }: two more bits of each point in
/// `high`; scales as those of IQ2_XS
void moire::takeIQ2_S(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  for (int i = 0; i < 32; ++i) {
    const uint32_t high = bytes[66 + i / 4] >> 2 * (i % 4) & 3;
    takePoint(iq2sGrid()[bytes[2 + i] | high << 8], bytes[34 + i], block.quants + 8 * i);
  }
  for (int i = 0; i < 16; ++i)
    block.scales[i] = d * (0.5f + float(bytes[74 + i / 2] >> 4 * (i % 2) & 15)) * 0.25f;
}

/// { f16 d, u8 points[64], u32 [8] }: points of four; for 32 columns d * (1/2 + top 4 bits) / 2,
/// and four times seven signs
void moire::takeIQ3_XXS(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  for (int i = 0; i < 8; ++i) {
    const uint32_t word = loadBytes<uint32_t>(bytes + 66 + 4 * i);
    block.scales[i] = d * (0.5f + float(word >> 28)) * 0.5f;
    for (int j = 0; j < 8; ++j)
      takePoint(iq3xxsGrid()[bytes[2 + 8 * i + j]],
                evenSigns(word >> 7 * (j / 2) & 127) >> 4 * (j % 2), block.quants + 32 * i + 4 * j);
  }
}

/// { f16 d, u8 points[64], u8 high[8], u8 signs[32], u8 scales[4] }: a ninth bit of each point in
/// `high`; for 32 columns d * (1 + 2 * nibble)
void moire::takeIQ3_S(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  for (int i = 0; i < 64; ++i) {
    const uint32_t high = bytes[66 + i / 8] >> i % 8 & 1;
    takePoint(iq3sGrid()[bytes[2 + i] | high << 8], bytes[74 + i / 2] >> 4 * (i % 2),
              block.quants + 4 * i);
  }
  for (int i = 0; i < 8; ++i)
    block.scales[i] = d * float(1 + 2 * (bytes[106 + i / 2] >> 4 * (i % 2) & 15));
}

/// A point of IQ1, whose coordinates are -1, 0 and 1, moved up or down by an eighth: in eighths.
static void takeTernary(uint32_t point, bool down, int8_t *quants) {
  const std::array<int8_t, 8> &coordinates = iq1Grid()[point];
  for (int j = 0; j < 8; ++j)
    quants[j] = static_cast<int8_t>(8 * coordinates[j] + (down ? -1 : 1));
}

/// { f16 d, u8 points[32], u16 high[8] }: three more bits of each of four points; for 32 columns
/// d * (1 + 2 * three bits), and whether they are moved down
void moire::takeIQ1_S(const uint8_t *bytes, Block &block) {
  const float d = fromF16(loadBytes<uint16_t>(bytes));
  for (int i = 0; i < 8; ++i) {
    const uint32_t high = loadBytes<uint16_t>(bytes + 34 + 2 * i);
    block.scales[i] = d * float(2 * (high >> 12 & 7) + 1) * 0.125f;
    for (int j = 0; j < 4; ++j)
      takeTernary(bytes[2 + 4 * i + j] | (high >> 3 * j & 7) << 8, high >> 15,
                  block.quants + 32 * i + 8 * j);
  }
}

/// { u8 points[32], u8 high[16], u16 scales[4] }: for each point three more bits and whether it is
/// moved down; for 16 columns d * (1 + 2 * three bits), the bits of d being the top nibbles of
/// `scales`, the first the lowest
void moire::takeIQ1_M(const uint8_t *bytes, Block &block) {
  uint32_t scales[4], bits = 0;
  for (int i = 0; i < 4; ++i) {
    scales[i] = loadBytes<uint16_t>(bytes + 48 + 2 * i);
    bits |= scales[i] >> 12 << 4 * i;
  }
  const float d = fromF16(static_cast<uint16_t>(bits));
  for (int i = 0; i < 16; ++i)
    block.scales[i] = d * float(2 * (scales[i / 4] >> 3 * (i % 4) & 7) + 1) * 0.125f;
  for (int i = 0; i < 32; ++i) {
    const uint32_t high = bytes[32 + i / 2] >> 4 * (i % 2) & 15;
    takeTernary(bytes[i] | (high & 7) << 8, high >> 3, block.quants + 8 * i);
  }
}
