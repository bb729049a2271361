// Weights are rounded to our own formats (dialects/Formats.def, the third table): the codes and the
// scale of each block with the smallest weighted squared error that a short search finds.

#ifndef MOIRE_CODEGEN_ARTIFACT_ROUNDING_H
#define MOIRE_CODEGEN_ARTIFACT_ROUNDING_H

#include "codegen/artifact/Packing.h"

namespace moire {

/// The widest block of a format of ours, in columns.
constexpr int64_t kWidestBlock = 256;

/// The number that a scale or minimum of 16 bits stands for.
float fromScale(Scales scales, uint16_t bits);

/// A block of each of a panel's rows. The value of a code c is (c - zero) * scale, plus the minimum
/// where the format has minima; codes of 8 bits are signed bytes.
struct RoundedBlock {
  uint8_t codes[kWidestBlock][kPanelRows]; // [column][row]
  uint16_t scales[kPanelRows];             // f16 or bf16, as the format says
  uint16_t minima[kPanelRows];             // the same
};

/// Rounds the first `columns` columns of `values`, [column][16 rows]; at most kWidestBlock.
///
/// For a row x let E(d, m) = sum over i of w[i] (x[i] - (d * q[i] + m))^2 with the integers
/// q[i] = clamp(round((x[i] - m) / d), low, high): -8 … 7 (4 bits) or -127 … 127 (8 bits) and m =
/// 0, or, with minima, 0 … 15. The weights are w[i] = |x[i]|; with minima, where no code stands for
/// 0, plus three times the root of the mean of x^2. It looks for d (and m), numbers of 16
/// bits, with a small E:
///
/// 1. Plain scaling: d = the value of largest magnitude / low; with minima d = (max - min) / 15 and
///    m = min.
/// 2. The same with the range of the values made narrower or wider by the factors of kRanges: a
///    step that is a little too small for the outermost values fits all others better.
/// 3. The d (and m) that minimize E for the integers of the best of these (least squares: d = the
///    sum of w x q / that of w q q; with minima the solution of two equations); and once more for
///    the integers of that.
///
/// The one with the smallest E is taken, the first of equal ones: so E is never above that of plain
/// scaling. The idea of searching so is that of ggml's make_qx_quants, which weights by x^2. With
/// equal weights the largest values are cut off, and a model loses more than by plain scaling
/// (bench/quality.md). A block whose largest magnitude is below what scales can say becomes
/// zeros; one with a value that is infinite or no number has the scale NaN, and is no number as a
/// whole. A row's results depend on no other row.
void roundBlock(const PanelInfo &info, const float *values, int64_t columns, RoundedBlock &block);

} // namespace moire

#endif
