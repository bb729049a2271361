// Products of rows with packed panels, a panel at a time: what the kernels for plain products and
// for those of experts share. Per output value the order is: K ascending, one accumulator; with
// int8 activations an exact integer sum for the columns that share a scale in both factors (those
// of a block of activations, 32 to 256; or 16), then one fused multiply-add for their scales and
// one for their minimum. Every variant (one row, a few, tiles of rows, chunks of unpacked columns)
// keeps that order. A sum of 256 products of bytes is below 2^23: exact as an i32, and as an f32.

#ifndef MOIRE_CODEGEN_CPU_CONTRACTION_H
#define MOIRE_CODEGEN_CPU_CONTRACTION_H

#include "codegen/cpu/DotInstruction.h"
#include "codegen/cpu/PanelChunk.h"
#include "codegen/cpu/RowPlace.h"

namespace moire::cpu {

class Contraction {
public:
  using Values = llvm::SmallVector<Value>;
  using Rows = llvm::ArrayRef<RowPlace>;

  struct Operands {
    PanelFormat format;
    llvm::StringRef instruction; // a row of Instructions.def, or "vfmadd"
    ValueRange x;                // [rows, k] f32, pairs, or the three buffers of quantized rows
    Value weight;                // panels
    Value strip;                 // what `blocking` needs, or null
    mlir::tile::BlockingAttr blocking; // for manyRows
    mlir::tile::SharingAttr sharing;   // or null: panels one by one
    int64_t k = 0;
    int64_t parts = 1; // 2: panels of gate and up alternate, and silu(gate) * up is the result
    Value origin = {}; // bytes in front of the first panel, or null
    std::optional<int64_t> fours = {}; // in steps of more rows quantized ones lie by fours
    bool beginFour = true; // rows begin one wherever they lie so; else those that are unpacked for
  };

  Contraction(Emitter &e, const Operands &operands);

  /// How many panels with numbers of their own a tile of many rows multiplies side by side.
  int64_t panelsOfTile() const { return in.blocking ? in.blocking.getNumbered(in.parts) : 1; }

  /// The 16 results of packed panels for each of some rows of x: those of the first panel's rows,
  /// then of the next one's. All are read side by side, gate's before up's. `isFirst` says
  /// whether no other rows went through these panels just before (null: none did).
  Values products(llvm::ArrayRef<Value> panels, Rows rows, Value isFirst = {});

  /// body(panels) for panels from .. to, as many at a time as are read side by side for some rows.
  void sideBySide(Value from, Value to, int64_t rows,
                  llvm::function_ref<void(llvm::ArrayRef<Value>)> body);

  /// The results of panels from .. to for a few rows of x, of some panels at a time; write(i,
  /// panel, y) takes the 16 of row i.
  void fewRows(Value from, Value to, Rows rows,
               llvm::function_ref<void(size_t, Value, Value)> write);

  /// The results of panels for places from .. to, any number of them, as the blocking says: place p
  /// stands for row rowOf(p) of x (by fours p itself, and `from` begins one as `beginFour` says);
  /// write(p, panel, y) takes its 16 results of a panel.
  void manyRows(Value firstPanel, Value lastPanel, Value from, Value to,
                llvm::function_ref<Value(Value)> rowOf,
                llvm::function_ref<void(Value, Value, Value)> write);

private:
  /// Where rows lie of which few go through a packed panel, each following the one before.
  llvm::SmallVector<RowPlace, 8> fewPlaces(llvm::ArrayRef<Value> rows);
  PanelReader reader(Value panel, int64_t part);
  /// A packed panel that results are made of: gate's or up's of a number, or the only one.
  struct Source {
    Value panel;
    int64_t part;
  };
  llvm::SmallVector<Source> sourcesOf(llvm::ArrayRef<Value> panels) const;
  /// What is asked for while rows are multiplied: of each block some lines, into the first cache or
  /// (where that is full of what is being multiplied) the second.
  struct Ahead {
    PanelReader panel;
    Value firstLine;
    int64_t lines;
    bool isNear = false;
  };
  /// Some rows with packed panels: tiles of them go through each.
  void directTiles(Value firstPanel, Value lastPanel, Value from, Value to, int64_t least,
                   llvm::function_ref<Value(Value)> rowOf,
                   llvm::function_ref<void(Value, Value, Value)> write);
  /// More rows: blocks of them go through each panel, unpacked.
  void unpackedBlocks(Value firstPanel, Value lastPanel, Value from, Value to,
                      llvm::function_ref<Value(Value)> rowOf,
                      llvm::function_ref<void(Value, Value, Value)> write);
  /// write(place, i, y): the 16 results of panel i. With chunks of all columns, and of some.
  using WriteOfBlock = llvm::function_ref<void(Value, size_t, Value)>;
  void blockOfRows(llvm::ArrayRef<Value> panels, Value from, Value to,
                   llvm::function_ref<Value(Value)> rowOf, WriteOfBlock write);
  void blockByChunks(llvm::ArrayRef<Value> panels, Value from, Value to,
                     llvm::function_ref<Value(Value)> rowOf, WriteOfBlock write);
  Emitter::Tiling blockTiling() const;
  /// Sources that a tile multiplies side by side: body(some, number of the first).
  void eachGroup(llvm::ArrayRef<Source> sources,
                 llvm::function_ref<void(llvm::ArrayRef<Source>, size_t)> body) const;
  /// For a tile of rows with unpacked panels.
  llvm::SmallVector<Ahead, 2> ahead(llvm::ArrayRef<Source> sources, Value distance, Value tile);
  int64_t bytesOfPanels(int64_t panels) const { return panels * panelBytes(in.format, in.k); }
  /// How many bytes behind the chunk from column `first` on of some panels the next one begins.
  Value nextChunk(Value first, int64_t panels);
  /// For rows that read so many packed panels side by side, this one among them.
  std::optional<Ahead> aheadOf(const Source &source, size_t panels, size_t rows, Value isFirst);
  /// How many panels some rows read side by side.
  int64_t panelsTogether(int64_t rows) const;
  /// Asks for the lines that belong to these columns of a block.
  void prefetch(const Ahead &ahead, Value block, int64_t columns);

  /// `init` and the products of columns from .. to: for each panel those of all rows. `ahead`:
  /// what to ask for meanwhile, if anything, for each panel.
  Values multiply(llvm::MutableArrayRef<PanelChunk> weights, Rows rows, ValueRange init, Value from,
                  Value to, llvm::ArrayRef<Ahead> ahead);
  Values multiplyIntegers(llvm::MutableArrayRef<PanelChunk> weights, Rows rows, ValueRange init,
                          Value from, Value to, llvm::ArrayRef<Ahead> ahead);
  /// The same of the first `columns` columns of a block of quantized rows; what is loaded of them
  /// serves all panels.
  using Panels = llvm::MutableArrayRef<PanelChunk>;
  Values multiplyBlock(Panels weights, Rows rows, Value block, int64_t columns, ValueRange init);
  Values dotProducts(Panels weights, Rows rows, Value block, int64_t first, int64_t groups);
  using Starts = llvm::SmallVector<DotInstruction::Start>;
  Values runOfSteps(Panels weights, Rows rows, Value block, int64_t first, int64_t count,
                    llvm::ArrayRef<DotInstruction::Start> starts);
  Values multiplyFloats(llvm::MutableArrayRef<PanelChunk> weights, Rows rows, ValueRange init,
                        Value from, Value to);
  Values multiplyPairs(llvm::MutableArrayRef<PanelChunk> weights, Rows rows, ValueRange init,
                       Value from, Value to);
  /// step(i, accumulators) for i = from .. to, some a turn. `count` is how many there are in all:
  /// to is that, or from + a multiple of what a turn takes.
  Values accumulate(Value from, Value to, int64_t count, ValueRange init,
                    llvm::function_ref<Values(Value, ValueRange)> step);
  Values multiplyAdd(Value weights, Rows rows, Value column, ValueRange acc);
  /// Whether what weights have too much is subtracted from a block's scaled integers, not from the
  /// integers.
  bool subtractsBehind() const { return info.zero == mlir::tile::QuantizedRows::kZero; }
  /// The activations' sums for some groups of a block, as tile.quantize's words in each of 16 lanes
  /// (<32 x i16>), and all in one (f32).
  Value sumWords(const RowPlace &row, Value block, int64_t first, int64_t groups);
  Value activationSum(const RowPlace &row, Value block, int64_t first, int64_t groups);
  /// The results of both parts become those of the product.
  void join(Values &gates, const Values &ups);
  Values zeros(size_t count);

  Emitter &e;
  Operands in;
  const PanelInfo &info;
  mlir::tile::RowKind kind;
  mlir::tile::StripLayout layout;
  int64_t blockColumns = 0, sumFactor = 0; // of quantized rows
  std::unique_ptr<DotInstruction> dot;
};

/// Writes (or, if `accumulate`, adds) 16 results to columns 16 * panel … of a row; only as many as
/// there are in `out`, if its last panel is not whole. `panels`: how many there are.
void emitWritePanel(Emitter &e, Value y, Value out, Value row, Value panel, int64_t panels,
                    bool accumulate);

} // namespace moire::cpu

#endif
