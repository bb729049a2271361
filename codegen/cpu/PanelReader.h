// Reads packed panels (layout: codegen/artifact/Packing.h) as values of the model.

#ifndef MOIRE_CODEGEN_CPU_PANELREADER_H
#define MOIRE_CODEGEN_CPU_PANELREADER_H

#include "codegen/artifact/Packing.h"
#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

PanelFormat panelFormat(mlir::tile::Format format);
/// Blocks of 32 with scales, or one value at a time.
bool isBlocked(mlir::tile::Format format);
/// Sub-block structure of a blocked format: how many 64-byte lines hold the 32 columns of a block.
int64_t linesPerBlock(mlir::tile::Format format);

/// Parts of one panel, all offsets in bytes into `bytes` (an i8 buffer).
class PanelReader {
public:
  /// `origin`: bytes in front of panel 0, or null.
  PanelReader(Emitter &e, mlir::tile::Format format, Value bytes, Value panel, int64_t k,
              Value origin = {});

  /// Scales of a block, [16 rows] f32; minima of a block, or null where the format has none.
  Value scales(Value block);
  Value minima(Value block);
  /// A line of quants as stored, <64 x i8>.
  Value line(Value block, int64_t line);

  /// Dequantized weights of 16 rows, f32: all 32 columns of a block, calling use(k in block,
  /// values). Each value is rounded as ggml's dequantization rounds it.
  void dequantizeBlock(Value block, llvm::function_ref<void(int64_t, Value)> use);
  /// Column k of a plain format, 16 rows widened to f32.
  Value column(Value k);

private:
  Value at(Value offset, int64_t constant) { return e.addConst(e.add(base, offset), constant); }

  Emitter &e;
  mlir::tile::Format format;
  Value bytes, base;
  PanelParts parts;
};

/// Dequantizes row `row` of a matrix of `k` columns: calls use(first column, values) with vectors
/// of 1 or 4 f32 values.
void emitReadRow(Emitter &e, mlir::tile::Format format, Value bytes, Value row, int64_t k,
                 llvm::function_ref<void(Value, Value)> use);

} // namespace moire::cpu

#endif
