// Checks that several verifiers share.

#ifndef MOIRE_DIALECTS_MOE_VERIFY_H
#define MOIRE_DIALECTS_MOE_VERIFY_H

#include "dialects/moe/Moe.h"

#include <cmath>

namespace mlir::moe {

/// Fails with "expected WHAT to be EXPECTED, found FOUND" unless the sizes agree. A dynamic size
/// agrees with any.
inline LogicalResult verifySize(Operation *op, const Twine &what, int64_t expected, int64_t found) {
  if (expected == found || ShapedType::isDynamic(expected) || ShapedType::isDynamic(found))
    return success();
  return op->emitOpError() << "expected " << what << " to be " << expected << ", found " << found;
}

/// Fails unless `value` is finite when it is rounded to f32; `what` names the attribute.
inline LogicalResult verifyFiniteFloat(Operation *op, StringRef what, const APFloat &value) {
  if (std::isfinite(static_cast<float>(value.convertToDouble())))
    return success();
  return op->emitOpError() << "expected " << what << " to be finite as a f32, found "
                           << value.convertToDouble();
}

/// Fails if the result of a product is encoded.
inline LogicalResult verifyPlainResult(Operation *op, RankedTensorType result) {
  if (!result.getEncoding())
    return success();
  return op->emitOpError() << "expected a result without encoding, found " << result;
}

/// Fails unless `encoding` is one for activations; `what` names the value.
inline LogicalResult verifyActivationEncoding(Operation *op, StringRef what, Attribute encoding) {
  auto block = dyn_cast_or_null<BlockAttr>(encoding);
  if ((block && block.isActivation()) || isa_and_nonnull<RowsAttr>(encoding))
    return success();
  auto error = op->emitOpError()
               << "expected " << what
               << " to be encoded for activations (#moe.block<int8> or #moe.rows<bf16>), found ";
  return encoding ? error << encoding : error << "no encoding";
}

/// Fails unless a row of `type`, if it is encoded in blocks, has a whole number of 32 columns.
inline LogicalResult verifyWholeBlocks(Operation *op, RankedTensorType type) {
  int64_t width = type.getShape().back();
  if (!BlockAttr::of(type) || width % BlockAttr::kColumns == 0)
    return success();
  return op->emitOpError() << "expected a width divisible by the block of " << BlockAttr::kColumns
                           << ", found " << width;
}

/// The encodings of a product: an encoded `x` is one for activations; blocks meet a weight in
/// blocks whose scales are for no fewer columns, rows of bf16 a weight of bf16.
inline LogicalResult verifyProductEncodings(Operation *op, RankedTensorType x,
                                            RankedTensorType weight) {
  if (!x.getEncoding())
    return success();
  if (failed(verifyActivationEncoding(op, "x", x.getEncoding())))
    return failure();
  if (RowsAttr rows = RowsAttr::of(x)) {
    if (!weight.getEncoding() && weight.getElementType() == rows.getElement())
      return success();
    return op->emitOpError() << "expected the weight of rows of " << rows.getElement()
                             << " to be of that type, found " << weight;
  }
  BlockAttr block = BlockAttr::of(weight), rows = BlockAttr::of(x);
  if (block && !block.isActivation()) {
    if (block.canMeetRowsOf(rows.getColumns()))
      return success();
    return op->emitOpError() << "expected blocks of x whose columns share a scale of the weight ("
                             << block.getScaleColumns() << " columns do), found " << rows;
  }
  auto error =
      op->emitOpError()
      << "expected the weight of an encoded x to have a block encoding for weights, found ";
  return weight.getEncoding() ? error << weight.getEncoding() : error << "no encoding";
}

} // namespace mlir::moe

#endif
