// What the functions that take blocks apart share; the rest of the world includes Blocks.h.

#ifndef MOIRE_FRONTENDS_WEIGHTS_BLOCKDECODERS_H
#define MOIRE_FRONTENDS_WEIGHTS_BLOCKDECODERS_H

#include "frontends/weights/Blocks.h"

namespace moire {

/// Low nibbles of `count` bytes, then their high ones, minus `zero`.
inline void takeNibbles(const uint8_t *bytes, int count, int zero, int8_t *quants) {
  for (int j = 0; j < count; ++j) {
    quants[j] = static_cast<int8_t>((bytes[j] & 15) - zero);
    quants[j + count] = static_cast<int8_t>((bytes[j] >> 4) - zero);
  }
}

/// The same, where nibbles are places in a table.
inline void takeNibbles(const uint8_t *bytes, int count, const int8_t *values, int8_t *quants) {
  for (int j = 0; j < count; ++j) {
    quants[j] = values[bytes[j] & 15];
    quants[j + count] = values[bytes[j] >> 4];
  }
}

// IqBlocks.cpp: formats whose quants are places in a grid of points.
void takeIQ2_XXS(const uint8_t *bytes, Block &block);
void takeIQ2_XS(const uint8_t *bytes, Block &block);
void takeIQ2_S(const uint8_t *bytes, Block &block);
void takeIQ3_XXS(const uint8_t *bytes, Block &block);
void takeIQ3_S(const uint8_t *bytes, Block &block);
void takeIQ1_S(const uint8_t *bytes, Block &block);
void takeIQ1_M(const uint8_t *bytes, Block &block);

} // namespace moire

#endif
