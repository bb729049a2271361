// Verifiers of routing and experts.

#include "dialects/moe/Format.h"
#include "dialects/moe/Verify.h"

using namespace mlir;
using namespace mlir::moe;

static LogicalResult verifyGroups(RouteOp op) {
  int64_t experts = op.getExperts(), groups = op.getGroups(), limit = op.getGroupLimit();
  // route_c4
  if (groups <= 0 || experts % groups != 0)
    return op.emitOpError() << "expected groups to divide the " << experts << " experts, found "
                            << groups;
  if (limit <= 0 || limit > groups)
    return op.emitOpError() << "expected group_limit to be from 1 to the " << groups
                            << " groups, found " << limit;
  // route_c5
  if (op.getGroupScore() == GroupScore::Top2Sum && experts / groups < 2)
    return op.emitOpError() << "expected groups of at least 2 experts for top2_sum, found "
                            << experts / groups;
  return success();
}

LogicalResult RouteOp::verify() {
  // route_c1
  if (failed(verifySize(*this, "rows of the ids and weights (those of the logits)",
                        getLogits().getType().getDimSize(0), getIds().getType().getDimSize(0))))
    return failure();
  // route_c3
  if (getBias() && failed(verifySize(*this, "the length of the bias (experts)", getExperts(),
                                     getBias().getType().getDimSize(0))))
    return failure();
  if (failed(verifyGroups(*this)))
    return failure();
  // route_c2
  int64_t candidates = getExperts() / getGroups() * getGroupLimit();
  if (getChosen() < 1 || getChosen() > candidates)
    return emitOpError() << "expected to choose from 1 to " << candidates << " experts, found "
                         << getChosen();
  // route_c6
  if (getNormalize()) {
    if (getNormalize()->isNegative())
      return emitOpError() << "expected normalize not to be negative, found "
                           << getNormalize()->convertToDouble();
    if (failed(verifyFiniteFloat(*this, "normalize", *getNormalize())))
      return failure();
  }
  return verifyFiniteFloat(*this, "scaling", getScaling());
}

ParseResult moe::parseExpertTypes(OpAsmParser &parser, Type &x, Type &ids, Type &weights,
                                  Type &gate, Type &up, Type &down) {
  SmallVector<Type> types;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseTypeList(types))
    return failure();
  if (types.size() != 5 && types.size() != 6)
    return parser.emitError(loc)
           << "expected the types of x, ids, weights, gate (if there is one), "
              "up and down, found "
           << types.size();
  x = types[0], ids = types[1], weights = types[2];
  if (types.size() == 6)
    gate = types[3];
  up = types[types.size() - 2], down = types.back();
  return success();
}

void moe::printExpertTypes(OpAsmPrinter &printer, Operation *, Type x, Type ids, Type weights,
                           Type gate, Type up, Type down) {
  printer << x << ", " << ids << ", " << weights << ", ";
  if (gate)
    printer << gate << ", ";
  printer << up << ", " << down;
}

/// What the matrices of the experts have to be to multiply x and hidden rows.
static LogicalResult verifyMatrices(ExpertsOp op) {
  RankedTensorType x = op.getX().getType(), up = op.getUp().getType(),
                   down = op.getDown().getType();
  auto gate = op.getGate() ? op.getGate().getType() : RankedTensorType();
  int64_t experts = op.getExperts(), hidden = op.getHiddenWidth();
  // experts_c2
  if (failed(verifySize(op, "the experts of down (those of up)", experts, down.getDimSize(0))) ||
      (gate &&
       failed(verifySize(op, "the experts of gate (those of up)", experts, gate.getDimSize(0)))))
    return failure();
  // experts_c3
  if (failed(verifySize(op, "the columns of up (the width of x)", x.getDimSize(1),
                        up.getDimSize(2))) ||
      (gate && failed(verifySize(op, "the columns of gate (the width of x)", x.getDimSize(1),
                                 gate.getDimSize(2)))))
    return failure();
  // experts_c5
  if (gate && op.getGated())
    return op.emitOpError() << "expected no gate besides the gated rows of up";
  // experts_c4
  if (op.getGated())
    return verifySize(op, "rows of the gated up (twice the columns of down)", 2 * hidden,
                      up.getDimSize(1));
  if (failed(verifySize(op, "rows of up (the columns of down)", hidden, up.getDimSize(1))))
    return failure();
  return gate ? verifySize(op, "rows of gate (the columns of down)", hidden, gate.getDimSize(1))
              : success();
}

LogicalResult ExpertsOp::verify() {
  RankedTensorType x = getX().getType(), down = getDown().getType(), result = getResult().getType();
  // experts_c1
  if (failed(verifySize(*this, "rows of the ids and weights (those of x)", x.getDimSize(0),
                        getIds().getType().getDimSize(0))))
    return failure();
  if (failed(verifyMatrices(*this)))
    return failure();
  // experts_c6
  if (failed(verifySize(*this, "rows of the result (those of x)", x.getDimSize(0),
                        result.getDimSize(0))) ||
      failed(verifySize(*this, "the width of the result (rows of down)", down.getDimSize(1),
                        result.getDimSize(1))) ||
      failed(verifyPlainResult(*this, result)))
    return failure();
  // experts_c7
  if (failed(verifyProductEncodings(*this, x, getUp().getType())) ||
      (getGate() && failed(verifyProductEncodings(*this, x, getGate().getType()))))
    return failure();
  // experts_c8
  if (!getHidden())
    return success();
  if (failed(verifyActivationEncoding(*this, "the hidden rows", *getHidden())))
    return failure();
  auto hidden =
      RankedTensorType::get({x.getDimSize(0), getHiddenWidth()}, x.getElementType(), *getHidden());
  if (failed(verifyWholeBlocks(*this, hidden)))
    return failure();
  return verifyProductEncodings(*this, hidden, down);
}
