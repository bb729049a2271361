// Checks that several verifiers share.

#include "dialects/tile/Verify.h"

#include "dialects/tile/Strip.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::tile;
using namespace mlir::tile::detail;

LogicalResult tile::detail::verifySize(Operation *op, const Twine &what, int64_t expected,
                                       int64_t found) {
  if (expected == found || ShapedType::isDynamic(expected) || ShapedType::isDynamic(found))
    return success();
  return op->emitOpError() << "expected " << what << " to be " << expected << ", found " << found;
}

LogicalResult tile::detail::verifyShape(Operation *op, StringRef what, ArrayRef<int64_t> expected,
                                        MemRefType found) {
  for (auto [i, sizes] : llvm::enumerate(llvm::zip(expected, found.getShape())))
    if (failed(verifySize(op, "dimension " + Twine(i) + " of " + what, std::get<0>(sizes),
                          std::get<1>(sizes))))
      return failure();
  return success();
}

LogicalResult tile::detail::verifySplit(Operation *op, Split split, ArrayRef<Split> allowed) {
  if (llvm::is_contained(allowed, split))
    return success();
  std::string names;
  for (Split s : allowed)
    names += (names.empty() ? "" : " or ") + stringifySplit(s).str();
  return op->emitOpError() << "expected the work to be split by " << names << ", found "
                           << stringifySplit(split);
}

LogicalResult tile::detail::verifyByRows(Operation *op, Split split) {
  return verifySplit(op, split, {Split::Rows, Split::Whole});
}

LogicalResult tile::detail::verifyWholeBlocks(Operation *op, int64_t width, int64_t block) {
  if (width % block == 0)
    return success();
  return op->emitOpError() << "expected columns divisible by the block of " << block << ", found "
                           << width;
}

LogicalResult tile::detail::verifyWholeBlocks(Operation *op, int64_t width, Format format) {
  return verifyWholeBlocks(op, width, ::moire::panelInfo(format).wholeColumns());
}

LogicalResult tile::detail::verifyQuantized(Operation *op, ValueRange buffers, int64_t rows,
                                            int64_t k) {
  struct Part {
    StringRef name;
    Type element;
    SmallVector<int64_t> shape;
  };
  Builder b(op->getContext());
  // The scales say how wide a block is. Where no width gives so many, those of 32 are expected.
  auto scales = cast<MemRefType>(buffers[1].getType());
  auto form = QuantizedRows::ofColumns(k, kBlock);
  if (scales.getRank() == 3)
    form = QuantizedRows::ofBlocks(k, scales.getDimSize(2)).value_or(form);
  const Part parts[] = {{"values", b.getI8Type(), {rows, k}},
                        {"scales", b.getF32Type(), {rows, QuantizedRows::kScales, form.blocks()}},
                        {"sums", b.getI32Type(), {rows, form.sums()}}};
  for (auto [part, buffer] : llvm::zip(parts, buffers)) {
    auto type = cast<MemRefType>(buffer.getType());
    if (type.getElementType() != part.element ||
        type.getRank() != static_cast<int64_t>(part.shape.size()))
      return op->emitOpError() << "expected the " << part.name << " to be of " << part.element
                               << " with " << part.shape.size() << " dimensions, found " << type;
    if (failed(verifyShape(op, part.name, part.shape, type)))
      return failure();
  }
  return success();
}

std::optional<QuantizedRows> QuantizedRows::ofBlocks(int64_t k, int64_t blocks) {
  for (int64_t columns : {32, 64, 128, 256}) {
    QuantizedRows form{k, columns, columns == kBlock ? kSum : columns};
    if (form.blocks() == blocks)
      return form;
  }
  return std::nullopt;
}

QuantizedRows QuantizedRows::ofColumns(int64_t k, int64_t columns) {
  return *ofBlocks(k, (k + columns - 1) / columns);
}

bool tile::detail::isPairs(ValueRange buffers) {
  return buffers.size() == 1 &&
         cast<MemRefType>(buffers[0].getType()).getElementType().isInteger(32);
}

LogicalResult tile::detail::verifyPairs(Operation *op, StringRef what, MemRefType found,
                                        int64_t rows, int64_t k) {
  if (found.getRank() != 2)
    return op->emitOpError() << "expected " << what << " to have 2 dimensions, found " << found;
  return verifyShape(op, what, {rows, roundUp(k, kPanel) / 2}, found);
}

LogicalResult tile::detail::verifyColumns(Operation *op, MemRefType out, int64_t width) {
  if (width > 0 && out.getDimSize(1) >= width)
    return success();
  return op->emitOpError() << "expected out to have at least " << width << " columns, found "
                           << out.getDimSize(1);
}

/// The rows of a product: f32 [rows, k], pairs, or the three buffers of quantized rows.
static LogicalResult verifyRows(Operation *op, const Product &product) {
  int64_t k = product.k;
  if (product.x.empty())
    return op->emitOpError("expected rows to multiply");
  auto first = cast<MemRefType>(product.x[0].getType());
  // contract_c3
  if (failed(verifyWholeBlocks(op, k, product.format)))
    return failure();
  // contract_c1
  if (product.x.size() == 3)
    return verifyQuantized(op, product.x, first.getRank() ? first.getDimSize(0) : 0, k);
  if (isPairs(product.x))
    return verifyPairs(op, "x", first, first.getRank() ? first.getDimSize(0) : 0, k);
  if (product.x.size() != 1 || !first.getElementType().isF32() || first.getRank() != 2)
    return op->emitOpError("expected x to be rows of f32 or the three buffers of quantized rows");
  return verifySize(op, "the width of x", k, first.getDimSize(1));
}

static LogicalResult verifyStrip(Operation *op, const Product &product) {
  int64_t bytes = 0;
  if (product.blocking) {
    RowKind kind = product.x.size() == 3 ? RowKind::Quantized
                   : isPairs(product.x)  ? RowKind::Pairs
                                         : RowKind::Floats;
    bytes = StripLayout::of(product.format, kind, product.k, product.parts, product.blocking).bytes;
  }
  auto expected =
      bytes ? MemRefType::get({bytes}, Builder(op->getContext()).getI8Type()) : MemRefType();
  Type found = product.strip ? product.strip.getType() : Type();
  if (found == expected)
    return success();
  if (!expected)
    return op->emitOpError("expected no strip: panels are read as they are");
  InFlightDiagnostic error = op->emitOpError() << "expected a strip of " << expected << ", found ";
  return found ? error << found : error << "none";
}

LogicalResult tile::detail::verifyProduct(Operation *op, const Product &product) {
  if (failed(verifyRows(op, product)))
    return failure();
  bool quantized = product.x.size() == 3, pairs = isPairs(product.x);
  // contract_c2
  const ::moire::PanelInfo &format = ::moire::panelInfo(product.format);
  if (quantized && !format.isBlocked())
    return op->emitOpError() << "expected weights of a block format for quantized rows, found "
                             << StringRef(format.name);
  if (quantized) {
    int64_t blocks = cast<MemRefType>(product.x[1].getType()).getDimSize(2);
    std::optional<QuantizedRows> rows = QuantizedRows::ofBlocks(product.k, blocks);
    if (rows && rows->columns != kBlock && format.columns % rows->columns != 0)
      return op->emitOpError() << "expected blocks of x whose columns share a scale in "
                               << StringRef(format.name) << ", found blocks of " << rows->columns;
    if (rows && product.blocking && product.blocking.getColumns() % rows->columns != 0 &&
        product.blocking.getColumns() < int64_t(product.k))
      return op->emitOpError() << "expected chunks of whole blocks of x, of " << rows->columns
                               << " columns, found chunks of " << product.blocking.getColumns();
  }
  if (pairs && product.format != Format::BF16Pairs)
    return op->emitOpError() << "expected weights of bf16_pairs for pairs, found "
                             << StringRef(format.name);
  // contract_c4
  bool isFma = product.instruction == "vfmadd", isPairwise = product.instruction == "vdpbf16ps";
  if (quantized ? isFma || isPairwise : pairs ? !isPairwise : !isFma)
    return op->emitOpError() << "expected "
                             << (quantized ? "an integer instruction for quantized rows"
                                 : pairs   ? "the instruction vdpbf16ps for pairs"
                                           : "the instruction vfmadd for rows of f32")
                             << ", found " << product.instruction;
  // contract_c8
  if (failed(verifyStrip(op, product)))
    return failure();
  // contract_c10
  if (product.turns && !(product.sharing && product.split == Split::Panels))
    return op->emitOpError("expected turns with sharing, of a product whose panels are shared");
  return success();
}
