// The number formats of weights: how blocks lie in files and panels in memory. The table is
// Formats.def. Plain data without IR, so that readers of files and packers know it too.

#ifndef MOIRE_DIALECTS_FORMATS_H
#define MOIRE_DIALECTS_FORMATS_H

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <string_view>

namespace moire {

//===- Panels ---------------------------------------------------------------------------------===//

/// How 16 rows of a weight lie in memory (codegen/artifact/Packing.h). A Vector has no panels.
enum class PanelFormat : uint8_t {
#define MOIRE_PANEL(enumerator, ...) enumerator,
#define MOIRE_QUANT(enumerator, ...) enumerator,
#include "dialects/Formats.def"
  Vector
};

/// How the scales (and minima) of blocks are stored.
enum class Scales : uint8_t { None, Half, Brain, Single, Exponent, Factors };

/// Columns that share the f16 numbers of Scales::Factors.
constexpr int64_t kSuperBlock = 256;

/// Columns of a row whose quants lie together in a panel.
constexpr int64_t kQuantColumns = 32;

/// What the codes of IQ4_NL, and of IQ4_XS, stand for.
constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                   1,    13,   25,  38,  53,  69,  89,  113};

/// What the codes of MXFP4, and of NVFP4, stand for: E2M1, doubled.
constexpr int8_t kFp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

struct PanelInfo {
  std::string_view name;
  int64_t bits;         // of a quant; 0: numbers without blocks
  int64_t zero;         // what is added to weights where they are multiplied; none is below -zero
  const int8_t *values; // [16] or null: codes are the integers to multiply
  int64_t columns;      // that share a scale
  Scales scales;
  bool minima;

  bool isBlocked() const { return bits != 0; }
  /// Whether the integers to multiply are signed bytes; else they are not below 0, and `zero` is
  /// subtracted.
  bool isSigned() const { return bits == 8 || (values && !zero); }
  /// The width of those integers, as the table of instructions counts it.
  int64_t dotBits() const {
    if (isSigned())
      return 8;
    return values ? std::bit_width(uint64_t(*std::max_element(values, values + 16) + zero)) : bits;
  }
  /// Columns of which a row must have a whole number: those whose quants lie together, or share
  /// factors.
  int64_t wholeColumns() const {
    return !isBlocked() ? 1 : scales == Scales::Factors ? kSuperBlock : kQuantColumns;
  }
  /// Columns of a unit of a panel: the fewest that share no number with others.
  int64_t unitColumns() const { return std::max(columns, wholeColumns()); }
  /// Scales that a row of `k` columns has. The last may be of fewer columns.
  int64_t scaleCount(int64_t k) const { return (k + columns - 1) / columns; }
};

inline const PanelInfo &panelInfo(PanelFormat format) {
  static constexpr PanelInfo infos[] = {
#define MOIRE_PANEL(enumerator, name, bits, zero, values, columns, scales, minima)                 \
  {name, bits, zero, values, columns, Scales::scales, minima},
#define MOIRE_QUANT(enumerator, name, bits, zero, columns, scales, minima)                         \
  {name, bits, zero, nullptr, columns, Scales::scales, minima},
#include "dialects/Formats.def"
      {"vector", 0, 0, nullptr, 1, Scales::None, false},
  };
  return infos[static_cast<int>(format)];
}

/// Whether weights are rounded to this format where they are packed; no file holds it then.
constexpr bool isOwnFormat(PanelFormat format) {
  switch (format) {
#define MOIRE_QUANT(enumerator, ...) case PanelFormat::enumerator:
#include "dialects/Formats.def"
    return true;
  default:
    return false;
  }
}

/// The panel format of this name; there is none for vectors.
inline std::optional<PanelFormat> panelFormatNamed(std::string_view text) {
#define MOIRE_PANEL(enumerator, name, ...)                                                         \
  if (text == name)                                                                                \
    return PanelFormat::enumerator;
#define MOIRE_QUANT MOIRE_PANEL
#include "dialects/Formats.def"
  return std::nullopt;
}

//===- Blocks ---------------------------------------------------------------------------------===//

/// Block formats: ggml's, ours for weights, and ours for activations.
enum class BlockFormat : uint8_t {
#define MOIRE_BLOCK(enumerator, ...) enumerator,
#define MOIRE_QUANT(enumerator, ...) enumerator,
#include "dialects/Formats.def"
  Int8
};

struct BlockInfo {
  std::string_view name;
  uint32_t number;   // in GGUF files; 0: in no file
  uint32_t elements; // of a block
  uint32_t bytes;    // of a block
  PanelFormat panel;

  /// Whether no file holds the format: weights are rounded to it here.
  bool isOwn() const { return number == 0; }
  /// Bytes of a row of `k` elements. (Of our own formats the last block may be short, and takes as
  /// many as its elements need.)
  int64_t rowBytes(int64_t k) const {
    int64_t scales = isOwn() ? panelInfo(panel).scaleCount(k) : 0;
    return isOwn() ? k * panelInfo(panel).bits / 8 + scales * (panelInfo(panel).minima ? 4 : 2)
                   : k / elements * bytes;
  }
  /// Whether panels keep the blocks' quants and scales as they are; else they are wider.
  bool isKept() const { return panelInfo(panel).name == name; }
};

inline const BlockInfo &blockInfo(BlockFormat format) {
  static constexpr BlockInfo infos[] = {
#define MOIRE_BLOCK(enumerator, name, number, elements, bytes, panel)                              \
  {name, number, elements, bytes, PanelFormat::panel},
#define MOIRE_QUANT(enumerator, name, bits, zero, columns, scales, minima)                         \
  {name, 0, columns, columns * bits / 8 + (minima ? 4 : 2), PanelFormat::enumerator},
#include "dialects/Formats.def"
      // Activations: an f32 for each 32 bytes. The panel of such rows as weights.
      {"int8", 0, 32, 36, PanelFormat::W8_32},
  };
  return infos[static_cast<int>(format)];
}

inline std::optional<BlockFormat> blockFormatNamed(std::string_view text) {
#define MOIRE_BLOCK(enumerator, name, ...)                                                         \
  if (text == name)                                                                                \
    return BlockFormat::enumerator;
#define MOIRE_QUANT MOIRE_BLOCK
#include "dialects/Formats.def"
  return text == "int8" ? std::optional(BlockFormat::Int8) : std::nullopt;
}

} // namespace moire

#endif
