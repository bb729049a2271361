#include "codegen/artifact/Panels.h"

#include "codegen/artifact/Rounding.h"
#include "frontends/weights/Blocks.h"
#include "frontends/weights/Dequantize.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <numeric>

namespace moire {

constexpr int64_t kBlock = kQuantColumns;
constexpr int64_t kLineWords = 16;  // a 64-byte line: one word of 4 bytes a row
constexpr int64_t kPanelAlign = 64; // bytes

/// Bytes of the quants of a block, for all rows: a line for each bit.
static int64_t blockBytes(const PanelInfo &info) { return info.bits * kLineWords * 4; }

/// Bytes of a scale, or of a minimum.
static int64_t scaleBytes(Scales scales) {
  return scales == Scales::Single ? 4 : scales == Scales::Exponent ? 1 : 2;
}

PanelParts panelParts(PanelFormat format) {
  const PanelInfo &info = panelInfo(format);
  if (!info.isBlocked())
    return {};
  const int64_t scales = info.unitColumns() / info.columns;
  const bool factored = info.scales == Scales::Factors;
  const int64_t numbers = kPanelRows * (factored ? 1 : scales) * scaleBytes(info.scales);
  const int64_t factors = factored ? kPanelRows * scales : 0;
  PanelParts parts = {};
  parts.minima = parts.scales + numbers;
  parts.factors = parts.minima + (info.minima ? numbers : 0);
  parts.minimum_factors = parts.factors + factors;
  parts.quants = parts.minimum_factors + (info.minima ? factors : 0);
  parts.unit = parts.quants + info.unitColumns() / kBlock * blockBytes(info);
  return parts;
}

/// Where the quants of the 32 columns from `first` on are.
static int64_t quantsAt(const PanelInfo &info, const PanelParts &parts, int64_t first) {
  const int64_t columns = info.unitColumns();
  return first / columns * parts.unit + parts.quants + first % columns / kBlock * blockBytes(info);
}

/// What a panel holds, without the zeros behind it.
static int64_t usedPanelBytes(PanelFormat format, int64_t k) {
  switch (format) {
  case PanelFormat::F32:
    return k * kPanelRows * 4;
  case PanelFormat::F16:
  case PanelFormat::BF16:
    return k * kPanelRows * 2;
  case PanelFormat::BF16Pairs:
    return (k + 1) / 2 * kPanelRows * 4;
  case PanelFormat::Vector:
    return k * 4;
  default:
    // Behind the quants of the last columns nothing is left of their unit.
    return quantsAt(panelInfo(format), panelParts(format), k - kBlock) +
           blockBytes(panelInfo(format));
  }
}

int64_t panelBytes(PanelFormat format, int64_t k) {
  return (usedPanelBytes(format, k) + kPanelAlign - 1) / kPanelAlign * kPanelAlign;
}

int64_t storedBytes(StorageType type, int64_t k) {
  const StorageTypeInfo &info = storageTypeInfo(type);
  return k / info.block_elements * info.block_bytes;
}

bool canPack(StorageType source, PanelFormat format) {
  if (isOwnFormat(format))
    return isWeightType(source);
  switch (format) {
  case PanelFormat::F32:
  case PanelFormat::Vector:
    return source == StorageType::F32 || source == StorageType::F16 || source == StorageType::BF16;
  case PanelFormat::F16:
    return source == StorageType::F16;
  case PanelFormat::BF16:
  case PanelFormat::BF16Pairs:
    return source == StorageType::BF16;
  default:
    std::optional<BlockFormat> blocks = blockFormatOf(source);
    return blocks && blockInfo(*blocks).panel == format;
  }
}

//===----------------------------------------------------------------------===//
// Plain formats: a transposition, with or without widening.

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
        out[i * kPanelRows + row] = convert(loadBytes<From>(from + i * sizeof(From)));
    }
  }
}

void widen(StorageType source, const uint8_t *from, int64_t count, float *to) {
  switch (source) {
  case StorageType::F16:
    for (int64_t i = 0; i < count; ++i)
      to[i] = fromF16(loadBytes<uint16_t>(from + i * 2));
    return;
  case StorageType::BF16:
    for (int64_t i = 0; i < count; ++i)
      to[i] = fromBf16(loadBytes<uint16_t>(from + i * 2));
    return;
  default:
    std::memcpy(to, from, count * 4);
  }
}

//===----------------------------------------------------------------------===//
// Block formats: words of four quants go to their lines, scales and minima in front of them.

/// Zeros behind what a panel holds.
static void clearRest(PanelFormat format, int64_t k, uint8_t *panel) {
  int64_t used = usedPanelBytes(format, k);
  std::memset(panel + used, 0, panelBytes(format, k) - used);
}

/// The code of each signed byte that stands in a table of values.
static std::array<uint8_t, 256> codesOf(const int8_t *values) {
  std::array<uint8_t, 256> codes = {};
  for (int code = 15; code >= 0; --code)
    codes[uint8_t(values[code])] = uint8_t(code);
  return codes;
}

static uint32_t *linesAt(uint8_t *panel, int64_t at) {
  return reinterpret_cast<uint32_t *>(panel + at);
}

static constexpr std::array<CodePieces, 8> findPieces(int64_t bits) {
  const int64_t common = std::gcd(bits, 8), lines = bits / common, groups = 8 / common;
  const int64_t left = 8 - bits; // bits of a line above the code that is its own
  std::array<CodePieces, 8> pieces;
  for (int64_t group = 0; group < 8; ++group) {
    auto &[count, found] = pieces[group];
    const int64_t firstLine = group / groups * lines, i = group % groups;
    if (i < lines) {
      found[count++] = {firstLine + i, 0, 0, bits};
      continue;
    }
    const int64_t begin = (i - lines) * bits;
    for (int64_t at = begin; at < begin + bits;) {
      const int64_t end = std::min((at / left + 1) * left, begin + bits);
      found[count++] = {firstLine + at / left, bits + at % left, at - begin, end - at};
      at = end;
    }
  }
  return pieces;
}

template <int64_t bits> constexpr std::array<CodePieces, 8> kPieces = findPieces(bits);

const std::array<CodePieces, 8> &codePieces(int64_t bits) {
  return bits == 4 ? kPieces<4> : bits == 5 ? kPieces<5> : bits == 6 ? kPieces<6> : kPieces<8>;
}

template <int64_t bits> static void packCodes(const uint32_t (&words)[8], uint32_t *line) {
  constexpr uint32_t kEachByte = 0x01010101;
  uint32_t packed[bits] = {};
#pragma unroll
  for (int64_t group = 0; group < 8; ++group)
#pragma unroll
    for (const CodePiece &piece : kPieces<bits>[group])
      packed[piece.line] |= (words[group] >> piece.place & ((1u << piece.count) - 1) * kEachByte)
                            << piece.bit;
  for (int64_t i = 0; i < bits; ++i)
    line[i * kLineWords] = packed[i];
}

/// The quants of a block of 32 columns, as words of four codes.
static void packQuants(const PanelInfo &info, const uint32_t (&words)[8], uint32_t *line) {
  switch (info.bits) {
  case 4:
    return packCodes<4>(words, line);
  case 5:
    return packCodes<5>(words, line);
  case 6:
    return packCodes<6>(words, line);
  default:
    return packCodes<8>(words, line);
  }
}

namespace {

/// Packs blocks of one format into panels that hold them.
class BlockPacker {
public:
  BlockPacker(PanelFormat format, BlockFormat source, uint8_t *panel)
      : info(panelInfo(format)), blocks(blockInfo(source)), source(source), panel(panel),
        parts(panelParts(format)) {
    if (info.values)
      codes = codesOf(info.values);
  }

  /// The block of `row` that begins at column `first`.
  void pack(const uint8_t *bytes, int64_t first, int64_t row) {
    takeApart(source, bytes, block);
    for (int64_t i = 0; i < blocks.elements; i += kBlock) {
      uint32_t words[8];
      takeCodes(block.quants + i, words);
      packQuants(info, words, linesAt(panel, quantsAt(info, parts, first + i)) + row);
    }
    const int64_t count = blocks.elements / info.columns;
    auto column = [&](int64_t i) { return first + i * info.columns; };
    switch (info.scales) {
    case Scales::Half:
      put(parts.scales, first, row, block.scale);
      if (info.minima)
        put(parts.minima, first, row, block.minimum);
      break;
    case Scales::Single:
      for (int64_t i = 0; i < count; ++i) {
        put(parts.scales, column(i), row, block.scales[i]);
        if (info.minima)
          put(parts.minima, column(i), row, block.minima[i]);
      }
      break;
    case Scales::Factors:
      put(parts.scales, first, row, block.scale);
      if (info.minima)
        put(parts.minima, first, row, block.minimum);
      for (int64_t i = 0; i < count; ++i) {
        put(parts.factors, column(i), row, block.factors[i]);
        if (info.minima)
          put(parts.minimum_factors, column(i), row, block.minimumFactors[i]);
      }
      break;
    case Scales::Exponent:
      put(parts.scales, first, row, block.factors[0]);
      break;
    case Scales::None:
    case Scales::Brain: // in no file
      break;
    }
  }

private:
  void takeCodes(const int8_t *quants, uint32_t (&words)[8]) {
    uint8_t bytes[kBlock];
    for (int64_t j = 0; j < kQuantColumns; ++j)
      bytes[j] = info.values ? codes[uint8_t(quants[j])] : uint8_t(quants[j] + info.zero);
    std::memcpy(words, bytes, sizeof(words));
  }

  /// The number of a part that is about column `column`.
  template <typename T> void put(int64_t part, int64_t column, int64_t row, T value) {
    const int64_t columns = info.unitColumns(), place = column % columns / info.columns;
    std::memcpy(panel + column / columns * parts.unit + part +
                    (place * kPanelRows + row) * sizeof(T),
                &value, sizeof(T));
  }

  const PanelInfo &info;
  const BlockInfo &blocks;
  BlockFormat source;
  uint8_t *panel;
  PanelParts parts;
  std::array<uint8_t, 256> codes;
  Block block;
};

} // namespace

static void packBlocks(PanelFormat format, BlockFormat source, int64_t k, const PanelRows &rows,
                       uint8_t *panel) {
  const BlockInfo &blocks = blockInfo(source);
  BlockPacker packer(format, source, panel);
  for (int64_t first = 0; first < k; first += blocks.elements)
    for (int64_t row = 0; row < kPanelRows; ++row)
      packer.pack(rows[row] + first / blocks.elements * blocks.bytes, first, row);
}

static void packPairs(int64_t k, const PanelRows &rows, uint8_t *panel) {
  uint32_t *lines = reinterpret_cast<uint32_t *>(panel);
  for (int64_t i = 0; i < k; i += 2)
    for (int64_t row = 0; row < kPanelRows; ++row) {
      uint32_t first = loadBytes<uint16_t>(rows[row] + 2 * i);
      uint32_t second = i + 1 < k ? loadBytes<uint16_t>(rows[row] + 2 * i + 2) : 0;
      lines[i / 2 * kLineWords + row] = first << 16 | second;
    }
}

static void transposeWidened(StorageType source, int64_t k, const PanelRows &rows, uint8_t *panel) {
  if (source == StorageType::F16)
    transpose<uint16_t>(k, rows, panel, fromF16);
  else if (source == StorageType::BF16)
    transpose<uint16_t>(k, rows, panel, fromBf16);
  else
    transpose<float>(k, rows, panel, [](float value) { return value; });
}

void packPanel(PanelFormat format, StorageType source, int64_t k, const PanelRows &rows,
               uint8_t *panel) {
  assert(!isOwnFormat(format) && "values are rounded to it by packRounded");
  switch (format) {
  case PanelFormat::F32:
    transposeWidened(source, k, rows, panel);
    break;
  case PanelFormat::F16:
  case PanelFormat::BF16:
    transpose<uint16_t>(k, rows, panel, [](uint16_t bits) { return bits; });
    break;
  case PanelFormat::BF16Pairs:
    packPairs(k, rows, panel);
    break;
  case PanelFormat::Vector:
    __builtin_unreachable();
  default:
    packBlocks(format, *blockFormatOf(source), k, rows, panel);
  }
  clearRest(format, k, panel);
}

void packRounded(PanelFormat format, int64_t k, const float *values, uint8_t *panel) {
  const PanelInfo &info = panelInfo(format);
  const PanelParts parts = panelParts(format);
  RoundedBlock block;
  for (int64_t first = 0; first < k; first += info.columns) {
    const int64_t columns = std::min(info.columns, k - first);
    roundBlock(info, values + first * kPanelRows, columns, block);
    for (int64_t i = 0; i < columns; i += kBlock)
      for (int64_t row = 0; row < kPanelRows; ++row) {
        uint8_t codes[kBlock];
        for (int64_t j = 0; j < kBlock; ++j)
          codes[j] = block.codes[i + j][row];
        uint32_t words[8];
        std::memcpy(words, codes, sizeof words);
        packQuants(info, words, linesAt(panel, quantsAt(info, parts, first + i)) + row);
      }
    // Of our own formats a unit has one scale.
    uint8_t *unit = panel + first / info.columns * parts.unit;
    std::memcpy(unit + parts.scales, block.scales, sizeof block.scales);
    if (info.minima)
      std::memcpy(unit + parts.minima, block.minima, sizeof block.minima);
  }
  clearRest(format, k, panel);
}

} // namespace moire
