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

static LogicalResult verifySegment(Operation *op, KvLayoutAttr layout, int64_t segment) {
  if (segment > 0 && segment % layout.getPage() == 0)
    return success();
  return op->emitOpError() << "expected a segment of a positive multiple of the page's "
                           << layout.getPage() << " positions, found " << segment;
}

// Only one row has its segments shared out.
static LogicalResult verifyOneRow(Operation *op, MemRefType rows) {
  if (rows.getDimSize(0) == 1)
    return success();
  return op->emitOpError() << "expected a single row where segments are split, found " << rows;
}

static LogicalResult verifyWindow(Operation *op, std::optional<uint64_t> window) {
  if (!window || static_cast<int64_t>(*window) > 0)
    return success();
  return op->emitOpError() << "expected a positive window, found " << static_cast<int64_t>(*window);
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
  if (failed(verifySplit(*this, getSplit(), {Split::Segments, Split::Rows, Split::Whole})))
    return failure();
  if (getSplit() == Split::Segments && failed(verifyOneRow(*this, values)))
    return failure();
  // kv_append_c5
  if ((getSplit() == Split::Segments) != getSegment().has_value())
    return emitOpError("expected a segment with the split segments, and only there");
  return getSegment() ? verifySegment(*this, layout, *getSegment()) : success();
}

LogicalResult AttendOp::verify() {
  KvLayoutAttr layout = getLayout();
  MemRefType queries = getQueries().getType(), scratch = getScratch().getType();
  auto out = cast<MemRefType>(getOut().getType());
  int64_t kvWidth = layout.getKvHeads() * layout.getHeadDim(), width = queries.getDimSize(1);
  bool segments = getSplit() == Split::Segments;
  // attend_c1
  if (width == 0 || width % kvWidth)
    return emitOpError() << "expected a width of the queries that is a multiple of " << kvWidth
                         << " (KV heads times head dim), found " << width;
  // attend_c2
  int64_t heads = width / layout.getHeadDim();
  if (!out.getElementType().isF32() || out.getRank() != (segments ? 3 : 2) ||
      (segments && !out.hasStaticShape()))
    return emitOpError() << "expected out to be "
                         << (segments ? "static parts [segments, heads, columns]" : "rows")
                         << " of f32, found " << out;
  SmallVector<int64_t> shape(queries.getShape());
  if (segments)
    shape = {out.getDimSize(0), heads, layout.getValueStride() + kPanel};
  if (failed(verifyShape(*this, "out", shape, out)))
    return failure();
  // attend_c3
  if (failed(verifyPool(*this, layout, getKv().getType())))
    return failure();
  // attend_c4
  if (failed(verifySlotsAndPositions(*this, queries.getDimSize(0), getSlots().getType(),
                                     getPositions().getType())))
    return failure();
  // attend_c5
  int64_t columns = layout.getPage() + 3 * layout.getValueStride() + kPanel;
  if (!scratch.hasStaticShape() || scratch.getDimSize(1) != columns)
    return emitOpError() << "expected a static scratch of " << columns
                         << " columns (page, 3 * head dim rounded up to 16, 16), found " << scratch;
  if (segments && failed(verifySize(*this, "the rows of scratch (heads of a KV head)",
                                    heads / layout.getKvHeads(), scratch.getDimSize(0))))
    return failure();
  // attend_c6
  if (failed(verifyWindow(*this, getWindow())))
    return failure();
  // attend_c7
  if (failed(verifySplit(*this, getSplit(), {Split::Segments, Split::Tiles})))
    return failure();
  if (segments && failed(verifyOneRow(*this, queries)))
    return failure();
  // attend_c8
  if (failed(verifySegment(*this, layout, getSegment())))
    return failure();
  // attend_c9
  if (static_cast<int64_t>(getVectors()) < 8)
    return emitOpError() << "expected registers for at least 8 vectors, found "
                         << static_cast<int64_t>(getVectors());
  // attend_c10
  if (bool(getTurns()) == segments)
    return emitOpError() << "expected "
                         << (segments ? "no turns by segments" : "a counter of turns at tiles");
  return success();
}

LogicalResult AttendCombineOp::verify() {
  MemRefType parts = getParts().getType(), out = getOut().getType();
  int64_t headDim = getHeadDim(), heads = parts.getDimSize(1);
  // attend_combine_c1
  if (headDim <= 0 || parts.getDimSize(2) != roundUp(headDim, kPanel) + kPanel)
    return emitOpError() << "expected a positive head dim, and parts of that rounded up to "
                         << kPanel << " and " << kPanel << " columns, found " << headDim << " and "
                         << parts;
  // attend_combine_c2
  if (failed(verifyShape(*this, "out", {1, heads * headDim}, out)))
    return failure();
  // attend_combine_c3
  if (failed(
          verifySize(*this, "the number of positions", 1, getPositions().getType().getDimSize(0))))
    return failure();
  // attend_combine_c4
  if (static_cast<int64_t>(getSegment()) <= 0)
    return emitOpError() << "expected a positive segment, found "
                         << static_cast<int64_t>(getSegment());
  if (failed(verifyWindow(*this, getWindow())))
    return failure();
  // attend_combine_c5
  return verifySplit(*this, getSplit(), {Split::Whole});
}
