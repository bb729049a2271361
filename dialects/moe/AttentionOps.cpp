// Verifiers of the operations on key/value states.

#include "dialects/moe/Verify.h"

using namespace mlir;
using namespace mlir::moe;

/// Fails unless there is a slot and a position for each of the `rows` of a step.
static LogicalResult verifySlotsAndPositions(Operation *op, int64_t rows, RankedTensorType slots,
                                             RankedTensorType positions) {
  if (failed(verifySize(op, "the number of slots (one for each row)", rows, slots.getDimSize(0))))
    return failure();
  return verifySize(op, "the number of positions (one for each row)", rows,
                    positions.getDimSize(0));
}

LogicalResult KvAppendOp::verify() {
  RankedTensorType values = getValues().getType(), state = getState().getType();
  // kv_append_c1
  if (failed(verifySize(*this, "the width of the values (KV heads times head dim of the state)",
                        state.getDimSize(3) * state.getDimSize(4), values.getDimSize(1))))
    return failure();
  // kv_append_c2
  if (failed(verifySlotsAndPositions(*this, values.getDimSize(0), getSlots().getType(),
                                     getPositions().getType())))
    return failure();
  // kv_append_c3
  Operation *append = getOperation();
  for (OpOperand &use : getState().getUses()) {
    if (use.getOwner() == append)
      continue;
    Operation *other = append->getBlock()->findAncestorOpInBlock(*use.getOwner());
    if (!other || !other->isBeforeInBlock(append)) {
      InFlightDiagnostic error = emitOpError()
                                 << "expected every other use of the state to come before";
      error.attachNote(use.getOwner()->getLoc()) << "the state, as it was, is used here";
      return error;
    }
  }
  return success();
}

LogicalResult AttentionOp::verify() {
  int64_t width = getQueries().getType().getDimSize(1), kvWidth = getKvHeads() * getHeadDim();
  // attention_c1
  if (kvWidth <= 0 || width % kvWidth != 0)
    return emitOpError() << "expected a width of the queries that is a multiple of " << kvWidth
                         << " (KV heads times head dim of the state), found " << width;
  // attention_c2
  if (failed(verifySlotsAndPositions(*this, getQueries().getType().getDimSize(0),
                                     getSlots().getType(), getPositions().getType())))
    return failure();
  // attention_c3
  if (getWindow() && static_cast<int64_t>(*getWindow()) <= 0)
    return emitOpError() << "expected a positive window, found "
                         << static_cast<int64_t>(*getWindow());
  return success();
}
