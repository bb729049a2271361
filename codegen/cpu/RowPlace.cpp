#include "codegen/cpu/RowPlace.h"

#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

RowPlace RowPlace::of(Emitter &e, Value row, bool fours) {
  if (!fours)
    return {row};
  Value lane = e.rem(row, e.index(kFour));
  return {e.sub(row, lane), lane};
}

SmallVector<RowPlace, 8> RowPlace::ofTile(Emitter &e, ArrayRef<Value> rows, bool fours,
                                          int64_t unit) {
  if (!fours)
    return llvm::map_to_vector<8>(rows, [](Value row) { return RowPlace{row}; });
  SmallVector<RowPlace, 8> places;
  for (size_t first = 0; first < rows.size(); first += unit) {
    RowPlace begin = unit == kFour ? RowPlace{rows[first], e.index(0)} : of(e, rows[first], fours);
    for (size_t i = 0; i < std::min<size_t>(unit, rows.size() - first); ++i)
      places.push_back({begin.first, begin.lane, int64_t(i)});
  }
  return places;
}

// The last index runs through all that a four has, beyond what the buffer's type says of one row.
RowPlace::Indices RowPlace::values(Emitter &e, Value column) const {
  if (!lane)
    return {first, column};
  Value lanes = e.mulConst(e.add(column, lane), kFour);
  return {first, e.addConst(lanes, kFour * further)};
}

RowPlace::Indices RowPlace::scale(Emitter &e, int64_t which, Value block) const {
  if (!lane)
    return {first, e.index(which), block};
  constexpr int64_t numbers = tile::QuantizedRows::kScales;
  Value place = e.addConst(e.mulConst(block, numbers * kFour), which * kFour);
  return {first, e.index(0), e.addConst(e.add(place, lane), further)};
}

RowPlace::Indices RowPlace::sums(Emitter &e, Value word) const {
  if (!lane)
    return {first, word};
  return {first, e.addConst(e.add(e.mulConst(word, kFour), lane), further)};
}

void chooseFours(Emitter &e, Value rows, std::optional<int64_t> fours,
                 llvm::function_ref<void(bool)> body) {
  if (!fours || *fours == 0)
    return body(fours.has_value());
  Value isMore =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ugt, rows, e.index(*fours));
  e.branch(isMore, [&] { body(true); }, [&] { body(false); });
}

} // namespace moire::cpu
