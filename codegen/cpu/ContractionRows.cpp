// How rows and panels come together: one or two rows with packed panels side by side, a few in
// tiles with packed panels, many in tiles with panels that are unpacked for them.

#include "codegen/cpu/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

void Contraction::fewRows(Value from, Value to, Rows rows,
                          llvm::function_ref<void(size_t, Value, Value)> write) {
  sideBySide(from, to, rows.size(), [&](ArrayRef<Value> panels) {
    for (auto [i, y] : llvm::enumerate(products(panels, rows)))
      write(i % rows.size(), panels[i / rows.size()], y);
  });
}

int64_t Contraction::panelsTogether(int64_t rows) const {
  int64_t streams = in.sharing ? in.sharing.getStreams() : 1;
  return std::max<int64_t>(streams / (in.parts * rows), 1);
}

void Contraction::sideBySide(Value from, Value to, int64_t rows,
                             llvm::function_ref<void(ArrayRef<Value>)> body) {
  int64_t together = panelsTogether(rows);
  if (together > 1) {
    // Each stream goes through neighbouring panels.
    Value length = e.div(e.sub(to, from), e.index(together));
    e.loop(from, e.add(from, length), 1, [&](Value first) {
      Values panels = {first};
      while (int64_t(panels.size()) < together)
        panels.push_back(e.add(panels.back(), length));
      body(panels);
    });
    from = e.add(from, e.mulConst(length, together));
  }
  e.loop(from, to, 1, [&](Value panel) { body(panel); });
}

SmallVector<RowPlace, 8> Contraction::fewPlaces(ArrayRef<Value> rows) {
  if (in.fours != 0 || in.beginFour)
    return RowPlace::ofTile(e, rows, in.fours == 0);
  SmallVector<RowPlace, 8> places;
  for (Value row : rows)
    places.push_back(RowPlace::of(e, row, /*fours=*/true));
  return places;
}

void Contraction::manyRows(Value firstPanel, Value lastPanel, Value from, Value to,
                           llvm::function_ref<Value(Value)> rowOf,
                           llvm::function_ref<void(Value, Value, Value)> write) {
  Value count = e.sub(to, from);
  auto severalPanels = [&](int64_t rows) {
    Values places = e.consecutive(from, rows);
    fewRows(firstPanel, lastPanel, fewPlaces(llvm::map_to_vector(places, rowOf)),
            [&](size_t i, Value panel, Value y) { write(places[i], panel, y); });
  };
  int64_t few = 0; // rows for which there is more than one panel side by side
  while (few < in.blocking.getTogether() && panelsTogether(few + 1) > 1)
    ++few;
  e.choose(count, 1, few, severalPanels, [&] {
    Value isDirect = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ule, count,
                                           e.index(in.blocking.getDirect()));
    e.branch(
        isDirect, [&] { directTiles(firstPanel, lastPanel, from, to, few + 1, rowOf, write); },
        [&] { unpackedBlocks(firstPanel, lastPanel, from, to, rowOf, write); });
  });
}

void Contraction::directTiles(Value firstPanel, Value lastPanel, Value from, Value to,
                              int64_t least, llvm::function_ref<Value(Value)> rowOf,
                              llvm::function_ref<void(Value, Value, Value)> write) {
  const bool wholeFours = in.fours == 0 && in.beginFour;
  const Emitter::Tiling tiling = {in.blocking.getTogether(), wholeFours ? kFour : 1};
  e.loop(firstPanel, lastPanel, 1, [&](Value panel) {
    e.tiles(from, to, least, tiling, [&](ArrayRef<Value> places, Value) {
      auto rows = fewPlaces(llvm::map_to_vector(places, rowOf));
      for (auto [place, y] : llvm::zip(places, products(panel, rows)))
        write(place, panel, y);
    });
  });
}

void Contraction::unpackedBlocks(Value firstPanel, Value lastPanel, Value from, Value to,
                                 llvm::function_ref<Value(Value)> rowOf,
                                 llvm::function_ref<void(Value, Value, Value)> write) {
  int64_t block = in.blocking.getBlock();
  Value count = e.div(e.addConst(e.sub(to, from), block - 1), e.index(block));
  e.loop(firstPanel, lastPanel, 1, [&](Value panel) {
    e.loop(e.index(0), count, 1, [&](Value number) {
      auto [first, last] = e.evenPart(from, to, number, count, in.fours ? kFour : 1);
      blockOfRows(panel, first, e.min(last, to), rowOf,
                  [&](Value place, Value y) { write(place, panel, y); });
    });
  });
}

// Unpacking waits for memory and multiplying does not: so each tile asks for two lines of every
// block of the panel that is unpacked next. With few rows this is what both together cost.
Contraction::Ahead Contraction::ahead(Value panel, int64_t part, Value tile) {
  constexpr int64_t lines = 2;
  PanelReader next = reader(e.addConst(panel, 1), part);
  Value last = e.index(std::max<int64_t>(next.linesPerBlock() - lines, 0));
  return {next, e.min(e.mulConst(tile, lines), last), lines};
}

void Contraction::blockOfRows(Value panel, Value from, Value to,
                              llvm::function_ref<Value(Value)> rowOf,
                              llvm::function_ref<void(Value, Value)> write) {
  Value zero = e.index(0), k = e.index(in.k);
  const Emitter::Tiling tiling = {in.blocking.getRows(), in.fours ? kFour : 1, /*exact=*/false};
  auto placesOf = [&](ArrayRef<Value> places) {
    return RowPlace::ofTile(e, llvm::map_to_vector(places, rowOf), in.fours.has_value());
  };
  // Rows of a block: more than go direct, or at least half of a whole one.
  int64_t least = std::min(in.blocking.getDirect() + 1, (in.blocking.getBlock() + 1) / 2);
  if (layout.whole) {
    SmallVector<PanelChunk, 2> chunks;
    for (int64_t part = 0; part < in.parts; ++part) {
      chunks.push_back(chunk(panel, part, zero));
      chunks.back().unpack(k);
    }
    e.tiles(from, to, least, tiling, [&](ArrayRef<Value> places, Value number) {
      auto rows = placesOf(places);
      Values results;
      for (auto [part, weights] : llvm::enumerate(chunks)) {
        Ahead next = ahead(panel, part, number);
        Values sums = multiply(weights, rows, zeros(rows.size()), zero, k, next);
        part ? join(results, sums) : void(results = sums);
      }
      for (auto [i, y] : llvm::enumerate(results)) {
        auto writeRow = [&, place = places[i], y = y] { write(place, y); };
        if (i + tiling.unit <= results.size()) {
          writeRow();
          continue;
        }
        // The last unit of a tile may reach behind the last row.
        e.branch(arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, places[i], to),
                 writeRow);
      }
    });
    return;
  }
  // Chunk by chunk; the sums wait in the strip.
  auto sumAt = [&](int64_t part, Value place) {
    Value row = e.addConst(e.sub(place, from), part * in.blocking.getBlock());
    return e.addConst(e.mulConst(row, kPanelRows * 4), layout.sums);
  };
  auto loadSum = [&](int64_t part, Value place) {
    return e.loadBytes(in.strip, sumAt(part, place), kPanelRows, e.f32());
  };
  for (int64_t part = 0; part < in.parts; ++part)
    e.loop(zero, k, in.blocking.getColumns(), [&](Value first) {
      Value last = e.min(e.addConst(first, in.blocking.getColumns()), k);
      PanelChunk weights = chunk(panel, part, first);
      weights.unpack(last);
      Value isFirst = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, first, zero);
      e.tiles(from, to, least, tiling, [&](ArrayRef<Value> places, Value number) {
        Ahead next = ahead(panel, part, number);
        Values init;
        for (Value place : places)
          init.push_back(arith::SelectOp::create(e.b, e.loc, isFirst, e.constant(e.f32x16(), 0),
                                                 loadSum(part, place)));
        for (auto [place, sum] :
             llvm::zip(places, multiply(weights, placesOf(places), init, first, last, next)))
          e.storeBytes(sum, in.strip, sumAt(part, place));
      });
    });
  e.loop(from, to, 1, [&](Value place) {
    Values sum = {loadSum(0, place)};
    if (in.parts == 2)
      join(sum, {loadSum(1, place)});
    write(place, sum[0]);
  });
}

} // namespace moire::cpu
