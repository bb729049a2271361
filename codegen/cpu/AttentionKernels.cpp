// Attention over keys and values in pages.
//
// Order of accumulation, the same for every number of query rows and every team: what a row sees is
// cut at absolute positions into segments of whole pages. In a segment pages ascending; in a page
// scores with the head dim ascending, their maximum, the sum of exponentials lane by lane, values
// with positions ascending; then the online softmax (Milakov and Gimelshein 2018) joins the page to
// what came before in its segment. Segments ascending, each joined as a whole to those before it. A
// page or a segment of which a row sees nothing leaves that row's numbers as they are: what a row
// does not see is never multiplied, since it may be infinite or NaN.
//
// Scales of keys and values (element i8) are factors of the finished dot product and of the
// probability: score = dot * (key scale * scale), weight = exponential * value scale.

#include "codegen/cpu/AttentionPage.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

namespace {

//===- Segments -------------------------------------------------------------------------------===//

// The softmax of what came before and of a segment: its maximum and sum, and the factors of either
// sums of values.
struct Joined {
  Value max, sum, before, segment;

  Value values(Emitter &e, Value sumsBefore, Value sumsOfSegment) const {
    return e.fma(sumsOfSegment, e.splat(segment), e.mul(sumsBefore, e.splat(before)));
  }
};

Joined join(Emitter &e, Value maxBefore, Value sumBefore, Value max, Value sum) {
  Value larger = e.max(maxBefore, max);
  Value before = emitExp(e, e.sub(maxBefore, larger)), segment = emitExp(e, e.sub(max, larger));
  return {larger, e.fma(sum, segment, e.mul(sumBefore, before)), before, segment};
}

// Of `position`: the last that it sees; the first, given a window.
Value lastSeen(Emitter &e, Value position, int64_t size) { return e.div(position, e.index(size)); }
Value firstSeen(Emitter &e, Value position, std::optional<uint64_t> window, int64_t size) {
  if (!window)
    return e.index(0);
  Value first = arith::MaxSIOp::create(
      e.b, e.loc, e.addConst(position, 1 - static_cast<int64_t>(*window)), e.index(0));
  return e.div(first, e.index(size));
}

class Attention {
public:
  Attention(Emitter &e, tile::AttendOp op)
      : e(e), op(op), layout(op.getLayout()), rowsOf(e, op), headDim(layout.getHeadDim()),
        page(layout.getPage()), stride(layout.getValueStride()), segment(op.getSegment()),
        group(op.getQueries().getType().getDimSize(1) / headDim / layout.getKvHeads()) {}

  void emit() {
    if (op.getSplit() == tile::Split::Segments)
      emitParts();
    else
      emitBlocks();
  }

private:
  Value slotOf(Value token) { return e.toIndex(e.load(op.getSlots(), token)); }
  Value first(Value position, int64_t size) { return firstSeen(e, position, op.getWindow(), size); }
  Value last(Value position, int64_t size) { return lastSeen(e, position, size); }

  void forRows(const QueryRows &rows, llvm::function_ref<void(Value)> body) {
    e.loop(e.index(0), rows.count, 1, body);
  }

  //===- One token ----------------------------------------------------------------------------===//

  // Neighbouring segments of a head go to one thread, as far as shares allow.
  void emitParts() {
    Value token = e.index(0), position = e.toIndex(e.load(op.getPositions(), token));
    Value from = first(position, segment), to = e.addConst(last(position, segment), 1);
    Value segments = e.sub(to, from);
    Value items = e.mul(e.index(layout.getKvHeads()), segments);
    e.share(op.getSplit(), items, [&](Value item) {
      QueryRows rows = {slotOf(token), e.div(item, segments), e.index(0), e.index(group)};
      Value number = e.add(from, e.rem(item, segments));
      loadQueries(rows);
      emitSegment(rows, number, position, position);
      forRows(rows, [&](Value r) {
        Value head = e.add(e.mulConst(rows.kvHead, group), r);
        auto store = [&](Value v, int64_t column) {
          e.store(v, op.getOut(), {number, head, e.index(column)});
        };
        e.chunks(stride, [&](Value d, int64_t) {
          e.storeLanes(rowsOf.loadLanes(r, e.addConst(d, rowsOf.sums())), op.getOut(),
                       {number, head, d});
        });
        store(rowsOf.load(r, AttentionPage::Max), stride);
        store(rowsOf.load(r, AttentionPage::Sum), stride + 1);
      });
    });
  }

  //===- Many tokens --------------------------------------------------------------------------===//

  // Threads take turns at blocks of neighbouring rows and KV heads, the last ones first: those see
  // most keys. Blocks are smaller where there would be fewer than threads.
  void emitBlocks() {
    Value count = e.mulConst(e.dim(op.getQueries(), 0), group);
    Value kvHeads = e.index(layout.getKvHeads());
    auto divideUp = [&](Value a, Value c) { return e.div(e.add(a, e.addConst(c, -1)), c); };
    Value share = divideUp(e.mul(count, kvHeads), e.team());
    const int64_t tile = rowsOf.rowsOfTile();
    share = e.mulConst(divideUp(share, e.index(tile)), tile);
    Value size = e.min(share, e.index(op.getScratch().getType().getDimSize(0)));
    Value items = e.mul(divideUp(count, size), kvHeads);
    auto next = [&] { return e.nextTurn(op.getTurns(), items); };
    e.whileBelow(next(), items, [&](Value turn) {
      Value item = e.sub(e.addConst(items, -1), turn);
      Value kvHead = e.rem(item, kvHeads), from = e.mul(e.div(item, kvHeads), size);
      emitBlock(kvHead, from, e.min(e.add(from, size), count));
      return next();
    });
  }

  // Rows from .. to, sequence by sequence: runs of tokens with one slot.
  void emitBlock(Value kvHead, Value from, Value to) {
    auto equal = [&](Value a, Value c) {
      return arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, a, c).getResult();
    };
    Value width = e.index(group), firstToken = e.div(from, width);
    Value endToken = e.addConst(e.div(e.addConst(to, -1), width), 1);
    e.loop(firstToken, endToken, 1, [&](Value token) {
      Value slot = slotOf(token), isFirst = equal(token, firstToken);
      Value before = arith::SelectOp::create(e.b, e.loc, isFirst, token, e.addConst(token, -1));
      Value isSame = equal(slotOf(before), slot);
      Value startsRun =
          arith::SelectOp::create(e.b, e.loc, isSame, isFirst, e.constant(e.b.getI1Type(), 1));
      e.branch(startsRun, [&] {
        Value next = e.addConst(token, 1);
        Value end = e.fold(next, endToken, 1, next, [&](Value other, ValueRange end) {
          Value continues =
              arith::AndIOp::create(e.b, e.loc, equal(other, end[0]), equal(slotOf(other), slot));
          return SmallVector<Value>{
              arith::SelectOp::create(e.b, e.loc, continues, e.addConst(other, 1), end[0])};
        })[0];
        Value row = arith::MaxUIOp::create(e.b, e.loc, from, e.mulConst(token, group));
        emitRun({slot, kvHead, row, e.sub(e.min(to, e.mulConst(end, group)), row)});
      });
    });
  }

  void emitRun(const QueryRows &rows) {
    loadQueries(rows);
    forRows(rows, [&](Value r) {
      e.chunks(stride, [&](Value d, int64_t) {
        rowsOf.storeLanes(e.constant(e.f32x16(), 0), r, e.addConst(d, rowsOf.joined()));
      });
      rowsOf.store(e.constant(e.f32(), kMasked), r, AttentionPage::JoinedMax);
      rowsOf.store(e.constant(e.f32(), 0), r, AttentionPage::JoinedSum);
    });
    Value lowest = rowsOf.positionOf(rows, e.index(0));
    Value highest = rowsOf.positionOf(rows, e.addConst(rows.count, -1));
    e.loop(first(lowest, segment), e.addConst(last(highest, segment), 1), 1, [&](Value number) {
      emitSegment(rows, number, lowest, highest);
      joinSegment(rows, number);
    });
    forRows(rows, [&](Value r) {
      auto [token, column] = rowsOf.placeOf(rows, r);
      Value sum = e.splat(rowsOf.load(r, AttentionPage::JoinedSum));
      e.chunks(headDim, [&, token = token, column = column](Value d, int64_t lanes) {
        Value value = rowsOf.loadLanes(r, e.addConst(d, rowsOf.joined()));
        e.storeLanes(e.div(value, sum), op.getOut(), {token, e.add(column, d)}, lanes);
      });
    });
  }

  void joinSegment(const QueryRows &rows, Value number) {
    using Page = AttentionPage;
    Value start = e.mulConst(number, segment);
    forRows(rows, [&](Value r) {
      SeenRange seen = rowsOf.seenBy(rowsOf.positionOf(rows, r), start, segment);
      Value any =
          arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, seen.begin, seen.end);
      e.branch(any, [&] {
        Joined joined = join(e, rowsOf.load(r, Page::JoinedMax), rowsOf.load(r, Page::JoinedSum),
                             rowsOf.load(r, Page::Max), rowsOf.load(r, Page::Sum));
        rowsOf.store(joined.max, r, Page::JoinedMax);
        rowsOf.store(joined.sum, r, Page::JoinedSum);
        e.chunks(stride, [&](Value d, int64_t) {
          Value place = e.addConst(d, rowsOf.joined());
          Value values = joined.values(e, rowsOf.loadLanes(r, place),
                                       rowsOf.loadLanes(r, e.addConst(d, rowsOf.sums())));
          rowsOf.storeLanes(values, r, place);
        });
      });
    });
  }

  //===- Both ---------------------------------------------------------------------------------===//

  // Into the scratch: there a row is one address away from the next.
  void loadQueries(const QueryRows &rows) {
    forRows(rows, [&](Value r) {
      auto [token, column] = rowsOf.placeOf(rows, r);
      e.chunks(headDim, [&, token = token, column = column](Value d, int64_t lanes) {
        Value query = e.loadLanes(op.getQueries(), {token, e.add(column, d)}, lanes);
        rowsOf.storeLanes(query, r, e.addConst(d, rowsOf.query()));
      });
    });
  }

  // The rows' softmax and sums of values of one segment, into the scratch. The rows' positions are
  // lowest … highest.
  void emitSegment(const QueryRows &rows, Value number, Value lowest, Value highest) {
    forRows(rows, [&](Value r) {
      e.chunks(stride, [&](Value d, int64_t) {
        rowsOf.storeLanes(e.constant(e.f32x16(), 0), r, e.addConst(d, rowsOf.sums()));
      });
      rowsOf.store(e.constant(e.f32(), kMasked), r, AttentionPage::Max);
      rowsOf.store(e.constant(e.f32(), 0), r, AttentionPage::Sum);
    });
    Value lastPage = last(highest, page), start = e.mulConst(number, segment / page);
    Value from = arith::MaxUIOp::create(e.b, e.loc, start, first(lowest, page));
    Value to = e.min(e.addConst(start, segment / page), e.addConst(lastPage, 1));
    e.loop(from, to, 1, [&](Value pageIndex) { rowsOf.visit(rows, pageIndex, lastPage); });
  }

  Emitter &e;
  tile::AttendOp op;
  tile::KvLayoutAttr layout;
  AttentionPage rowsOf;
  int64_t headDim, page, stride, segment, group;
};

} // namespace

void expandAttend(Emitter &e, tile::AttendOp op) { Attention(e, op).emit(); }

void expandAttendCombine(Emitter &e, tile::AttendCombineOp op) {
  int64_t headDim = op.getHeadDim(), stride = op.getParts().getType().getDimSize(2) - kLanes;
  int64_t chunks = stride / kLanes, segment = op.getSegment();
  Value position = e.toIndex(e.load(op.getPositions(), e.index(0)));
  Value from = firstSeen(e, position, op.getWindow(), segment);
  Value to = e.addConst(lastSeen(e, position, segment), 1);
  e.loop(e.index(0), e.index(op.getParts().getType().getDimSize(1)), 1, [&](Value head) {
    SmallVector<Value> init(chunks, e.constant(e.f32x16(), 0));
    init.append({e.constant(e.f32(), kMasked), e.constant(e.f32(), 0)});
    SmallVector<Value> all = e.fold(from, to, 1, init, [&](Value number, ValueRange before) {
      auto softmaxAt = [&](int64_t column) {
        return e.load(op.getParts(), {number, head, e.index(column)});
      };
      Joined joined =
          join(e, before[chunks], before[chunks + 1], softmaxAt(stride), softmaxAt(stride + 1));
      SmallVector<Value> after;
      for (int64_t c = 0; c < chunks; ++c)
        after.push_back(joined.values(
            e, before[c], e.loadLanes(op.getParts(), {number, head, e.index(c * kLanes)})));
      after.append({joined.max, joined.sum});
      return after;
    });
    Value sum = e.splat(all[chunks + 1]);
    for (int64_t c = 0; c < chunks; ++c)
      e.storeLanes(e.div(all[c], sum), op.getOut(),
                   {e.index(0), e.addConst(e.mulConst(head, headDim), c * kLanes)},
                   std::min(kLanes, headDim - c * kLanes));
  });
}

} // namespace moire::cpu
