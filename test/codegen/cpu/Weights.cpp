#include "test/codegen/cpu/Weights.h"
#include "codegen/artifact/Panels.h"
#include "codegen/artifact/Rounding.h"
#include "frontends/weights/Blocks.h"

#include <algorithm>
#include <cstring>

namespace moire::test {

namespace {

/// A type of a file that a panel's format holds, and where the scales of its blocks lie.
struct Stored {
  PanelFormat format;
  StorageType type;
  std::vector<int> halves = {};
  int exponent = -1; // where the byte of a power of 2 lies; -1: nowhere
};

} // namespace

static const Stored &storedAs(PanelFormat format) {
  static const std::vector<Stored> types = {
      {PanelFormat::F32, StorageType::F32},
      {PanelFormat::F16, StorageType::F16},
      {PanelFormat::BF16, StorageType::BF16},
      {PanelFormat::BF16Pairs, StorageType::BF16},
      {PanelFormat::Q4_0, StorageType::Q4_0, {0}},
      {PanelFormat::Q4_1, StorageType::Q4_1, {0, 2}},
      {PanelFormat::Q5_0, StorageType::Q5_0, {0}},
      {PanelFormat::Q5_1, StorageType::Q5_1, {0, 2}},
      {PanelFormat::Q8_0, StorageType::Q8_0, {0}},
      {PanelFormat::Q4_K, StorageType::Q4_K, {0, 2}},
      {PanelFormat::Q5_K, StorageType::Q5_K, {0, 2}},
      {PanelFormat::Q6_K, StorageType::Q6_K, {208}},
      {PanelFormat::IQ4_NL, StorageType::IQ4_NL, {0}},
      {PanelFormat::MXFP4, StorageType::MXFP4, {}, 0},
      {PanelFormat::W8_32, StorageType::IQ4_XS, {0}},
      {PanelFormat::W8_16, StorageType::Q3_K, {108}},
      {PanelFormat::W8_16M, StorageType::Q2_K, {80, 82}},
  };
  for (const Stored &stored : types)
    if (stored.format == format)
      return stored;
  std::abort(); // a new format needs a line above
}

std::vector<PanelFormat> blockFormats() {
  std::vector<PanelFormat> formats;
#define MOIRE_PANEL(enumerator, ...)                                                               \
  if (panelInfo(PanelFormat::enumerator).isBlocked())                                              \
    formats.push_back(PanelFormat::enumerator);
#include "dialects/Formats.def"
  // Of our own, which differ by their numbers only, each kind, width and type of scales once.
  formats.insert(formats.end(), {PanelFormat::Int4_G32, PanelFormat::Int4_G128,
                                 PanelFormat::Uint4_G64_BF16, PanelFormat::Int8_G256});
  return formats;
}

int64_t blockColumns(PanelFormat format) {
  if (isOwnFormat(format))
    return panelInfo(format).wholeColumns();
  return storageTypeInfo(storedAs(format).type).block_elements;
}

float Matrix::at(int64_t row, int64_t column) const {
  if (!info().isBlocked())
    return plain[row * k + column];
  float value = static_cast<float>(quants[row * k + column]) * scale(row, column);
  return info().minima ? value + minimum(row, column) : value;
}

static void append(std::vector<uint8_t> &bytes, const void *data, size_t size) {
  auto *from = static_cast<const uint8_t *>(data);
  bytes.insert(bytes.end(), from, from + size);
}

static void appendHalf(std::vector<uint8_t> &bytes, float value) {
  auto half = static_cast<_Float16>(value);
  append(bytes, &half, 2);
}

/// The numbers of a panel of a matrix that was rounded, [k][row].
static std::vector<float> valuesOf(const Matrix &matrix, int64_t firstRow) {
  std::vector<float> values(matrix.k * kPanelRows);
  for (int64_t row = 0; row < kPanelRows; ++row)
    for (int64_t i = 0; i < matrix.k; ++i)
      values[i * kPanelRows + row] = matrix.plain[(firstRow + row) * matrix.k + i];
  return values;
}

// Every fourth row holds the smallest and largest quants (and factors) only, every eighth one of
// them.
static uint8_t randomByte(PanelFormat format, int64_t row, Random &random) {
  if (row % 4 != 3)
    return random.integer(0, 255);
  if (row % 8 == 7)
    return format == PanelFormat::Q8_0 ? 0x80 : 0xff;
  if (format == PanelFormat::Q8_0)
    return random.integer(0, 1) ? 0x80 : 0x7f;
  return random.integer(0, 1) * 0x0f | random.integer(0, 1) * 0xf0;
}

static void addBlocks(Matrix &matrix, Random &random) {
  const Stored &stored = storedAs(matrix.format);
  BlockFormat format = *blockFormatOf(stored.type);
  const BlockInfo &blocks = blockInfo(format);
  for (int64_t first = 0; first < matrix.rows * matrix.k; first += blocks.elements) {
    std::vector<uint8_t> bytes(blocks.bytes);
    for (uint8_t &byte : bytes)
      byte = randomByte(matrix.format, first / matrix.k, random);
    for (size_t i = 0; i < stored.halves.size(); ++i) {
      auto half =
          static_cast<_Float16>(i ? random.uniform(-0.1f, 0.1f) : random.uniform(0.001f, 0.02f));
      std::memcpy(bytes.data() + stored.halves[i], &half, 2);
    }
    if (stored.exponent >= 0)
      bytes[stored.exponent] = random.integer(118, 123);
    append(matrix.stored, bytes.data(), bytes.size());
    Block block;
    takeApart(format, bytes.data(), block);
    matrix.quants.insert(matrix.quants.end(), block.quants, block.quants + blocks.elements);
    int64_t scales = blocks.elements / matrix.info().columns;
    matrix.scales.insert(matrix.scales.end(), block.scales, block.scales + scales);
    matrix.minima.insert(matrix.minima.end(), block.minima, block.minima + scales);
  }
}

// Numbers that are rounded to one of our own formats. Every fourth row holds the smallest and
// largest codes only, every eighth the largest ones and one of the smallest; there the scale is
// 1/64, which the search finds, since it leaves no error.
static void addRounded(Matrix &matrix, Random &random) {
  const PanelInfo &info = matrix.info();
  const int64_t rows = wholePanels(matrix.rows), k = matrix.k, scales = info.scaleCount(k);
  const int low = info.bits == 8 ? -127 : -static_cast<int>(info.zero),
            high = info.bits == 8 ? 127 : 15 + low;
  matrix.plain.assign(rows * k, 0);
  matrix.quants.resize(rows * k);
  matrix.scales.resize(rows * scales);
  matrix.minima.resize(rows * scales);
  for (int64_t row = 0; row < matrix.rows; ++row)
    for (int64_t i = 0; i < k; ++i) {
      const bool smallest = i % info.columns == 0 || (row % 8 != 7 && random.integer(0, 1));
      matrix.plain[row * k + i] = row % 4 != 3 ? random.uniform(-0.2f, 0.2f)
                                  : smallest   ? static_cast<float>(low) / 64
                                               : static_cast<float>(high) / 64;
    }
  for (int64_t panel = 0; panel < rows; panel += kPanelRows)
    for (int64_t first = 0; first < k; first += info.columns) {
      const int64_t columns = std::min(info.columns, k - first);
      RoundedBlock block;
      roundBlock(info, valuesOf(matrix, panel).data() + first * kPanelRows, columns, block);
      for (int64_t row = 0; row < kPanelRows; ++row) {
        const int64_t at = (panel + row) * scales + first / info.columns;
        matrix.scales[at] = fromScale(info.scales, block.scales[row]);
        matrix.minima[at] = info.minima ? fromScale(info.scales, block.minima[row]) : 0;
        for (int64_t i = 0; i < columns; ++i) {
          const int code = block.codes[i][row];
          matrix.quants[(panel + row) * k + first + i] =
              info.bits == 8 ? static_cast<int8_t>(code) : code - static_cast<int>(info.zero);
        }
      }
    }
}

static void addPlain(Matrix &matrix, Random &random) {
  bool isBf16 = storedAs(matrix.format).type == StorageType::BF16;
  for (int64_t i = 0; i < matrix.rows * matrix.k; ++i) {
    float value = random.uniform(-1, 1);
    if (matrix.format == PanelFormat::F16) {
      value = roundToHalf(value);
      appendHalf(matrix.stored, value);
    } else {
      // Products of every fourth row of bf16 may be denormal.
      if (isBf16 && i / matrix.k % 4 == 3)
        value *= 1e-20f;
      uint32_t bits;
      std::memcpy(&bits, &value, 4);
      if (isBf16)
        bits &= 0xffff0000;
      std::memcpy(&value, &bits, 4);
      uint16_t high = bits >> 16;
      if (isBf16)
        append(matrix.stored, &high, 2);
      else
        append(matrix.stored, &bits, 4);
    }
    matrix.plain.push_back(value);
  }
}

Matrix randomMatrix(PanelFormat format, int64_t rows, int64_t k, Random &random) {
  Matrix matrix{format, rows, k, {}, {}, {}, {}, {}};
  if (isOwnFormat(format))
    addRounded(matrix, random);
  else
    matrix.info().isBlocked() ? addBlocks(matrix, random) : addPlain(matrix, random);
  return matrix;
}

std::vector<uint8_t> packPanels(std::initializer_list<const Matrix *> matrices) {
  const Matrix &first = **matrices.begin();
  int64_t bytes = panelBytes(first.format, first.k);
  std::vector<uint8_t> panels;
  for (int64_t row = 0; row < first.rows; row += kPanelRows)
    for (const Matrix *matrix : matrices) {
      panels.resize(panels.size() + bytes);
      uint8_t *panel = panels.data() + panels.size() - bytes;
      if (isOwnFormat(first.format)) {
        packRounded(first.format, first.k, valuesOf(*matrix, row).data(), panel);
        continue;
      }
      StorageType storage = storedAs(first.format).type;
      int64_t rowBytes = storedBytes(storage, first.k);
      std::vector<uint8_t> zeros(rowBytes);
      PanelRows rows;
      for (int64_t i = 0; i < kPanelRows; ++i)
        rows[i] =
            row + i < matrix->rows ? matrix->stored.data() + (row + i) * rowBytes : zeros.data();
      packPanel(first.format, storage, first.k, rows, panel);
    }
  return panels;
}

} // namespace moire::test
