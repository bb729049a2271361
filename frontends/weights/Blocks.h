// A block of a file taken apart: integers, and the scales that make weights of them.
//
// Weight k of a block is quants[k] * scales[k / columns], plus minima[k / columns] if its panel has
// minima, each operation rounded to f32: exactly ggml's value (dialects/Formats.def says how many
// `columns` share a scale). What a panel keeps, packers take from here; it is also what weights
// mean.

#ifndef MOIRE_FRONTENDS_WEIGHTS_BLOCKS_H
#define MOIRE_FRONTENDS_WEIGHTS_BLOCKS_H

#include "dialects/Formats.h"

#include <bit>
#include <cstring>

namespace moire {

struct Block {
  int8_t quants[256];
  float scales[16], minima[16];

  // Where the panel has scales of Half or Factors, as they are stored: f16 numbers, and for Factors
  // the bytes that they are multiplied with (a signed factor as its two's complement). Of Exponent
  // the byte alone.
  uint16_t scale, minimum;
  uint8_t factors[16], minimumFactors[16];
};

/// Takes apart one block of `format`, blockInfo(format).bytes at any address. Not for formats that
/// no file holds.
void takeApart(BlockFormat format, const uint8_t *bytes, Block &block);

/// A little-endian T at any address.
template <typename T> T loadBytes(const uint8_t *bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

/// The numbers that an f16 and a bf16 stand for.
float fromF16(uint16_t bits);
/// The nearest f16, of two equally near ones the one whose last bit is 0; infinite beyond the
/// largest. A NaN stays one.
uint16_t toF16(float value);
inline float fromBf16(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }
/// The nearest bf16, as toF16 rounds.
uint16_t toBf16(float value);

} // namespace moire

#endif
