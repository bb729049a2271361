// Verifiers of the products with weights.

#include "dialects/moe/Verify.h"

using namespace mlir;
using namespace mlir::moe;

/// Fails if the result of a product is encoded.
static LogicalResult verifyPlainResult(Operation *op, RankedTensorType result) {
  if (!result.getEncoding())
    return success();
  return op->emitOpError() << "expected a result without encoding, found " << result;
}

LogicalResult LinearOp::verify() {
  RankedTensorType x = getX().getType(), weight = getWeight().getType(),
                   result = getResult().getType();
  // linear_c1
  if (failed(verifySize(*this, "the columns of the weight (the width of x)", x.getDimSize(1),
                        weight.getDimSize(1))))
    return failure();
  // linear_c2
  if (failed(verifySize(*this, "rows of the result (those of x)", x.getDimSize(0),
                        result.getDimSize(0))) ||
      failed(verifySize(*this, "the width of the result (rows of the weight)", weight.getDimSize(0),
                        result.getDimSize(1))))
    return failure();
  // linear_c3
  if (getBias() && failed(verifySize(*this, "the length of the bias (rows of the weight)",
                                     weight.getDimSize(0), getBias().getType().getDimSize(0))))
    return failure();
  // linear_c4
  if (failed(verifyProductEncodings(*this, x, weight)))
    return failure();
  // linear_c5
  return verifyPlainResult(*this, result);
}

LogicalResult GatedLinearOp::verify() {
  RankedTensorType x = getX().getType(), weight = getWeight().getType(),
                   result = getResult().getType();
  // gated_linear_c1
  if (failed(verifySize(*this, "the columns of the weight (the width of x)", x.getDimSize(1),
                        weight.getDimSize(1))))
    return failure();
  // gated_linear_c2
  if (failed(verifySize(*this, "rows of the result (those of x)", x.getDimSize(0),
                        result.getDimSize(0))) ||
      failed(verifySize(*this, "rows of the weight (twice the width of the result)",
                        2 * result.getDimSize(1), weight.getDimSize(0))))
    return failure();
  // gated_linear_c3
  if (failed(verifyProductEncodings(*this, x, weight)))
    return failure();
  // gated_linear_c4
  return verifyPlainResult(*this, result);
}
