// Verifiers of what touches the pages of keys and values.

#include "dialects/tile/Verify.h"

using namespace mlir;
using namespace mlir::tile;
using namespace mlir::tile::detail;

static LogicalResult verifySlotsAndPositions(Operation *op, int64_t rows, MemRefType slots,
                                             MemRefType positions) {
  if (failed(verifySize(op, "the number of slots (one for each row)", rows, slots.getDimSize(0))))
    return failure();
  return verifySize(op, "the number of positions (one for each row)", rows,
                    positions.getDimSize(0));
}

static LogicalResult verifyPool(Operation *op, KvLayoutAttr layout, MemRefType kv) {
  if (layout.getElement() == kv.getElementType())
    return success();
  return op->emitOpError() << "expected a pool of the layout's " << layout.getElement()
                           << ", found " << kv;
}

LogicalResult KvAppendOp::verify() {
  KvLayoutAttr layout = getLayout();
  MemRefType values = getValues().getType();
  // kv_append_c1
  if (failed(verifySize(*this, "the width of the values (KV heads times head dim)",
                        layout.getKvHeads() * layout.getHeadDim(), values.getDimSize(1))))
    return failure();
  // kv_append_c2
  if (failed(verifyPool(*this, layout, getKv().getType())))
    return failure();
  // kv_append_c3
  if (failed(verifySlotsAndPositions(*this, values.getDimSize(0), getSlots().getType(),
                                     getPositions().getType())))
    return failure();
  // kv_append_c4
  return verifySplit(*this, getSplit(), {Split::Rows, Split::Heads, Split::Whole});
}

LogicalResult AttendOp::verify() {
  KvLayoutAttr layout = getLayout();
  MemRefType queries = getQueries().getType(), scratch = getScratch().getType();
  int64_t kvWidth = layout.getKvHeads() * layout.getHeadDim();
  // attend_c1
  if (queries.getDimSize(1) == 0 || queries.getDimSize(1) % kvWidth)
    return emitOpError() << "expected a width of the queries that is a multiple of " << kvWidth
                         << " (KV heads times head dim), found " << queries.getDimSize(1);
  // attend_c2
  if (failed(verifyShape(*this, "out", queries.getShape(), getOut().getType())))
    return failure();
  // attend_c3
  if (failed(verifyPool(*this, layout, getKv().getType())))
    return failure();
  // attend_c4
  if (failed(verifySlotsAndPositions(*this, queries.getDimSize(0), getSlots().getType(),
                                     getPositions().getType())))
    return failure();
  // attend_c5
  int64_t columns = layout.getPage() + layout.getValueStride();
  if (!scratch.hasStaticShape() || scratch.getDimSize(1) != columns)
    return emitOpError() << "expected a static scratch of " << columns
                         << " columns (page, head dim rounded up to 16), found " << scratch;
  // attend_c6
  if (getWindow() && static_cast<int64_t>(*getWindow()) <= 0)
    return emitOpError() << "expected a positive window, found "
                         << static_cast<int64_t>(*getWindow());
  // attend_c7
  if (getSplit() == Split::Heads && queries.getDimSize(0) != 1)
    return emitOpError() << "expected a single row where heads are split, found " << queries;
  return verifySplit(*this, getSplit(), {Split::Heads, Split::Tiles});
}
