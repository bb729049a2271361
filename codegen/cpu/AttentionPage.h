// What one page of keys and values does to query rows of its sequence and KV head: their scores,
// the online softmax, the sums of values.

#ifndef MOIRE_CODEGEN_CPU_ATTENTIONPAGE_H
#define MOIRE_CODEGEN_CPU_ATTENTIONPAGE_H

#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// Stands for minus infinity, but differences of it are numbers.
constexpr double kMasked = -1.0e30;

/// Query rows of one sequence and KV head. They are numbered token * group + head in the group, so
/// that neighbours see nearly the same; positions ascend. Row r of these has number first + r, and
/// its numbers lie in row r of the scratch.
struct QueryRows {
  Value slot, kvHead, first, count;
};

/// Positions that a row sees of a span: begin .. end, counted from the span's first.
struct SeenRange {
  Value begin, end;
};

class AttentionPage {
public:
  AttentionPage(Emitter &e, mlir::tile::AttendOp op);

  /// Page `pageIndex` of the rows' sequence joins what their scratch holds of a segment. `lastPage`
  /// is the last that any of the rows sees.
  void visit(const QueryRows &rows, Value pageIndex, Value lastPage);

  /// Query rows of a full tile.
  int64_t rowsOfTile();

  /// The token and the first column in the queries of row r.
  std::pair<Value, Value> placeOf(const QueryRows &rows, Value r);
  /// The position of row r, as an index.
  Value positionOf(const QueryRows &rows, Value r);
  /// What a row at `position` sees of `length` positions from `start` on.
  SeenRange seenBy(Value position, Value start, int64_t length);

  /// Columns of a row of the scratch: where each part begins.
  int64_t sums() const { return page; }                 // of values, of this segment
  int64_t joined() const { return page + stride; }      // of values, of the segments before
  int64_t query() const { return page + 2 * stride; }   // the row itself
  int64_t numbers() const { return page + 3 * stride; } // of the softmax
  enum Number { Max, Sum, Factor, JoinedMax, JoinedSum };

  /// An element, or 16, of row r.
  Value load(Value r, Value column) { return e.load(op.getScratch(), {r, column}); }
  Value load(Value r, Number number) { return load(r, e.index(numbers() + number)); }
  void store(Value value, Value r, Number number);
  Value loadLanes(Value r, Value column) { return e.loadLanes(op.getScratch(), {r, column}); }
  void storeLanes(Value v, Value r, Value column) { e.storeLanes(v, op.getScratch(), {r, column}); }

private:
  using Tile = llvm::function_ref<void(Value r, int64_t size)>;
  void tiles(Value count, Tile body);

  /// A tile's share of the next page, fetched while this one is worked on: one place further each
  /// turn of a loop.
  struct Ahead {
    Value start; // an element of the pool
    Value step;  // elements a turn
  };
  Ahead sliceAhead(const QueryRows &rows, Value r, int64_t size, Value part, int64_t elements,
                   int64_t chunks);
  void fetch(const Ahead &ahead, Value turn, int64_t chunks);

  void emitScores(const QueryRows &rows, Value r, int64_t size, Value base, Value next,
                  Value firstPosition);
  void maskScores(Value r, SeenRange seen, SeenRange range);
  void emitSoftmax(const QueryRows &rows, Value base, Value firstPosition);
  /// The scores of some rows join those before: in `range`, what any of them sees of the page.
  void joinScores(llvm::ArrayRef<Value> rows, SeenRange range, Value base);
  void emitValues(const QueryRows &rows, Value r, int64_t size, Value base, Value next,
                  Value firstPosition);
  /// Rows r … r + size - 1 and some chunks of their values from `column` on.
  struct ValueTile {
    Value r;
    int64_t size;
    Value column;
    int64_t chunks;
    Value base;
    Ahead ahead;
    Value turn; // of `ahead` at the first position
  };
  llvm::SmallVector<Value> addValues(const ValueTile &tile, SeenRange range,
                                     llvm::ArrayRef<SeenRange> seen, ValueRange sums);

  int64_t chunksAtOnce(int64_t size);

  Emitter &e;
  mlir::tile::AttendOp op;
  mlir::tile::KvLayoutAttr layout;
  int64_t headDim, page, stride, group;
  bool oneToken; // whether all rows are of one token
};

} // namespace moire::cpu

#endif
