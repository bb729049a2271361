// Checks that several verifiers share.

#ifndef MOIRE_DIALECTS_TILE_VERIFY_H
#define MOIRE_DIALECTS_TILE_VERIFY_H

#include "dialects/tile/Tile.h"

namespace mlir::tile::detail {

/// Rows of a panel, columns of the narrowest block of quantized rows and of one of its sums.
constexpr int64_t kPanel = 16, kBlock = 32, kSum = 16;

inline int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Fails with "expected WHAT to be EXPECTED, found FOUND" unless the sizes agree. A dynamic size
/// agrees with any.
LogicalResult verifySize(Operation *op, const Twine &what, int64_t expected, int64_t found);
LogicalResult verifyShape(Operation *op, StringRef what, ArrayRef<int64_t> expected,
                          MemRefType found);
LogicalResult verifySplit(Operation *op, Split split, ArrayRef<Split> allowed);
/// `rows` or `whole`.
LogicalResult verifyByRows(Operation *op, Split split);
LogicalResult verifyWholeBlocks(Operation *op, int64_t width, int64_t block = kBlock);
LogicalResult verifyWholeBlocks(Operation *op, int64_t width, Format format);
/// The three buffers of `rows` quantized rows of `k` columns.
LogicalResult verifyQuantized(Operation *op, ValueRange buffers, int64_t rows, int64_t k);
/// Whether rows are pairs of bf16: words of two columns each, up to whole vectors.
bool isPairs(ValueRange buffers);
LogicalResult verifyPairs(Operation *op, StringRef what, MemRefType found, int64_t rows, int64_t k);
/// `out` has room for `width` results, which is positive.
LogicalResult verifyColumns(Operation *op, MemRefType out, int64_t width);

/// What every product of rows with panels has.
struct Product {
  ValueRange x;
  Format format;
  StringRef instruction;
  uint64_t k;
  int64_t parts;         // 2 with gate_silu
  Value strip;           // or null
  BlockingAttr blocking; // or null
  Value turns;           // or null
  SharingAttr sharing;   // or null
  Split split;

  /// Rows of x; call it after verifyProduct.
  int64_t rows() const { return cast<MemRefType>(x[0].getType()).getDimSize(0); }
};

/// `tile.contract`'s constraints C1 to C4, C8 and C10, for any product.
LogicalResult verifyProduct(Operation *op, const Product &product);

} // namespace mlir::tile::detail

#endif
