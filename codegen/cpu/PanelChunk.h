// Some columns of a panel as products read them: as they are packed, or unpacked into a strip that
// many rows share.

#ifndef MOIRE_CODEGEN_CPU_PANELCHUNK_H
#define MOIRE_CODEGEN_CPU_PANELCHUNK_H

#include "codegen/cpu/PanelReader.h"
#include "dialects/tile/Strip.h"

namespace moire::cpu {

class PanelChunk {
public:
  /// Reads the packed panel.
  PanelChunk(Emitter &e, const PanelReader &packed, PanelFormat format);
  /// Reads columns from `first` on (a multiple of 32) in this share of the strip, where `layout`
  /// has unpacked numbers; else the packed panel.
  PanelChunk(Emitter &e, const PanelReader &packed, PanelFormat format, mlir::tile::RowKind rows,
             Value strip, const mlir::tile::StripLayout &layout, int64_t share, Value first);

  /// Unpacks columns up to `last` (of a block format a multiple of 32) into the strip.
  void unpack(Value last);

  // For quantized rows, as in PanelReader.
  int64_t scalesPerBlock() const { return packed.scalesPerBlock(); }
  Value quants(Value block, int64_t group);
  /// Whether the groups of a block can be numbered at run time.
  bool hasLoops() const { return strip || packed.hasPairsOfQuants(); }
  Value pairOfQuants(Value pair, int64_t which, Value block, int64_t columns);
  Value scales(Value block, int64_t which, int64_t columns);
  Value minima(Value block, int64_t which, int64_t columns);
  // For pairs.
  Value pair(Value pair) { return packed.pair(pair); }
  // For rows of f32: whether columns can be read one by one; if so, one; else all of a block.
  bool hasColumns() const { return strip || !info.isBlocked(); }
  Value column(Value k);
  void dequantizeBlock(Value block, llvm::function_ref<void(int64_t, Value)> use) {
    packed.dequantizeBlock(block, use);
  }

private:
  /// Byte of the strip where 16 numbers of `bytes` each stand: numbers `place` in the panel, of
  /// `columns` columns each, in a section of the share.
  Value at(int64_t section, Value place, int64_t columns, int64_t bytes);
  /// Those of 32 columns in the strip.
  Value numbers(int64_t section, Value block, int64_t which, int64_t columns);
  void unpackQuantized(Value last);
  void unpackFloats(Value last);

  Emitter &e;
  PanelReader packed;
  const PanelInfo &info;
  bool quantized = false;
  Value strip; // null: packed
  mlir::tile::StripLayout layout;
  int64_t origin = 0; // of the share
  Value first;
};

} // namespace moire::cpu

#endif
