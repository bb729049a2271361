// Verifiers of routing and the products of experts.

#include "dialects/tile/Verify.h"

using namespace mlir;
using namespace mlir::tile;
using namespace mlir::tile::detail;

/// Where experts can be limited to groups: route_c5.
static LogicalResult verifyGroups(RouteOp op, int64_t experts, int64_t choices) {
  bool given = op.getGroups().has_value();
  if (given != op.getGroupLimit().has_value() || given != op.getGroupScore().has_value())
    return op.emitOpError("expected groups, group_limit and group_score together");
  if (!given)
    return success();
  int64_t groups = *op.getGroups(), limit = *op.getGroupLimit();
  if (groups <= 0 || experts % groups)
    return op.emitOpError() << "expected groups that divide the " << experts << " experts, found "
                            << groups;
  int64_t inGroup = experts / groups;
  if (limit < 1 || limit > groups || limit * inGroup < choices)
    return op.emitOpError() << "expected a limit of 1 to " << groups << " groups of " << inGroup
                            << " experts that holds the " << choices << " chosen, found " << limit;
  if (*op.getGroupScore() == GroupScore::Top2Sum && inGroup < 2)
    return op.emitOpError("expected groups of two experts at least for top2_sum");
  return success();
}

LogicalResult RouteOp::verify() {
  MemRefType logits = getLogits().getType(), ids = getIds().getType(),
             weights = getWeights().getType();
  int64_t experts = logits.getDimSize(1), choices = ids.getDimSize(1);
  // route_c1
  if (failed(verifySize(*this, "the rows of ids (those of the logits)", logits.getDimSize(0),
                        ids.getDimSize(0))) ||
      failed(verifyShape(*this, "the weights", ids.getShape(), weights)))
    return failure();
  // route_c2
  if (choices < 1 || choices > experts)
    return emitOpError() << "expected 1 to " << experts << " experts to be chosen, found "
                         << choices;
  // route_c3
  if (getBias() && getBias().getType().getDimSize(0) < experts)
    return emitOpError() << "expected a bias of at least " << experts << " elements, found "
                         << getBias().getType().getDimSize(0);
  // route_c4
  if (failed(verifyShape(*this, "scratch", {3, roundUp(experts, kPanel)}, getScratch().getType())))
    return failure();
  // route_c5
  if (failed(verifyGroups(*this, experts, choices)))
    return failure();
  // route_c6
  return verifyByRows(*this, getSplit());
}

LogicalResult TapRouteOp::verify() {
  ArrayRef<int64_t> shape = getIds().getType().getShape();
  // tap_route_c1
  if (failed(verifyShape(*this, "weights", shape, getWeights().getType())))
    return failure();
  // tap_route_c2
  auto ids = cast<MemRefType>(getOutIds().getType()),
       weights = cast<MemRefType>(getOutWeights().getType());
  if (failed(verifyShape(*this, "the output of weights", ids.getShape(), weights)) ||
      failed(
          verifySize(*this, "the rows of the outputs (those of ids)", shape[0], ids.getDimSize(1))))
    return failure();
  if (ids.isDynamicDim(2) || ids.getDimSize(2) < shape[1])
    return emitOpError() << "expected outputs of at least " << shape[1] << " columns, found "
                         << ids;
  // tap_route_c3
  return verifyByRows(*this, getSplit());
}

LogicalResult DispatchOp::verify() {
  MemRefType offsets = getOffsets().getType(), ids = getIds().getType();
  // dispatch_c1
  if (offsets.getDimSize(0) != 1 || offsets.getDimSize(1) < 2)
    return emitOpError() << "expected one row of offsets, one more than there are experts, found "
                         << offsets;
  // dispatch_c2
  if (ids.getDimSize(0) == 1 &&
      failed(verifySize(*this, "the elements of order (those of ids)", ids.getDimSize(1),
                        getOrder().getType().getDimSize(0))))
    return failure();
  // dispatch_c4
  if (IntegerAttr fours = getFoursAttr(); fours && fours.getInt() < 0)
    return emitOpError() << "expected fours not to be negative, found " << fours.getInt();
  // dispatch_c3
  return verifySplit(*this, getSplit(), {Split::First});
}

LogicalResult GatherRowsOp::verify() {
  // gather_rows_c1
  if (getX().size() != 3)
    return emitOpError("expected the three buffers of quantized rows as x and as outs");
  auto values = dyn_cast<MemRefType>(getX()[0].getType());
  int64_t k = values.getRank() == 2 ? values.getDimSize(1) : 0;
  for (ValueRange rows : {ValueRange(getX()), ValueRange(getOuts())})
    if (failed(verifyQuantized(*this, rows, ShapedType::kDynamic, k)))
      return failure();
  if (failed(verifySize(*this, "the blocks of outs (those of x)",
                        cast<MemRefType>(getX()[1].getType()).getDimSize(2),
                        cast<MemRefType>(getOuts()[1].getType()).getDimSize(2))))
    return failure();
  // gather_rows_c2
  if (getChoices() < 1)
    return emitOpError() << "expected a positive number of choices, found "
                         << static_cast<int64_t>(getChoices());
  // gather_rows_c3
  return verifyByRows(*this, getSplit());
}

/// The panels of the experts: C3 of both products.
static LogicalResult verifyExperts(Operation *op, MemRefType weight, int64_t expertBytes,
                                   TypedValue<MemRefType> offsets) {
  if (expertBytes <= 0 || expertBytes % 64 || weight.getDimSize(0) % expertBytes)
    return op->emitOpError() << "expected experts of a positive multiple of 64 bytes, a whole "
                                "number in the weight, found "
                             << expertBytes << " and " << weight;
  if (!offsets)
    return success();
  return verifySize(op, "the experts of the weight (those of offsets)",
                    offsets.getType().getDimSize(1) - 1, weight.getDimSize(0) / expertBytes);
}

/// Whether rows lie by fours: C7 of grouped_contract, C8 of combine_contract.
static LogicalResult verifyFours(Operation *op, bool fours, ValueRange rows, Value offsets) {
  if (fours && (!offsets || rows.size() != 3))
    return op->emitOpError("expected offsets, and quantized rows, with rows by fours");
  return success();
}

LogicalResult GroupedContractOp::verify() {
  int64_t parts = getEpilogue() == Epilogue::GateSilu ? 2 : 1;
  // grouped_contract_c1
  Product product{getX(),     getFormat(),       getInstruction(), getK(),           parts,
                  getStrip(), getBlockingAttr(), getTurns(),       getSharingAttr(), getSplit()};
  if (failed(verifyProduct(*this, product)))
    return failure();
  // grouped_contract_c2
  if (failed(verifyColumns(*this, getOut().getType(), getWidth())))
    return failure();
  // grouped_contract_c3
  if (failed(verifyExperts(*this, getWeight().getType(), getExpertBytes(), getOffsets())))
    return failure();
  // grouped_contract_c4
  if (getEpilogue() == Epilogue::Accumulate)
    return emitOpError("expected store, silu or gate_silu, found accumulate");
  // grouped_contract_c5
  if (getChoices() < 1)
    return emitOpError() << "expected a positive number of choices, found "
                         << static_cast<int64_t>(getChoices());
  if (!getOffsets() &&
      (failed(verifySize(*this, "the rows of x without offsets", 1, product.rows())) ||
       failed(verifySize(*this, "the experts in order (the choices)", getChoices(),
                         getOrder().getType().getDimSize(0))) ||
       failed(verifySize(*this, "the rows of out (the choices)", getChoices(),
                         getOut().getType().getDimSize(0)))))
    return failure();
  // grouped_contract_c7
  if (failed(verifyFours(*this, getFours(), getX(), getOffsets())))
    return failure();
  // grouped_contract_c6
  return verifySplit(*this, getSplit(), {Split::Panels});
}

LogicalResult CombineContractOp::verify() {
  MemRefType weights = getWeights().getType(), out = getOut().getType();
  // combine_contract_c1
  Product product{getHidden(), getFormat(),       getInstruction(), getK(),           1,
                  getStrip(),  getBlockingAttr(), getTurns(),       getSharingAttr(), getSplit()};
  if (failed(verifyProduct(*this, product)))
    return failure();
  // combine_contract_c2
  if (failed(verifyColumns(*this, out, getWidth())) ||
      failed(verifySize(*this, "the rows of out (those of the weights)", weights.getDimSize(0),
                        out.getDimSize(0))))
    return failure();
  // combine_contract_c3
  if (failed(verifyExperts(*this, getWeight().getType(), getExpertBytes(), getOffsets())))
    return failure();
  // combine_contract_c4
  if (getEpilogue() != Epilogue::Store && getEpilogue() != Epilogue::Accumulate)
    return emitOpError() << "expected store or accumulate, found "
                         << stringifyEpilogue(getEpilogue());
  // combine_contract_c5
  if (bool(getOffsets()) != bool(getPartial()))
    return emitOpError("expected offsets and partial together");
  if (!getOffsets() &&
      (failed(verifySize(*this, "the rows of weights without offsets", 1, weights.getDimSize(0))) ||
       failed(verifySize(*this, "the experts in order (the choices)", weights.getDimSize(1),
                         getOrder().getType().getDimSize(0))) ||
       failed(verifySize(*this, "the rows of hidden (the choices)", weights.getDimSize(1),
                         product.rows()))))
    return failure();
  // combine_contract_c6
  if (getPartial()) {
    MemRefType partial = getPartial().getType();
    if (failed(verifySize(*this, "the choices of partial (those of weights)", weights.getDimSize(1),
                          partial.getDimSize(1))))
      return failure();
    if (partial.getDimSize(2) <= 0 || partial.getDimSize(2) % kPanel)
      return emitOpError() << "expected partial results for whole panels, found " << partial;
  }
  // combine_contract_c8
  if (failed(verifyFours(*this, getFours(), getHidden(), getOffsets())))
    return failure();
  // combine_contract_c7
  return verifySplit(*this, getSplit(), {Split::Panels});
}
