// A page and a block of query rows, in three sweeps over the rows: scores, softmax, values. In the
// first and the last a few rows share each load of keys or values, and their sums fill the
// registers; the page itself stays in the nearest caches meanwhile.

#include "codegen/cpu/AttentionPage.h"

#include "codegen/cpu/KvPages.h"
#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace moire::cpu {

// Rows whose softmax is computed together (Emitter::foldEach): for a single one, reductions and
// exponentials of single numbers would take longer than those of its scores.
constexpr int64_t kRowsOfSoftmax = 4;

static Value smaller(Emitter &e, Value a, Value c) {
  return arith::MinSIOp::create(e.b, e.loc, a, c);
}
static Value larger(Emitter &e, Value a, Value c) {
  return arith::MaxSIOp::create(e.b, e.loc, a, c);
}
static Value compare(Emitter &e, arith::CmpIPredicate predicate, Value a, Value c) {
  return arith::CmpIOp::create(e.b, e.loc, predicate, a, c);
}
static Value select(Emitter &e, Value condition, Value a, Value c) {
  return arith::SelectOp::create(e.b, e.loc, condition, a, c);
}
static Value roundDown(Emitter &e, Value v, int64_t multiple) {
  return e.mulConst(e.div(v, e.index(multiple)), multiple);
}

AttentionPage::AttentionPage(Emitter &e, tile::AttendOp op)
    : e(e), op(op), layout(op.getLayout()), headDim(layout.getHeadDim()), page(layout.getPage()),
      stride(layout.getValueStride()),
      group(op.getQueries().getType().getDimSize(1) / headDim / layout.getKvHeads()),
      oneToken(op.getSplit() == tile::Split::Segments) {}

//===- Rows -----------------------------------------------------------------------------------===//

std::pair<Value, Value> AttentionPage::placeOf(const QueryRows &rows, Value r) {
  Value number = e.add(rows.first, r), width = e.index(group);
  Value head = e.add(e.mulConst(rows.kvHead, group), e.rem(number, width));
  return {e.div(number, width), e.mulConst(head, headDim)};
}

Value AttentionPage::positionOf(const QueryRows &rows, Value r) {
  Value token = oneToken ? e.index(0) : placeOf(rows, r).first;
  return e.toIndex(e.load(op.getPositions(), token));
}

SeenRange AttentionPage::seenBy(Value position, Value start, int64_t length) {
  auto clamp = [&](Value v) { return smaller(e, larger(e, v, e.index(0)), e.index(length)); };
  Value behind = e.addConst(e.sub(position, start), 1);
  Value begin = op.getWindow() ? clamp(e.addConst(behind, -*op.getWindow())) : e.index(0);
  return {begin, clamp(behind)};
}

void AttentionPage::store(Value value, Value r, Number number) {
  e.store(value, op.getScratch(), {r, e.index(numbers() + number)});
}

int64_t AttentionPage::rowsOfTile() {
  return op.getVectors() == kVectorsAvx512 ? kQueryTileAvx512 : kQueryTileAvx2;
}

// Full tiles, and what is left of them in at most three smaller ones.
void AttentionPage::tiles(Value count, Tile body) {
  const int64_t full = rowsOfTile();
  Value at = roundDown(e, count, full);
  e.loop(e.index(0), at, full, [&](Value r) { body(r, full); });
  static_assert(kQueryTileAvx2 == 6 && kQueryTileAvx512 == 12, "11 = 6 + 3 + 2, 10 = 6 + 3 + 1");
  for (int64_t size : {6, 3, 2, 1}) {
    if (size == full)
      continue;
    Value fits = compare(e, arith::CmpIPredicate::uge, e.sub(count, at), e.index(size));
    e.branch(fits, [&] { body(at, size); });
    at = select(e, fits, e.addConst(at, size), at);
  }
}

// Chunks of 16 lanes that a tile computes at once: their sums, what they are multiplied with, and
// one number of a row fit into the registers. A single row's products read memory directly.
int64_t AttentionPage::chunksAtOnce(int64_t size) {
  int64_t vectors = op.getVectors();
  return size == 1 ? vectors - 2 : (vectors - 1) / (size + 1);
}

//===- The next page --------------------------------------------------------------------------===//

// `part` is where the next page's keys or values begin, `elements` are how many those are; a turn
// computes `chunks` chunks.
AttentionPage::Ahead AttentionPage::sliceAhead(const QueryRows &rows, Value r, int64_t size,
                                               Value part, int64_t elements, int64_t chunks) {
  Value share = e.index(size * chunks * kLanes);
  Value step = e.div(e.add(share, e.addConst(rows.count, -1)), rows.count);
  return {e.add(part, e.div(e.mulConst(r, elements), rows.count)), step};
}

void AttentionPage::fetch(const Ahead &ahead, Value turn, int64_t chunks) {
  constexpr int64_t kLine = 64;
  Value at = e.add(ahead.start, e.mul(turn, ahead.step));
  for (int64_t byte = 0; byte < chunks * kLanes * layout.getElementBytes(); byte += kLine)
    memref::PrefetchOp::create(e.b, e.loc, op.getKv(),
                               e.addConst(at, byte / layout.getElementBytes()), /*isWrite=*/false,
                               /*localityHint=*/2, /*isDataCache=*/true);
}

//===- Scores ---------------------------------------------------------------------------------===//

void AttentionPage::visit(const QueryRows &rows, Value pageIndex, Value lastPage) {
  auto headOf = [&](Value index) {
    return kvPageHead(e, layout, op.getPageTable(), rows.slot, index, op.getLayer(), rows.kvHead);
  };
  Value base = headOf(pageIndex), next = headOf(e.min(e.addConst(pageIndex, 1), lastPage));
  Value firstPosition = e.mulConst(pageIndex, page);
  tiles(rows.count,
        [&](Value r, int64_t size) { emitScores(rows, r, size, base, next, firstPosition); });
  emitSoftmax(rows, base, firstPosition);
  tiles(rows.count,
        [&](Value r, int64_t size) { emitValues(rows, r, size, base, next, firstPosition); });
}

// The scores of all positions that any row of the tile sees, and of others in their chunks.
void AttentionPage::emitScores(const QueryRows &rows, Value r, int64_t size, Value base, Value next,
                               Value firstPosition) {
  int64_t chunks = std::min(chunksAtOnce(size), page / kLanes);
  while (page / kLanes % chunks)
    --chunks;
  Value last = e.addConst(r, size - 1);
  Value from = seenBy(positionOf(rows, r), firstPosition, page).begin;
  Value to = seenBy(positionOf(rows, last), firstPosition, page).end;
  Ahead ahead = sliceAhead(rows, r, size, next, headDim * page, chunks);
  Value scale = e.constant(e.f32x16(), op.getScale().convertToDouble());
  e.loop(roundDown(e, from, chunks * kLanes), to, chunks * kLanes, [&](Value first) {
    SmallVector<Value> zero(size * chunks, e.constant(e.f32x16(), 0));
    Value turns = e.mulConst(e.div(first, e.index(chunks * kLanes)), headDim);
    SmallVector<Value> dots =
        e.fold(e.index(0), e.index(headDim), 1, zero, [&](Value d, ValueRange before) {
          fetch(ahead, e.add(turns, d), chunks);
          Value at = e.add(e.add(base, first), e.mulConst(d, page));
          SmallVector<Value> keys, after;
          for (int64_t c = 0; c < chunks; ++c)
            keys.push_back(e.loadWide(op.getKv(), e.addConst(at, c * kLanes)));
          for (int64_t i = 0; i < size; ++i) {
            Value q = e.splat(load(e.addConst(r, i), e.addConst(d, query())));
            for (int64_t c = 0; c < chunks; ++c)
              after.push_back(e.fma(keys[c], q, before[i * chunks + c]));
          }
          return after;
        });
    for (int64_t c = 0; c < chunks; ++c) {
      Value chunk = e.addConst(first, c * kLanes), factor = scale;
      if (layout.hasScales())
        factor = e.mul(loadKvScales(e, layout, tile::Side::Keys, op.getKv(), base, chunk), scale);
      for (int64_t i = 0; i < size; ++i)
        storeLanes(e.mul(dots[i * chunks + c], factor), e.addConst(r, i), chunk);
    }
  });
}

//===- Softmax --------------------------------------------------------------------------------===//

// Scores of positions in the chunks of `range` that row r does not see.
void AttentionPage::maskScores(Value r, SeenRange seen, SeenRange range) {
  VectorType i32x16 = e.vec(kLanes, e.b.getI32Type());
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, kLanes));
  Value lanes = arith::ConstantOp::create(
      e.b, e.loc, DenseIntElementsAttr::get(i32x16, ArrayRef<int32_t>(numbers)));
  auto splat = [&](Value position) {
    return e.splat(arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), position), i32x16);
  };
  e.loop(roundDown(e, range.begin, kLanes), range.end, kLanes, [&](Value chunk) {
    Value within = e.add(lanes, splat(chunk));
    Value inside = compare(e, arith::CmpIPredicate::slt, within, splat(seen.end));
    if (op.getWindow())
      inside = arith::AndIOp::create(
          e.b, e.loc, inside, compare(e, arith::CmpIPredicate::sge, within, splat(seen.begin)));
    Value score = select(e, inside, loadLanes(r, chunk), e.constant(e.f32x16(), kMasked));
    storeLanes(score, r, chunk);
  });
}

void AttentionPage::emitSoftmax(const QueryRows &rows, Value base, Value firstPosition) {
  auto join = [&](ArrayRef<Value> some) {
    SmallVector<SeenRange> seen;
    for (Value r : some)
      seen.push_back(seenBy(positionOf(rows, r), firstPosition, page));
    SeenRange range = {seen.front().begin, seen.back().end};
    for (auto [r, seen] : llvm::zip(some, seen))
      e.branch(compare(e, arith::CmpIPredicate::slt, e.sub(seen.end, seen.begin), e.index(page)),
               [&, r = r, seen = seen] { maskScores(r, seen, range); });
    joinScores(some, range, base);
  };
  e.loop(e.index(0), rows.count, kRowsOfSoftmax, [&](Value r) {
    Value end = e.min(e.addConst(r, kRowsOfSoftmax), rows.count), size = e.sub(end, r);
    e.branch(
        compare(e, arith::CmpIPredicate::eq, size, e.index(kRowsOfSoftmax)),
        [&] { join(e.consecutive(r, kRowsOfSoftmax)); },
        [&] { e.loop(r, end, 1, [&](Value one) { join(one); }); });
  });
}

// The maximum of each row so far, and the factor of what it summed up before. Replaces the scores
// by the weights of the values, exp(score - max) times their scale, and 0 where masked; adds up the
// exponentials. What there is one of for each row is a lane of a vector. The numbers of a row that
// sees nothing stay as they are: its factor is exp(0).
void AttentionPage::joinScores(ArrayRef<Value> rows, SeenRange range, Value base) {
  using Values = SmallVector<Value>;
  const int64_t count = rows.size();
  Value none = e.constant(e.f32x16(), kMasked / 2), zero = e.constant(e.f32x16(), 0);
  auto eachChunk = [&](Value init, llvm::function_ref<Values(Value, ValueRange)> body) {
    return e.fold(roundDown(e, range.begin, kLanes), range.end, kLanes, Values(count, init), body);
  };
  auto numberOfEach = [&](Number number) {
    return e.lanes(llvm::map_to_vector(rows, [&](Value r) { return load(r, number); }));
  };
  auto storeOfEach = [&](Value lanes, Number number) {
    for (auto [i, r] : llvm::enumerate(rows))
      store(e.lane(lanes, i), r, number);
  };

  Values largest = eachChunk(e.constant(e.f32x16(), kMasked), [&](Value chunk, ValueRange acc) {
    Values after;
    for (auto [r, before] : llvm::zip(rows, acc))
      after.push_back(e.max(loadLanes(r, chunk), before));
    return after;
  });
  Value before = numberOfEach(Max);
  Value max = e.max(before, e.foldEach(largest, [&](Value a, Value c) { return e.max(a, c); }));
  Value factor = emitExp(e, e.sub(before, max));
  storeOfEach(max, Max);
  storeOfEach(factor, Factor);

  Values maxima;
  for (int64_t i = 0; i < count; ++i)
    maxima.push_back(e.splat(e.lane(max, i)));
  Values sums = eachChunk(zero, [&](Value chunk, ValueRange acc) {
    Values after;
    Value scales;
    if (layout.hasScales())
      scales = loadKvScales(e, layout, tile::Side::Values, op.getKv(), base, chunk);
    for (auto [i, r] : llvm::enumerate(rows)) {
      Value score = loadLanes(r, chunk);
      Value masked = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, score, none);
      Value p = select(e, masked, zero, emitExp(e, e.sub(score, maxima[i])));
      storeLanes(scales ? select(e, masked, zero, e.mul(p, scales)) : p, r, chunk);
      after.push_back(e.add(acc[i], p));
    }
    return after;
  });
  Value sum = e.foldEach(sums, [&](Value a, Value c) { return e.add(a, c); });
  storeOfEach(e.fma(numberOfEach(Sum), factor, sum), Sum);
}

//===- Values ---------------------------------------------------------------------------------===//

// sums = sums * factor + weights . values. Rows of several tokens see different positions: those
// that all of them see lie between those that only some do.
void AttentionPage::emitValues(const QueryRows &rows, Value r, int64_t size, Value base, Value next,
                               Value firstPosition) {
  auto rangeOf = [&](int64_t i) {
    return seenBy(positionOf(rows, e.addConst(r, i)), firstPosition, page);
  };
  SeenRange first = rangeOf(0), last = rangeOf(size - 1);
  Value middle = smaller(e, last.begin, first.end); // where a window leaves nothing to all of them
  SeenRange before = {first.begin, middle}, all = {middle, first.end},
            behind = {first.end, last.end};
  SmallVector<SeenRange> seen;
  if (!oneToken && size > 1)
    for (int64_t i = 0; i < size; ++i)
      seen.push_back(rangeOf(i));

  auto columns = [&](Value column, int64_t chunks) {
    Ahead ahead =
        sliceAhead(rows, r, size, e.addConst(next, layout.getValueOffset()), page * stride, chunks);
    Value turn = e.mul(e.div(column, e.index(chunks * kLanes)), e.index(page));
    ValueTile tile = {r, size, column, chunks, base, ahead, turn};
    SmallVector<Value> sum;
    for (int64_t i = 0; i < size; ++i) {
      Value row = e.addConst(r, i), factor = e.splat(load(row, Factor));
      for (int64_t c = 0; c < chunks; ++c)
        sum.push_back(e.mul(loadLanes(row, e.addConst(column, sums() + c * kLanes)), factor));
    }
    if (!seen.empty() && op.getWindow())
      sum = addValues(tile, before, seen, sum);
    sum = addValues(tile, all, {}, sum);
    if (!seen.empty())
      sum = addValues(tile, behind, seen, sum);
    for (int64_t i = 0; i < size; ++i)
      for (int64_t c = 0; c < chunks; ++c)
        storeLanes(sum[i * chunks + c], e.addConst(r, i), e.addConst(column, sums() + c * kLanes));
  };
  // All chunks in as few groups as the registers allow, of about one size.
  int64_t total = stride / kLanes, most = std::min(chunksAtOnce(size), total);
  int64_t groups = (total + most - 1) / most, chunks = (total + groups - 1) / groups;
  int64_t whole = total / chunks * chunks;
  e.loop(e.index(0), e.index(whole * kLanes), chunks * kLanes,
         [&](Value column) { columns(column, chunks); });
  if (whole != total)
    columns(e.index(whole * kLanes), total - whole);
}

// `sums` and the weighted values at the positions of `range`; each row only where it sees them, if
// `seen` is given.
SmallVector<Value> AttentionPage::addValues(const ValueTile &tile, SeenRange range,
                                            ArrayRef<SeenRange> seen, ValueRange sums) {
  return e.fold(range.begin, range.end, 1, sums, [&](Value position, ValueRange before) {
    fetch(tile.ahead, e.add(tile.turn, position), tile.chunks);
    Value at = e.add(tile.base, e.mulConst(position, stride));
    at = e.addConst(e.add(at, tile.column), layout.getValueOffset());
    SmallVector<Value> values, after;
    for (int64_t c = 0; c < tile.chunks; ++c)
      values.push_back(e.loadWide(op.getKv(), e.addConst(at, c * kLanes)));
    for (int64_t i = 0; i < tile.size; ++i) {
      Value weight = e.splat(load(e.addConst(tile.r, i), position)), inside;
      if (!seen.empty())
        inside = arith::AndIOp::create(
            e.b, e.loc, compare(e, arith::CmpIPredicate::sge, position, seen[i].begin),
            compare(e, arith::CmpIPredicate::slt, position, seen[i].end));
      for (int64_t c = 0; c < tile.chunks; ++c) {
        Value sum = before[i * tile.chunks + c], next = e.fma(values[c], weight, sum);
        after.push_back(inside ? select(e, inside, next, sum) : next);
      }
    }
    return after;
  });
}

} // namespace moire::cpu
