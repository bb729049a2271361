#include "test/codegen/cpu/Weights.h"
#include "codegen/artifact/Panels.h"

#include <cstring>

namespace moire::test {

const char *nameOf(PanelFormat format) {
  switch (format) {
  case PanelFormat::F16:
    return "f16";
  case PanelFormat::BF16:
    return "bf16";
  case PanelFormat::Q4_0:
    return "q4_0";
  case PanelFormat::Q4_1:
    return "q4_1";
  case PanelFormat::Q8_0:
    return "q8_0";
  default:
    return "f32";
  }
}

static StorageType storageOf(PanelFormat format) {
  switch (format) {
  case PanelFormat::F16:
    return StorageType::F16;
  case PanelFormat::BF16:
    return StorageType::BF16;
  case PanelFormat::Q4_0:
    return StorageType::Q4_0;
  case PanelFormat::Q4_1:
    return StorageType::Q4_1;
  case PanelFormat::Q8_0:
    return StorageType::Q8_0;
  default:
    return StorageType::F32;
  }
}

float Matrix::at(int64_t row, int64_t column) const {
  if (!isBlocked(format))
    return plain[row * k + column];
  float value = static_cast<float>(quants[row * k + column]) * scale(row, column);
  return format == PanelFormat::Q4_1 ? value + minimum(row, column) : value;
}

static void append(std::vector<uint8_t> &bytes, const void *data, size_t size) {
  auto *from = static_cast<const uint8_t *>(data);
  bytes.insert(bytes.end(), from, from + size);
}

static void appendHalf(std::vector<uint8_t> &bytes, float value) {
  auto half = static_cast<_Float16>(value);
  append(bytes, &half, 2);
}

// A block of 32 as ggml stores it: the scale, the minimum, the quants (element j in the low nibble
// of byte j, element j + 16 in its high one).
static void appendBlock(Matrix &matrix, int64_t first) {
  int64_t block = first / 32;
  appendHalf(matrix.stored, matrix.scales[block]);
  if (matrix.format == PanelFormat::Q4_1)
    appendHalf(matrix.stored, matrix.minima[block]);
  if (matrix.format == PanelFormat::Q8_0) {
    for (int64_t j = 0; j < 32; ++j)
      matrix.stored.push_back(static_cast<uint8_t>(matrix.quants[first + j]));
    return;
  }
  int zero = matrix.format == PanelFormat::Q4_0 ? 8 : 0;
  for (int64_t j = 0; j < 16; ++j)
    matrix.stored.push_back((matrix.quants[first + j] + zero) |
                            (matrix.quants[first + j + 16] + zero) << 4);
}

// Every fourth row holds the smallest and largest quants only.
static int randomQuant(PanelFormat format, int64_t row, Random &random) {
  int low = format == PanelFormat::Q4_0 ? -8 : format == PanelFormat::Q4_1 ? 0 : -128;
  int high = format == PanelFormat::Q4_0 ? 7 : format == PanelFormat::Q4_1 ? 15 : 127;
  if (row % 4 == 3)
    return random.integer(0, 1) ? low : high;
  return random.integer(low, high);
}

static void addBlocks(Matrix &matrix, Random &random) {
  for (int64_t first = 0; first < matrix.rows * matrix.k; first += 32) {
    matrix.scales.push_back(roundToHalf(random.uniform(0.001f, 0.02f)));
    matrix.minima.push_back(roundToHalf(random.uniform(-0.1f, 0.1f)));
    for (int64_t j = 0; j < 32; ++j)
      matrix.quants.push_back(randomQuant(matrix.format, first / matrix.k, random));
    appendBlock(matrix, first);
  }
}

static void addPlain(Matrix &matrix, Random &random) {
  for (int64_t i = 0; i < matrix.rows * matrix.k; ++i) {
    float value = random.uniform(-1, 1);
    if (matrix.format == PanelFormat::F16) {
      value = roundToHalf(value);
      appendHalf(matrix.stored, value);
    } else {
      uint32_t bits;
      std::memcpy(&bits, &value, 4);
      if (matrix.format == PanelFormat::BF16)
        bits &= 0xffff0000;
      std::memcpy(&value, &bits, 4);
      uint16_t high = bits >> 16;
      if (matrix.format == PanelFormat::BF16)
        append(matrix.stored, &high, 2);
      else
        append(matrix.stored, &bits, 4);
    }
    matrix.plain.push_back(value);
  }
}

Matrix randomMatrix(PanelFormat format, int64_t rows, int64_t k, Random &random) {
  Matrix matrix{format, rows, k, {}, {}, {}, {}, {}};
  isBlocked(format) ? addBlocks(matrix, random) : addPlain(matrix, random);
  return matrix;
}

std::vector<uint8_t> packPanels(std::initializer_list<const Matrix *> matrices) {
  const Matrix &first = **matrices.begin();
  StorageType storage = storageOf(first.format);
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
