// Attention over keys and values in pages.
//
// Order of accumulation, the same for every tile of query rows and every team: pages ascending; in
// a page scores with the head dim ascending, their maximum, the sum of exponentials lane by lane,
// values with positions ascending; then the online softmax (Milakov and Gimelshein 2018) joins the
// page to what came before. A page of which a row sees nothing leaves that row's numbers as they
// are: what a row does not see is never multiplied, since it may be infinite or NaN.
//
// Scales of keys and values (element i8) are factors of the finished dot product and of the
// probability: score = dot * (key scale * scale), weight = exponential * value scale.

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/KvPages.h"
#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

// Stands for minus infinity, but differences of it are numbers.
constexpr double kMasked = -1.0e30;

namespace {

class Attention {
public:
  Attention(Emitter &e, tile::AttendOp op)
      : e(e), op(op), layout(op.getLayout()), headDim(layout.getHeadDim()), page(layout.getPage()),
        group(cast<MemRefType>(op.getQueries().getType()).getDimSize(1) / headDim /
              layout.getKvHeads()) {}

  void emit() {
    if (op.getSplit() == tile::Split::Heads)
      emitOneToken();
    else
      emitManyTokens();
  }

private:
  // A query row: a token and a head.
  struct Row {
    Value token, query;          // query: first column of its head
    Value position, positionI32; // as index and as stored
  };

  Row makeRow(Value token, Value headInGroup, Value kvHead) {
    Value head = e.add(e.mulConst(kvHead, group), headInGroup);
    Value position = e.load(op.getPositions(), token);
    return {token, e.mulConst(head, headDim), e.toIndex(position), position};
  }

  Value slotOf(Value token) { return e.toIndex(e.load(op.getSlots(), token)); }

  void emitOneToken() {
    Value token = e.index(0), slot = slotOf(token);
    e.share(op.getSplit(), e.index(layout.getKvHeads()), [&](Value kvHead) {
      for (int64_t first = 0; first < group; first += kQueryTile) {
        SmallVector<Row> rows;
        for (int64_t i = first; i < std::min(group, first + kQueryTile); ++i)
          rows.push_back(makeRow(token, e.index(i), kvHead));
        emitTile(rows, slot, kvHead);
      }
    });
  }

  // Query rows of one KV head are numbered token * group + head in the group; tiles of neighbouring
  // rows are dealt out round robin, since later tokens see more keys.
  void emitManyTokens() {
    Value count = e.mulConst(e.dim(op.getQueries(), 0), group);
    Value tile = e.index(kQueryTile), kvHeads = e.index(layout.getKvHeads());
    Value tiles = e.div(e.addConst(count, kQueryTile - 1), tile);
    e.loop(e.thread(), e.mul(tiles, kvHeads), e.team(), [&](Value item) {
      Value kvHead = e.rem(item, kvHeads);
      Value first = e.mul(e.div(item, kvHeads), tile);
      auto row = [&](Value number) {
        Value width = e.index(group);
        return makeRow(e.div(number, width), e.rem(number, width), kvHead);
      };
      Value last = e.min(e.addConst(first, kQueryTile), count);
      Value firstToken = e.div(first, e.index(group));
      Value lastToken = e.div(e.addConst(last, -1), e.index(group));
      // A whole tile of one sequence goes together. Slots are in runs, so ends that agree would not
      // do: every token between them is looked at through the tile's rows.
      auto equal = [&](Value a, Value c) {
        return arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, a, c).getResult();
      };
      Value together = equal(e.sub(last, first), tile);
      e.branch(
          together,
          [&] {
            Value slot = slotOf(firstToken), same = equal(slot, slotOf(lastToken));
            for (int64_t i = 1; i + 1 < kQueryTile; ++i) {
              Value token = e.div(e.addConst(first, i), e.index(group));
              same = arith::AndIOp::create(e.b, e.loc, same, equal(slot, slotOf(token)));
            }
            e.branch(
                same,
                [&] {
                  SmallVector<Row> rows;
                  for (int64_t i = 0; i < kQueryTile; ++i)
                    rows.push_back(row(e.addConst(first, i)));
                  emitTile(rows, slot, kvHead);
                },
                [&] { emitSingles(first, last, row, kvHead); });
          },
          [&] { emitSingles(first, last, row, kvHead); });
    });
  }

  void emitSingles(Value first, Value last, llvm::function_ref<Row(Value)> row, Value kvHead) {
    e.loop(first, last, 1, [&](Value number) {
      Row one = row(number);
      emitTile({one}, slotOf(one.token), kvHead);
    });
  }

  // Query rows of one slot and KV head.
  void emitTile(ArrayRef<Row> rows, Value slot, Value kvHead) {
    int64_t padded = layout.getValueStride();
    for (size_t r = 0; r < rows.size(); ++r)
      e.chunks(padded, [&](Value d, int64_t) {
        e.storeLanes(e.constant(e.f32x16(), 0), op.getScratch(), sums(r, d));
      });

    // The pages that any of the rows sees.
    Value lowest = rows[0].position, highest = rows[0].position;
    for (const Row &row : rows.drop_front()) {
      lowest = e.min(lowest, row.position);
      highest = arith::MaxUIOp::create(e.b, e.loc, highest, row.position);
    }
    Value pageSize = e.index(page), from = e.index(0);
    if (op.getWindow()) {
      Value start =
          arith::MaxSIOp::create(e.b, e.loc, e.addConst(lowest, 1 - *op.getWindow()), e.index(0));
      from = e.div(start, pageSize);
    }
    Value to = e.addConst(e.div(highest, pageSize), 1);

    SmallVector<Value> init; // maximum and sum of each row
    for (size_t r = 0; r < rows.size(); ++r)
      init.append({e.constant(e.f32(), kMasked), e.constant(e.f32(), 0)});
    SmallVector<Value> state = e.fold(from, to, 1, init, [&](Value pageIndex, ValueRange before) {
      Value base = kvPageHead(e, layout, op.getPageTable(), slot, pageIndex, op.getLayer(), kvHead);
      Value firstPosition = e.mul(pageIndex, pageSize);
      SmallVector<Value> maxima = emitScores(rows, base, firstPosition);
      SmallVector<Value> after, factors;
      for (size_t r = 0; r < rows.size(); ++r) {
        Value max = e.max(before[2 * r], maxima[r]);
        Value factor = emitExp(e, e.sub(before[2 * r], max));
        factors.push_back(e.splat(factor));
        Value sum = emitExponentials(r, max, base);
        after.append({max, e.fma(before[2 * r + 1], factor, sum)});
      }
      emitValues(rows, base, firstPosition, factors);
      return after;
    });
    for (auto [r, row] : llvm::enumerate(rows)) {
      Value sum = e.splat(state[2 * r + 1]);
      e.chunks(headDim, [&](Value d, int64_t lanes) {
        Value value = e.loadLanes(op.getScratch(), sums(r, d));
        e.storeLanes(e.div(value, sum), op.getOut(), {row.token, e.add(row.query, d)}, lanes);
      });
    }
  }

  // Scratch: for each row the page's scores, then the weighted sums of values.
  SmallVector<Value> scores(int64_t r, Value position) { return {e.index(r), position}; }
  SmallVector<Value> sums(int64_t r, Value d) { return {e.index(r), e.addConst(d, page)}; }

  // Scores of a page, masked, into the scratch; their maxima.
  SmallVector<Value> emitScores(ArrayRef<Row> rows, Value base, Value firstPosition) {
    SmallVector<Value> lowest(rows.size(), e.constant(e.f32x16(), kMasked));
    Value scale = e.constant(e.f32x16(), op.getScale().convertToDouble());
    VectorType i32x16 = e.vec(kLanes, e.b.getI32Type());
    SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, kLanes));
    Value lanes = arith::ConstantOp::create(
        e.b, e.loc, DenseIntElementsAttr::get(i32x16, ArrayRef<int32_t>(numbers)));
    SmallVector<Value> maxima =
        e.fold(e.index(0), e.index(page), kLanes, lowest, [&](Value chunk, ValueRange before) {
          SmallVector<Value> zero(rows.size(), e.constant(e.f32x16(), 0));
          SmallVector<Value> dots =
              e.fold(e.index(0), e.index(headDim), 1, zero, [&](Value d, ValueRange acc) {
                Value at = e.add(e.add(base, chunk), e.mulConst(d, page));
                Value keys = e.loadWide(op.getKv(), at);
                SmallVector<Value> next;
                for (auto [r, row] : llvm::enumerate(rows)) {
                  Value q = e.load(op.getQueries(), {row.token, e.add(row.query, d)});
                  next.push_back(e.fma(keys, e.splat(q), acc[r]));
                }
                return next;
              });
          Value first =
              arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), e.add(firstPosition, chunk));
          Value position = e.add(lanes, e.splat(first, i32x16));
          Value factor = scale;
          if (layout.hasScales())
            factor =
                e.mul(loadKvScales(e, layout, tile::Side::Keys, op.getKv(), base, chunk), scale);
          SmallVector<Value> after;
          for (auto [r, row] : llvm::enumerate(rows)) {
            Value score = e.mul(dots[r], factor);
            auto compare = [&](arith::CmpIPredicate predicate, Value bound) {
              return arith::CmpIOp::create(e.b, e.loc, predicate, position, e.splat(bound, i32x16))
                  .getResult();
            };
            Value seen = compare(arith::CmpIPredicate::sle, row.positionI32);
            if (op.getWindow()) {
              Value bound = e.sub(row.positionI32, e.constant(e.b.getI32Type(), *op.getWindow()));
              seen = arith::AndIOp::create(e.b, e.loc, seen,
                                           compare(arith::CmpIPredicate::sgt, bound));
            }
            score =
                arith::SelectOp::create(e.b, e.loc, seen, score, e.constant(e.f32x16(), kMasked));
            e.storeLanes(score, op.getScratch(), scores(r, chunk));
            after.push_back(e.max(score, before[r]));
          }
          return after;
        });
    SmallVector<Value> result;
    for (Value m : maxima)
      result.push_back(e.maxLanes(m));
    return result;
  }

  // Replaces row r's scores by the weights of the values, exp(score - max) times their scale, and 0
  // where masked; the sum of the exponentials.
  Value emitExponentials(int64_t r, Value max, Value base) {
    Value shift = e.splat(max), none = e.constant(e.f32x16(), kMasked / 2);
    Value zero = e.constant(e.f32x16(), 0);
    Value sum = e.fold(e.index(0), e.index(page), kLanes, zero, [&](Value chunk, ValueRange acc) {
      Value score = e.loadLanes(op.getScratch(), scores(r, chunk));
      Value masked = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, score, none);
      Value p = arith::SelectOp::create(e.b, e.loc, masked, zero, emitExp(e, e.sub(score, shift)));
      Value weight = p;
      if (layout.hasScales())
        weight = arith::SelectOp::create(
            e.b, e.loc, masked, zero,
            e.mul(p, loadKvScales(e, layout, tile::Side::Values, op.getKv(), base, chunk)));
      e.storeLanes(weight, op.getScratch(), scores(r, chunk));
      return SmallVector<Value>{e.add(acc[0], p)};
    })[0];
    return e.sumLanes(sum);
  }

  // The positions of a page that a row sees: begin .. end, counted from the page's first.
  struct Range {
    Value begin, end;
  };

  Value smaller(Value a, Value c) { return arith::MinSIOp::create(e.b, e.loc, a, c); }
  Value larger(Value a, Value c) { return arith::MaxSIOp::create(e.b, e.loc, a, c); }

  Range seenBy(const Row &row, Value firstPosition) {
    auto clamp = [&](Value v) { return smaller(larger(v, e.index(0)), e.index(page)); };
    Value behind = e.addConst(e.sub(row.position, firstPosition), 1);
    Value begin = op.getWindow() ? clamp(e.addConst(behind, -*op.getWindow())) : e.index(0);
    return {begin, clamp(behind)};
  }

  // sums = sums * factor + weights . values. Rows of several tokens see different positions: those
  // that all of them see lie between those that only some do.
  void emitValues(ArrayRef<Row> rows, Value base, Value firstPosition, ArrayRef<Value> factors) {
    SmallVector<Range> seen;
    for (const Row &row : rows)
      seen.push_back(seenBy(row, firstPosition));
    Range any = seen[0], all = seen[0];
    bool oneToken = llvm::all_of(rows, [&](const Row &row) { return row.token == rows[0].token; });
    if (!oneToken) {
      for (const Range &range : ArrayRef(seen).drop_front()) {
        any = {smaller(any.begin, range.begin), larger(any.end, range.end)};
        all = {larger(all.begin, range.begin), smaller(all.end, range.end)};
      }
      all.begin = smaller(all.begin, any.end);
      all.end = larger(all.end, all.begin);
    }
    e.chunks(layout.getValueStride(), [&](Value d, int64_t) {
      SmallVector<Value> sum;
      for (size_t r = 0; r < rows.size(); ++r)
        sum.push_back(e.mul(e.loadLanes(op.getScratch(), sums(r, d)), factors[r]));
      if (!oneToken && op.getWindow())
        sum = addValues(any.begin, all.begin, seen, base, d, sum);
      sum = addValues(all.begin, all.end, {}, base, d, sum);
      if (!oneToken)
        sum = addValues(all.end, any.end, seen, base, d, sum);
      for (size_t r = 0; r < rows.size(); ++r)
        e.storeLanes(sum[r], op.getScratch(), sums(r, d));
    });
  }

  // `sum` and the weighted values at positions begin .. end, columns from `d` on; each row only
  // where it sees them, if `seen` is given.
  SmallVector<Value> addValues(Value begin, Value end, ArrayRef<Range> seen, Value base, Value d,
                               ValueRange sum) {
    return e.fold(begin, end, 1, sum, [&](Value position, ValueRange before) {
      Value at = e.add(base, e.mulConst(position, layout.getValueStride()));
      Value values = e.loadWide(op.getKv(), e.addConst(e.add(at, d), layout.getValueOffset()));
      SmallVector<Value> next;
      for (size_t r = 0; r < before.size(); ++r) {
        Value weight = e.load(op.getScratch(), scores(r, position));
        next.push_back(e.fma(values, e.splat(weight), before[r]));
        if (seen.empty())
          continue;
        auto compare = [&](arith::CmpIPredicate predicate, Value bound) {
          return arith::CmpIOp::create(e.b, e.loc, predicate, position, bound).getResult();
        };
        Value inside =
            arith::AndIOp::create(e.b, e.loc, compare(arith::CmpIPredicate::sge, seen[r].begin),
                                  compare(arith::CmpIPredicate::slt, seen[r].end));
        next[r] = arith::SelectOp::create(e.b, e.loc, inside, next[r], before[r]);
      }
      return next;
    });
  }

  Emitter &e;
  tile::AttendOp op;
  tile::KvLayoutAttr layout;
  int64_t headDim, page, group;
};

} // namespace

void expandAttend(Emitter &e, tile::AttendOp op) { Attention(e, op).emit(); }

} // namespace moire::cpu
