// What lies in the strip of a product of many rows: a private buffer of bytes that `blocking`
// asks for.

#ifndef MOIRE_DIALECTS_TILE_STRIP_H
#define MOIRE_DIALECTS_TILE_STRIP_H

#include "dialects/tile/Tile.h"

namespace mlir::tile {

/// What is multiplied with panels: rows of f32, pairs of bf16, or int8 with scales.
enum class RowKind { Floats, Pairs, Quantized };

/// Offsets are in bytes; of the unpacked numbers, in each panel's share of the strip. There are
/// shares for the panels that a tile multiplies side by side; if one chunk has all columns, for
/// both of gate and up in any case.
///
///   lines    chunk of a panel: [columns / 4][16 rows][4] i8 for quantized rows, [columns][16] f32
///   scales   [columns / 32, or 16 that share one][16] f32, of block formats with quantized rows
///   minima   as many, where the format has them
///   sums     [panels][block][16] f32: what the chunks before have added up to, if there are
///   several
struct StripLayout {
  bool unpacked = false; // else panels are read as they are
  bool whole = false;    // one chunk has all columns
  int64_t scales = 0, minima = 0;
  int64_t shareBytes = 0; // from one panel's to the next one's
  int64_t sums = 0;
  int64_t bytes = 0; // of the strip; 0: there is none

  /// `parts`: panels that belong together (2: gate and up); the others: of the blocking.
  static StripLayout of(Format format, RowKind kind, int64_t k, int64_t parts, int64_t columns,
                        int64_t block, int64_t panels);
  static StripLayout of(Format format, RowKind kind, int64_t k, int64_t parts,
                        BlockingAttr blocking) {
    return of(format, kind, k, parts, blocking.getColumns(), blocking.getBlock(),
              blocking.getPanels());
  }
};

} // namespace mlir::tile

#endif
