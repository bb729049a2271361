// Keys and values of a step go into their pages, rounded to how they are stored.

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/KvPages.h"
#include "dialects/moe/Moe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <limits>

using namespace mlir;

namespace moire::cpu {

//===- Places ---------------------------------------------------------------------------------===//

Value kvPageHead(Emitter &e, tile::KvLayoutAttr layout, Value pageTable, Value slot,
                 Value pageIndex, Value layer, Value head) {
  Value page = e.toIndex(e.load(pageTable, {slot, pageIndex}));
  Value plane = e.add(e.mulConst(layer, layout.getKvHeads()), head);
  return e.add(e.mulConst(page, layout.getPageBytes() / layout.getElementBytes()),
               e.mulConst(plane, layout.getHeadElements()));
}

// Elements before the scale of `position`.
static Value scaleAt(Emitter &e, tile::KvLayoutAttr layout, tile::Side side, Value base,
                     Value position) {
  int64_t offset =
      side == tile::Side::Keys ? layout.getKeyScaleOffset() : layout.getValueScaleOffset();
  return e.addConst(e.add(base, e.mulConst(position, 4)), offset);
}

Value loadKvScales(Emitter &e, tile::KvLayoutAttr layout, tile::Side side, Value pool, Value base,
                   Value position) {
  return e.loadBytes(pool, scaleAt(e, layout, side, base, position), kLanes, e.f32());
}

namespace {

//===- Rounding -------------------------------------------------------------------------------===//

// A row as #moe.int8_rows stores it.
struct Int8Row {
  Value scale;          // d
  Value inverse, isNot; // 127 / m; whether all q are 0 instead

  // The q of f32 values of the row, a scalar or 16 lanes, as i8.
  Value round(Emitter &e, Value x) const {
    auto vector = dyn_cast<VectorType>(x.getType());
    auto type = [&](Type element) {
      return vector ? Type(e.vec(vector.getNumElements(), element)) : element;
    };
    Value factor = vector ? e.splat(inverse, vector) : inverse;
    Value scaled = math::RoundEvenOp::create(e.b, e.loc, e.mul(x, factor));
    // No NaN may reach the conversion.
    scaled = arith::SelectOp::create(e.b, e.loc, isNot, e.constant(x.getType(), 0), scaled);
    Value word = arith::FPToSIOp::create(e.b, e.loc, type(e.b.getI32Type()), scaled);
    return arith::TruncIOp::create(e.b, e.loc, type(e.b.getI8Type()), word);
  }
};

// Looks at the head of `values` whose columns start at `first`.
Int8Row measureRow(Emitter &e, Value values, Value row, Value first, int64_t headDim) {
  // Magnitudes are compared as integers: cheaper, and a NaN counts as the largest.
  VectorType i32x16 = e.vec(kLanes, e.b.getI32Type());
  Value largest =
      e.foldChunks(headDim, e.constant(i32x16, 0), [&](Value d, int64_t lanes, Value before) {
        Value x = e.loadLanes(values, {row, e.add(first, d)}, lanes);
        Value bits = vector::BitCastOp::create(e.b, e.loc, i32x16, x);
        bits = arith::AndIOp::create(e.b, e.loc, bits, e.constant(i32x16, 0x7fffffff));
        return arith::MaxSIOp::create(e.b, e.loc, before, bits).getResult();
      });
  Value bits = vector::ReductionOp::create(e.b, e.loc, vector::CombiningKind::MAXSI, largest);
  Value m = arith::BitcastOp::create(e.b, e.loc, e.f32(), bits);
  auto bound = [&](arith::CmpFPredicate predicate, float value) -> Value {
    return arith::CmpFOp::create(e.b, e.loc, predicate, m, e.constant(e.f32(), value));
  };
  Value isSmall = bound(arith::CmpFPredicate::OLT, moe::Int8RowsAttr::kSmallest);
  Value isNoNumber = bound(arith::CmpFPredicate::UGT, std::numeric_limits<float>::max());
  Value limit = e.constant(e.f32(), 127), zero = e.constant(e.f32(), 0);
  Value nan = e.constant(e.f32(), std::numeric_limits<double>::quiet_NaN());
  Value scale = arith::SelectOp::create(e.b, e.loc, isSmall, zero, e.div(m, limit));
  scale = arith::SelectOp::create(e.b, e.loc, isNoNumber, nan, scale);
  Value isNot = arith::OrIOp::create(e.b, e.loc, isSmall, isNoNumber);
  return {scale, e.div(limit, m), isNot};
}

//===- Appending ------------------------------------------------------------------------------===//

class Append {
public:
  Append(Emitter &e, tile::KvAppendOp op) : e(e), op(op), layout(op.getLayout()) {}

  void emit() {
    Value rows = e.dim(op.getValues(), 0), heads = e.index(layout.getKvHeads());
    if (op.getSplit() == tile::Split::Segments) {
      // Shares of all segments of all heads, as tile.attend deals them out: the thread that gets a
      // head's last segment, where the row belongs, writes it.
      Value row = e.index(0), position = e.toIndex(e.load(op.getPositions(), row));
      Value segments = e.addConst(e.div(position, e.index(*op.getSegment())), 1);
      auto [from, to] = e.shareOf(e.thread(), e.mul(heads, segments));
      e.loop(e.div(from, segments), e.div(to, segments), 1, [&](Value head) { append(row, head); });
    } else {
      e.share(op.getSplit(), rows, [&](Value row) {
        e.loop(e.index(0), heads, 1, [&](Value head) { append(row, head); });
      });
    }
  }

private:
  void append(Value row, Value head) {
    int64_t headDim = layout.getHeadDim();
    Value pageSize = e.index(layout.getPage());
    Value slot = e.toIndex(e.load(op.getSlots(), row));
    Value position = e.toIndex(e.load(op.getPositions(), row));
    Value base = kvPageHead(e, layout, op.getPageTable(), slot, e.div(position, pageSize),
                            op.getLayer(), head);
    Value within = e.rem(position, pageSize), first = e.mulConst(head, headDim);

    Int8Row int8;
    if (layout.hasScales()) {
      int8 = measureRow(e, op.getValues(), row, first, headDim);
      Value one = e.splat(int8.scale, e.vec(1, e.f32()));
      Value bytes = vector::BitCastOp::create(e.b, e.loc, e.vec(4, e.b.getI8Type()), one);
      vector::StoreOp::create(e.b, e.loc, bytes, op.getKv(),
                              scaleAt(e, layout, op.getSide(), base, within));
    }
    auto stored = [&](Value x) {
      return layout.hasScales() ? int8.round(e, x) : e.narrow(x, layout.getElement());
    };
    if (op.getSide() == tile::Side::Keys) {
      e.loop(e.index(0), e.index(headDim), 1, [&](Value d) {
        Value key = stored(e.load(op.getValues(), {row, e.add(first, d)}));
        e.store(key, op.getKv(), e.add(e.add(base, within), e.mulConst(d, layout.getPage())));
      });
      return;
    }
    Value at = e.addConst(e.add(base, e.mulConst(within, layout.getValueStride())),
                          layout.getValueOffset());
    e.chunks(headDim, [&](Value d, int64_t lanes) {
      Value value = e.loadLanes(op.getValues(), {row, e.add(first, d)}, lanes);
      // Full stores: the row's padding is ours.
      e.storeLanes(stored(value), op.getKv(), e.add(at, d));
    });
  }

  Emitter &e;
  tile::KvAppendOp op;
  tile::KvLayoutAttr layout;
};

} // namespace

void expandKvAppend(Emitter &e, tile::KvAppendOp op) { Append(e, op).emit(); }

} // namespace moire::cpu
