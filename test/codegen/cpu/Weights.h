// Random weights, as a model file stores them, as panels, and as plain numbers.

#ifndef MOIRE_TEST_CODEGEN_CPU_WEIGHTS_H
#define MOIRE_TEST_CODEGEN_CPU_WEIGHTS_H

#include "codegen/artifact/Packing.h"
#include "test/codegen/cpu/Kernel.h"

#include <bit>

namespace moire::test {

/// f32 to bf16 and back, rounded to nearest even; not for NaN.
inline float roundToBf16(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  return std::bit_cast<float>((bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000);
}
/// f32 to f16 and back, rounded to nearest even.
inline float roundToHalf(float value) { return static_cast<float>(static_cast<_Float16>(value)); }

/// The spelling of a format in the tile dialect: "q4_0".
inline const char *nameOf(PanelFormat format) { return panelInfo(format).name.data(); }

/// Every format of blocks that files have, and some of our own.
std::vector<PanelFormat> blockFormats();

/// Columns of which the k of randomMatrix is a multiple: of a block in the file that it writes, or,
/// of our own formats, 32.
int64_t blockColumns(PanelFormat format);

/// A matrix [rows, k].
struct Matrix {
  PanelFormat format;
  int64_t rows, k;
  std::vector<float> plain;          // [rows, k], formats without blocks; before rounding, our own
  std::vector<int> quants;           // [rows, k], as multiplied: q - 8 for q4_0
  std::vector<float> scales, minima; // [rows, k / columns, rounded up]
  std::vector<uint8_t> stored;       // as in the file, row by row; empty for our own formats

  const PanelInfo &info() const { return panelInfo(format); }
  float scale(int64_t row, int64_t column) const { return scales[place(row, column)]; }
  /// 0 where the format has none.
  float minimum(int64_t row, int64_t column) const {
    return info().minima ? minima[place(row, column)] : 0;
  }
  int64_t place(int64_t row, int64_t column) const {
    return row * info().scaleCount(k) + column / info().columns;
  }
  /// The weight, rounded to f32 as ggml rounds it.
  float at(int64_t row, int64_t column) const;
};

Matrix randomMatrix(PanelFormat format, int64_t rows, int64_t k, Random &random);

/// The panels of some matrices of equal shape and format, alternating.
std::vector<uint8_t> packPanels(std::initializer_list<const Matrix *> matrices);

} // namespace moire::test

#endif
