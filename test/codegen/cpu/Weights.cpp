#include "test/codegen/cpu/Weights.h"
#include "codegen/artifact/Panels.h"
#include "frontends/weights/Blocks.h"

#include <cstring>

namespace moire::test {

namespace {

/// A type of a file that a panel's format holds, and where the f16 numbers of its blocks lie.
struct Stored {
  PanelFormat format;
  StorageType type;
  std::vector<int> halves = {};
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
  return formats;
}

int64_t blockColumns(PanelFormat format) {
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
    append(matrix.stored, bytes.data(), bytes.size());
    Block block;
    takeApart(format, bytes.data(), block);
    matrix.quants.insert(matrix.quants.end(), block.quants, block.quants + blocks.elements);
    int64_t scales = blocks.elements / matrix.info().columns;
    matrix.scales.insert(matrix.scales.end(), block.scales, block.scales + scales);
    matrix.minima.insert(matrix.minima.end(), block.minima, block.minima + scales);
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
  matrix.info().isBlocked() ? addBlocks(matrix, random) : addPlain(matrix, random);
  return matrix;
}

std::vector<uint8_t> packPanels(std::initializer_list<const Matrix *> matrices) {
  const Matrix &first = **matrices.begin();
  StorageType storage = storedAs(first.format).type;
  int64_t rowBytes = storedBytes(storage, first.k), bytes = panelBytes(first.format, first.k);
  std::vector<uint8_t> zeros(rowBytes), panels;
  for (int64_t row = 0; row < first.rows; row += kPanelRows)
    for (const Matrix *matrix : matrices) {
      PanelRows rows;
      for (int64_t i = 0; i < kPanelRows; ++i)
        rows[i] =
            row + i < matrix->rows ? matrix->stored.data() + (row + i) * rowBytes : zeros.data();
      panels.resize(panels.size() + bytes);
      packPanel(first.format, storage, first.k, rows, panels.data() + panels.size() - bytes);
    }
  return panels;
}

} // namespace moire::test
