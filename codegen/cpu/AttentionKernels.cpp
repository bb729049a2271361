// Keys and values in pages, and attention over them.
//
// Order of accumulation, the same for every tile of query rows and every team: pages ascending; in
// a page scores with the head dim ascending, their maximum, the sum of exponentials lane by lane,
// values with positions ascending; then the online softmax (Milakov and Gimelshein 2018) joins the
// page to what came before. A page of which a row sees nothing leaves that row's numbers as they
// are.

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

// Stands for minus infinity, but differences of it are numbers.
constexpr double kMasked = -1.0e30;

// Elements before (layer, head) of the page that holds `position` of `slot`.
static Value pageHead(Emitter &e, tile::KvLayoutAttr layout, Value pageTable, Value slot,
                      Value pageIndex, Value layer, Value head) {
  Value page = e.toIndex(e.load(pageTable, {slot, pageIndex}));
  Value plane = e.add(e.mulConst(layer, layout.getKvHeads()), head);
  return e.add(e.mulConst(page, layout.getPageBytes() / layout.getElementBytes()),
               e.mulConst(plane, layout.getHeadElements()));
}

void expandKvAppend(Emitter &e, tile::KvAppendOp op) {
  tile::KvLayoutAttr layout = op.getLayout();
  int64_t headDim = layout.getHeadDim();
  Value pageSize = e.index(layout.getPage());
  auto append = [&](Value row, Value head) {
    Value slot = e.toIndex(e.load(op.getSlots(), row));
    Value position = e.toIndex(e.load(op.getPositions(), row));
    Value base = pageHead(e, layout, op.getPageTable(), slot, e.div(position, pageSize),
                          op.getLayer(), head);
    Value within = e.rem(position, pageSize), first = e.mulConst(head, headDim);
    if (op.getSide() == tile::Side::Keys) {
      e.loop(e.index(0), e.index(headDim), 1, [&](Value d) {
        Value key = e.narrow(e.load(op.getValues(), {row, e.add(first, d)}), layout.getElement());
        Value at = e.add(e.add(base, within), e.mulConst(d, layout.getPage()));
        e.store(key, op.getKv(), at);
      });
      return;
    }
    Value at = e.addConst(e.add(base, e.mulConst(within, layout.getValueStride())),
                          layout.getKeyElements());
    e.chunks(headDim, [&](Value d, int64_t lanes) {
      Value value = e.loadLanes(op.getValues(), {row, e.add(first, d)}, lanes);
      // Full stores: the row's padding is ours.
      e.storeLanes(e.narrow(value, layout.getElement()), op.getKv(), e.add(at, d));
    });
  };
  Value rows = e.dim(op.getValues(), 0), heads = e.index(layout.getKvHeads());
  if (op.getSplit() == tile::Split::Heads)
    e.share(op.getSplit(), heads, [&](Value head) {
      e.loop(e.index(0), rows, 1, [&](Value row) { append(row, head); });
    });
  else
    e.share(op.getSplit(), rows, [&](Value row) {
      e.loop(e.index(0), heads, 1, [&](Value head) { append(row, head); });
    });
}

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
      Value base = pageHead(e, layout, op.getPageTable(), slot, pageIndex, op.getLayer(), kvHead);
      Value firstPosition = e.mul(pageIndex, pageSize);
      SmallVector<Value> maxima = emitScores(rows, base, firstPosition);
      SmallVector<Value> after, factors;
      for (size_t r = 0; r < rows.size(); ++r) {
        Value max = e.max(before[2 * r], maxima[r]);
        Value factor = emitExp(e, e.sub(before[2 * r], max));
        factors.push_back(e.splat(factor));
        Value sum = emitExponentials(r, max);
        after.append({max, e.fma(before[2 * r + 1], factor, sum)});
      }
      Value seen = e.min(e.addConst(e.sub(highest, firstPosition), 1), pageSize);
      emitValues(rows.size(), base, seen, factors);
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
          SmallVector<Value> after;
          for (auto [r, row] : llvm::enumerate(rows)) {
            Value score = e.mul(dots[r], scale);
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

  // Replaces row r's scores by exp(score - max), 0 where masked; their sum.
  Value emitExponentials(int64_t r, Value max) {
    Value shift = e.splat(max), none = e.constant(e.f32x16(), kMasked / 2);
    Value zero = e.constant(e.f32x16(), 0);
    Value sum = e.fold(e.index(0), e.index(page), kLanes, zero, [&](Value chunk, ValueRange acc) {
      Value score = e.loadLanes(op.getScratch(), scores(r, chunk));
      Value masked = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, score, none);
      Value p = arith::SelectOp::create(e.b, e.loc, masked, zero, emitExp(e, e.sub(score, shift)));
      e.storeLanes(p, op.getScratch(), scores(r, chunk));
      return SmallVector<Value>{e.add(acc[0], p)};
    })[0];
    return e.sumLanes(sum);
  }

  // sums = sums * factor + probabilities . values, over the first `seen` positions of the page:
  // rows of values behind them may never have been written.
  void emitValues(int64_t rows, Value base, Value seen, ArrayRef<Value> factors) {
    e.chunks(layout.getValueStride(), [&](Value d, int64_t) {
      SmallVector<Value> init;
      for (int64_t r = 0; r < rows; ++r)
        init.push_back(e.mul(e.loadLanes(op.getScratch(), sums(r, d)), factors[r]));
      SmallVector<Value> result =
          e.fold(e.index(0), seen, 1, init, [&](Value position, ValueRange acc) {
            Value at = e.add(base, e.mulConst(position, layout.getValueStride()));
            Value values =
                e.loadWide(op.getKv(), e.addConst(e.add(at, d), layout.getKeyElements()));
            SmallVector<Value> next;
            for (int64_t r = 0; r < rows; ++r) {
              Value p = e.load(op.getScratch(), scores(r, position));
              next.push_back(e.fma(values, e.splat(p), acc[r]));
            }
            return next;
          });
      for (int64_t r = 0; r < rows; ++r)
        e.storeLanes(result[r], op.getScratch(), sums(r, d));
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
