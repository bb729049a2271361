// Verifiers of the products with weights.

#include "dialects/moe/Format.h"
#include "dialects/moe/Verify.h"

using namespace mlir;
using namespace mlir::moe;

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

ParseResult moe::parseGateTypes(OpAsmParser &parser, Type &gate, Type &up) {
  if (parser.parseType(gate))
    return failure();
  up = gate;
  return succeeded(parser.parseOptionalComma()) ? parser.parseType(up) : success();
}

void moe::printGateTypes(OpAsmPrinter &printer, Operation *, Type gate, Type up) {
  printer << gate;
  if (gate != up)
    printer << ", " << up;
}

LogicalResult GateOp::verify() {
  RankedTensorType gate = getGate().getType(), up = getUp().getType();
  // gate_c1
  if (failed(verifySize(*this, "rows of the gate (those of the value)", up.getDimSize(0),
                        gate.getDimSize(0))))
    return failure();
  // gate_c2
  if (gate.getDimSize(1) == 1)
    return success();
  return verifySize(*this, "the width of the gate (that of the value, or 1)", up.getDimSize(1),
                    gate.getDimSize(1));
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
