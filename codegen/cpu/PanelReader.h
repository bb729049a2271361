// Reads packed panels (layout: codegen/artifact/Packing.h) as values of the model.

#ifndef MOIRE_CODEGEN_CPU_PANELREADER_H
#define MOIRE_CODEGEN_CPU_PANELREADER_H

#include "codegen/artifact/Packing.h"
#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// Parts of one panel, all offsets in bytes into `bytes` (an i8 buffer). Of blocks a reader gives
/// the 32 columns that lie together, and their scales: one for all 32 (and perhaps for neighbours,
/// too), or two for 16 each.
class PanelReader {
public:
  /// `origin`: where the first panel starts, in bytes, or null.
  PanelReader(Emitter &e, PanelFormat format, Value bytes, Value panel, int64_t k,
              Value origin = {});
  /// Reads one row only: everything below is then of that row instead of 16.
  PanelReader(Emitter &e, PanelFormat format, Value bytes, Value panel, Value row, int64_t k);

  /// How many scales the 32 columns of a block have: 1 or 2.
  int64_t scalesPerBlock() const { return info.columns < 32 ? 32 / info.columns : 1; }
  /// A scale of a block, [16 rows] f32. (Blocks of `columns` may be counted in, 32 or more that
  /// share a scale.)
  Value scales(Value block, int64_t which = 0, int64_t columns = 32);
  /// The minimum that goes with it, or null where the format has none.
  Value minima(Value block, int64_t which = 0, int64_t columns = 32);
  /// The integers of columns 4 * group … 4 * group + 3 of a block, <16 rows * 4 x i8>: signed
  /// bytes, or codes without sign (PanelInfo::isSigned).
  Value quants(Value block, int64_t group);

  /// Those of columns 8 * pair + 4 * which … of the panel, which are in this block of `columns`.
  /// For codes of 4 or 8 bits.
  bool hasPairsOfQuants() const { return info.bits == 4 || info.bits == 8; }
  Value pairOfQuants(Value pair, int64_t which, Value block, int64_t columns);

  /// Asks for line `line` of a block: 64 bytes, of as many as its columns take.
  void prefetchLine(Value block, Value line, bool isNear) const;
  int64_t linesPerBlock() const;

  /// Dequantized weights, f32: all 32 columns of a block, calling use(k in block, values). Each
  /// value is rounded as ggml's dequantization rounds it.
  void dequantizeBlock(Value block, llvm::function_ref<void(int64_t, Value)> use);
  /// Columns 2 * pair and 2 * pair + 1 as bf16_pairs stores them, <64 x i8>.
  Value pair(Value pair);
  /// Column k of a plain format, widened to f32.
  Value column(Value k);

private:
  /// `count` elements a row at byte `at` + `before` of the panel.
  Value load(Value at, int64_t count, mlir::Type element, int64_t before = 0);
  /// Elements of a plain format: `count` a row, behind as many times `place`.
  Value numbers(Value place, int64_t count, mlir::Type element);
  /// A scale or minimum, stored in these parts.
  Value number(int64_t part, int64_t factors, bool isSigned, Value block, int64_t which,
               int64_t columns);
  /// What the units before a block of `columns` have in front of their quants, in bytes.
  Value numbersBefore(Value block, int64_t columns) const;
  /// Byte of a block's quants, without what its own unit has in front.
  Value quantsAt(Value block) const;
  Value line(Value block, int64_t line);
  Value lookUp(Value codes);

  Emitter &e;
  const PanelInfo &info;
  bool pairs;
  mlir::Type plain; // element of a plain format
  Value bytes, base;
  Value row; // null: all of the panel
  int64_t rows;
  PanelParts parts;
};

/// Dequantizes row `row` of a matrix of `k` columns: calls use(first column, values) with vectors
/// of 1 or 4 f32 values.
void emitReadRow(Emitter &e, PanelFormat format, Value bytes, Value row, int64_t k,
                 llvm::function_ref<void(Value, Value)> use);

} // namespace moire::cpu

#endif
