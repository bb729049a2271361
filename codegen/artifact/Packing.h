// Weight recipes as plain data, executed by a streaming parallel packer (Packing.cpp).
//
// A packed weight is a stack of slices (one a layer), each slice a row of panels. A panel holds 16
// output rows (missing rows are zero) over the whole of K:
//
//   f32          [k][row]            4 bytes each
//   f16, bf16    [k][row]            2 bytes each
//   bf16 pairs   [k / 2][row]        words of 4 bytes, a line of 64 for two columns: k in the high
//                half, k + 1 in the low one (0 behind the last of an odd K). Instructions that
//                multiply pairs add the product of the high halves first: so K ascends.
//   block formats (dialects/Formats.def): units of as many columns as share numbers, 32 at least
//                (PanelInfo::unitColumns; the last may be short). So a panel is read from front to
//                end, however short it is. In each, of what the format has:
//       scales, minima    [scale of the unit][row] f16 (Half), bf16 (Brain), f32 (Single) or bytes
//                         (Exponent); Factors: [row] f16
//       factors           Factors only, of the scales, then of the minima: [scale][row], bytes
//       quants            [block of 32 columns][line][row][byte 0..3]; one line is 64 bytes
//         a block has eight groups of 4 columns, k = 32 * block + 4 * group + byte, and a line for
//         each bit of a code. As few groups as fill whole lines share them: 1 of 8 bits (signed), 2
//         of 4 bits, 4 of 6 bits 3 lines, 8 of 5 bits 5 lines. The first of them, one a line, lie
//         in the low bits; the codes of the others, one behind the other, in what is left above
//         from line to line (codePieces). Thus a code of a nibble takes one or two operations to
//         take apart, three of four of 6 bits one, and the fourth eight.
//
// The panel's size is rounded up to 64 bytes. A vector (norm gain, bias) is f32, its length rounded
// up to 16 with zeros; its slice has rows * k elements (one of the two is 1 as a rule), and every
// source gives all the elements of its tensor. Every packed weight starts at a multiple of 4096 in
// the section, every slice at a multiple of 64, that of an expert at one of 4096: an expert's pages
// are its own. Gaps are zero.
//
// Numbers are moved, not rounded: an f16 or bf16 panel takes sources of that very type, a panel
// of blocks the block formats that it holds exactly. An f32 panel or a vector takes f32, f16 and
// bf16, widened. Only panels of our own formats (Formats.def, the third table) are what sources of
// any type are rounded to: whoever asks for them asks for that (Rounding.h).

#ifndef MOIRE_CODEGEN_ARTIFACT_PACKING_H
#define MOIRE_CODEGEN_ARTIFACT_PACKING_H

#include "frontends/weights/Container.h"

#include <array>
#include <functional>
#include <span>

namespace moire {

constexpr int64_t kPanelRows = 16;

/// Panels that hold `rows` rows, and the rows of as many whole panels.
constexpr int64_t panelCount(int64_t rows) { return (rows + kPanelRows - 1) / kPanelRows; }
constexpr int64_t wholePanels(int64_t rows) { return panelCount(rows) * kPanelRows; }

/// Bytes of one panel of K columns (of a whole vector of K elements for PanelFormat::Vector),
/// rounded up to 64.
int64_t panelBytes(PanelFormat format, int64_t k);

/// Where the parts of a panel of blocks are: byte offsets, relative to the unit of columns that
/// they belong to. A part that there is not is empty, and starts where the next one does.
struct PanelParts {
  int64_t scales, minima, factors, minimum_factors, quants;
  int64_t unit; // from one unit to the next
};
PanelParts panelParts(PanelFormat format);

/// Some bits of the codes of a group of 4 columns: `count` of them, from bit `place` of the code
/// on, are in the bytes of line `line` of a block, from their bit `bit` on.
struct CodePiece {
  int64_t line, bit, place, count;
};
/// Those that make up the codes of a group.
struct CodePieces {
  int64_t count = 0;
  std::array<CodePiece, 3> pieces = {};

  constexpr const CodePiece *begin() const { return pieces.data(); }
  constexpr const CodePiece *end() const { return pieces.data() + count; }
};
/// Of each of the eight groups of a block; codes have 4, 5, 6 or 8 bits.
const std::array<CodePieces, 8> &codePieces(int64_t bits);

/// Consecutive rows that come from one tensor of the source.
struct RowSource {
  const TensorEntry *tensor;
  int64_t rows;
  /// Number of heads whose rows stand in the order of interleaved RoPE (ggml's `llama`): packed row
  /// s*dh/2 + i of a head is source row 2*i + s. 0: rows stand as they are.
  int64_t interleaved_heads = 0;
  /// The row of the tensor that these begin with (an expert's, or a part's of a packed tensor).
  int64_t first_row = 0;
};

/// One packed weight. Several sources in a slice are concatenated along the rows, or, if
/// `alternate_panels`, their panels alternate (first panel of each, then second of each, …; the
/// sources then have equal numbers of rows).
struct PackedWeight {
  std::string name;
  PanelFormat format;
  int64_t rows = 0, k = 0;                         // of a slice: rows over all sources
  std::vector<std::vector<RowSource>> slices = {}; // [slice][source]
  bool alternate_panels = false;
  /// Slices that make up a layer, if each is an expert's matrix; 0: a slice is a layer.
  int64_t experts = 0;
  /// Numbers that the compiler computed instead of `slices` (RoPE frequencies): one slice.
  std::vector<float> computed = {};
  int64_t offset = 0; // in the weights section
  int64_t slice_bytes = 0;

  /// From one layer to the next.
  int64_t layerBytes() const { return slice_bytes * (experts ? experts : 1); }
};

/// Assigns offset and slice_bytes; returns the size of the section.
int64_t layOutWeights(std::vector<PackedWeight> &weights);

/// Packs everything, on `threads` threads, and hands the section out in ascending, gapless chunks:
/// `write(chunk)` returns false to stop (disk full). Memory in flight is bounded by a few chunks,
/// not by the model. `progress(done, total)` in bytes may be null. Returns false with `error` set.
bool packWeights(const std::vector<PackedWeight> &weights, int threads,
                 const std::function<bool(std::span<const uint8_t>)> &write,
                 const std::function<void(uint64_t, uint64_t)> &progress, std::string &error);

} // namespace moire

#endif
