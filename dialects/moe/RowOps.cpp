// Verifiers of the operations on one row at a time.

#include "dialects/moe/Verify.h"

#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::moe;

LogicalResult EmbedOp::verify() {
  RankedTensorType tokens = getTokens().getType(), table = getTable().getType(),
                   result = getResult().getType();
  // embed_c1
  if (failed(verifySize(*this, "rows of the result (one for each token)", tokens.getDimSize(0),
                        result.getDimSize(0))))
    return failure();
  // embed_c2
  return verifySize(*this, "the width of the result (that of the table)", table.getDimSize(1),
                    result.getDimSize(1));
}

LogicalResult SelectRowsOp::verify() {
  RankedTensorType x = getX().getType(), rows = getRows().getType(), result = getResult().getType();
  // select_rows_c1
  if (failed(verifySize(*this, "rows of the result (one for each selected row)", rows.getDimSize(0),
                        result.getDimSize(0))))
    return failure();
  // select_rows_c2
  if (failed(verifySize(*this, "the width of the result (that of x)", x.getDimSize(1),
                        result.getDimSize(1))))
    return failure();
  if (x.getEncoding() != result.getEncoding())
    return emitOpError() << "expected the result to be encoded as x, which is " << x << ", found "
                         << result;
  return success();
}

/// Fails unless `result` has the shape of `x`.
static LogicalResult verifyShapeOfX(Operation *op, RankedTensorType x, RankedTensorType result) {
  if (succeeded(verifyCompatibleShape(x, result)))
    return success();
  return op->emitOpError() << "expected the result to have the shape of x, which is " << x
                           << ", found " << result;
}

LogicalResult RmsNormOp::verify() {
  RankedTensorType x = getX().getType(), result = getResult().getType();
  // rms_norm_c1
  int64_t width = x.getDimSize(1), run = getGain().getType().getDimSize(0);
  if (run == 0 || width % run != 0)
    return emitOpError() << "expected the length of the gain to divide the width " << width
                         << " of x, found " << run;
  // rms_norm_c2
  if (failed(verifyShapeOfX(*this, x, result)))
    return failure();
  // rms_norm_c3
  if (getEps().isNegative() || getEps().isNaN())
    return emitOpError() << "expected eps not to be negative, found " << getEps().convertToDouble();
  // rms_norm_c4
  if (!result.getEncoding())
    return success();
  if (failed(verifyActivationEncoding(*this, "the result", result.getEncoding())))
    return failure();
  return verifyWholeBlocks(*this, result);
}

LogicalResult ScaleOp::verify() {
  // scale_c1
  return verifyFiniteFloat(*this, "factor", getFactor());
}

LogicalResult QuantizeRowsOp::verify() {
  RankedTensorType x = getX().getType(), result = getResult().getType();
  // quantize_rows_c1
  if (x.getEncoding())
    return emitOpError() << "expected x to have no encoding, found " << x.getEncoding();
  if (failed(verifyShapeOfX(*this, x, result)))
    return failure();
  // quantize_rows_c2
  if (failed(verifyActivationEncoding(*this, "the result", result.getEncoding())))
    return failure();
  // quantize_rows_c3
  return verifyWholeBlocks(*this, result);
}

/// Fails unless `value` is finite and greater than 0.
static LogicalResult verifyPositive(Operation *op, StringRef what, const APFloat &value) {
  if (value.isFinite() && !value.isNegative() && !value.isZero())
    return success();
  return op->emitOpError() << "expected " << what << " to be positive, found "
                           << value.convertToDouble();
}

static LogicalResult verifyScaling(RopeOp op, Attribute scaling) {
  if (auto linear = dyn_cast<LinearScalingAttr>(scaling))
    return verifyPositive(op, "the factor of the scaling", linear.getFactor().getValue());
  auto llama3 = dyn_cast<Llama3ScalingAttr>(scaling);
  if (!llama3)
    return op.emitOpError() << "expected a #moe.linear_scaling or a #moe.llama3_scaling, found "
                            << scaling;
  if (failed(verifyPositive(op, "the factor of the scaling", llama3.getFactor().getValue())) ||
      failed(verifyPositive(op, "low_factor of the scaling", llama3.getLowFactor().getValue())) ||
      failed(verifyPositive(op, "high_factor of the scaling", llama3.getHighFactor().getValue())))
    return failure();
  if (llama3.getHighFactor().getValueAsDouble() <= llama3.getLowFactor().getValueAsDouble())
    return op.emitOpError() << "expected high_factor of the scaling to exceed low_factor "
                            << llama3.getLowFactor().getValueAsDouble() << ", found "
                            << llama3.getHighFactor().getValueAsDouble();
  if (llama3.getOriginalContext() <= 0)
    return op.emitOpError() << "expected original_context of the scaling to be positive, found "
                            << llama3.getOriginalContext();
  return success();
}

LogicalResult RopeOp::verify() {
  RankedTensorType x = getX().getType();
  int64_t width = x.getDimSize(1), headDim = getHeadDim(), rotaryDims = getRotaryDims();
  // rope_c1
  if (headDim <= 0 || width % headDim != 0)
    return emitOpError() << "expected head_dim to divide the width " << width << ", found "
                         << headDim;
  // rope_c2
  if (rotaryDims <= 0 || rotaryDims % 2 != 0 || rotaryDims > headDim)
    return emitOpError() << "expected rotary_dims to be even, positive and at most head_dim "
                         << headDim << ", found " << rotaryDims;
  // rope_c3
  if (failed(verifySize(*this, "the number of positions (one for each row)", x.getDimSize(0),
                        getPositions().getType().getDimSize(0))))
    return failure();
  // rope_c4
  if (failed(verifyPositive(*this, "base", getBase())))
    return failure();
  // rope_c5
  return getScaling() ? verifyScaling(*this, *getScaling()) : success();
}
