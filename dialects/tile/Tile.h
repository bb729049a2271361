// The tile dialect: a scheduled step of a model on buffers, for a team of threads.

#ifndef MOIRE_DIALECTS_TILE_TILE_H
#define MOIRE_DIALECTS_TILE_TILE_H

#include "dialects/FormatParser.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::tile {

using Format = ::moire::PanelFormat;

/// How rows of `k` columns in blocks of int8 lie in memory: blocks of `columns`, the last perhaps
/// short, with kScales numbers each, and a word of sums for each `sumColumns` (tile.quantize says
/// what they are).
struct QuantizedRows {
  /// The zero of codes of 4 bits: a block has -8 times its scaled sum beside that.
  static constexpr int64_t kZero = 8, kScales = 3;

  int64_t k, columns, sumColumns;

  int64_t blocks() const { return (k + columns - 1) / columns; }
  int64_t sums() const { return (k + sumColumns - 1) / sumColumns; }
  /// The words hold minus this times the sums, as much as 16 bits hold: 16 with blocks of 32, the
  /// zero of codes of 5 bits.
  int64_t sumFactor() const { return 512 / columns; }

  /// Blocks of `columns`, or of the least that give a row as many.
  static QuantizedRows ofColumns(int64_t k, int64_t columns);
  /// The least columns with which a row has `blocks`; nullopt if there are none.
  static std::optional<QuantizedRows> ofBlocks(int64_t k, int64_t blocks);
};

namespace detail {
LogicalResult verifyInStep(Operation *op);
} // namespace detail

/// Stands in a function whose first arguments are the step, the thread and the team.
template <typename ConcreteType> class InStep : public OpTrait::TraitBase<ConcreteType, InStep> {
public:
  static LogicalResult verifyTrait(Operation *op) { return detail::verifyInStep(op); }
};

} // namespace mlir::tile

#include "dialects/tile/TileDialect.h.inc"
#include "dialects/tile/TileEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/tile/TileAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/tile/TileOps.h.inc"

#endif
