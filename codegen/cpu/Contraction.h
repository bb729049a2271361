// Products of rows with packed panels, a panel at a time: what the kernels for plain products and
// for those of experts share. Per output value the order is: K ascending, one accumulator; with
// int8 activations an exact integer sum for the columns that share a scale (32, or 16), then one
// fused multiply-add for their scale and one for their minimum. Every variant (one row, tiles of
// rows, panels unpacked or not) keeps that order.

#ifndef MOIRE_CODEGEN_CPU_CONTRACTION_H
#define MOIRE_CODEGEN_CPU_CONTRACTION_H

#include "codegen/cpu/DotInstruction.h"
#include "codegen/cpu/PanelReader.h"

namespace moire::cpu {

class Contraction {
public:
  using Values = llvm::SmallVector<Value>;

  struct Operands {
    PanelFormat format;
    llvm::StringRef instruction; // a row of Instructions.def, or "vfmadd"
    ValueRange x;                // [rows, k] f32, pairs, or the three buffers of quantized rows
    Value weight;                // panels
    Value strip;                 // for unpack(), or null
    int64_t k = 0;
    int64_t parts = 1; // 2: panels of gate and up alternate, and silu(gate) * up is the result
    Value origin = {}; // bytes in front of the first panel, or null
  };

  Contraction(Emitter &e, const Operands &operands);

  /// Unpacks a panel (of each part) into the strip, for any number of calls of products().
  void unpack(Value panel);
  /// The 16 results of a panel for each of some rows of x. `unpacked`: the panel is in the strip.
  Values products(Value panel, llvm::ArrayRef<Value> rows, bool unpacked);

private:
  PanelReader reader(Value panel, int64_t part);
  bool needsUnpacking() const;
  Value line(PanelReader &panel, int64_t part, Value block, int64_t group, bool unpacked);
  Value activationSum(Value row, Value block, int64_t count, int64_t which);
  Value scaledSum(Value scale, Value sum);
  Values integerProducts(Value panel, int64_t part, llvm::ArrayRef<Value> rows, bool unpacked);
  Values floatProducts(Value panel, int64_t part, llvm::ArrayRef<Value> rows, bool unpacked);
  Values pairProducts(Value panel, int64_t part, llvm::ArrayRef<Value> rows);
  /// step(i, accumulators) for i = 0 .. count, some a turn; the accumulators start at zero.
  Values accumulate(int64_t count, int64_t accumulators,
                    llvm::function_ref<Values(Value, ValueRange)> step);
  Values multiplyAdd(Value weights, llvm::ArrayRef<Value> rows, Value column, ValueRange acc);
  void unpackPart(Value panel, int64_t part);

  Emitter &e;
  Operands in;
  const PanelInfo &info;
  bool quantized, pairs;
  std::unique_ptr<DotInstruction> dot;
};

/// Calls body(rows) for rows from .. to: in tiles of kRowTile, then one by one.
void forRowTiles(Emitter &e, Value from, Value to,
                 llvm::function_ref<void(llvm::ArrayRef<Value>)> body);

/// Writes (or, if `accumulate`, adds) 16 results to columns 16 * panel … of a row; only as many as
/// there are in `out`, if its last panel is not whole. `panels`: how many there are.
void emitWritePanel(Emitter &e, Value y, Value out, Value row, Value panel, int64_t panels,
                    bool accumulate);

} // namespace moire::cpu

#endif
