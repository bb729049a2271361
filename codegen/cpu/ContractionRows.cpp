// How rows and panels come together: one or two rows with packed panels side by side, a few in
// tiles with packed panels, many in tiles with panels that are unpacked for them.

#include "codegen/cpu/Contraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <numeric>

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
  return in.sharing ? std::max<int64_t>(in.sharing.getStreams() / rows, 1) : 1;
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
    e.tiles(from, to, least, tiling, [&](ArrayRef<Value> places, Value number) {
      Value isFirst =
          arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, number, e.index(0));
      auto rows = fewPlaces(llvm::map_to_vector(places, rowOf));
      for (auto [place, y] : llvm::zip(places, products(panel, rows, isFirst)))
        write(place, panel, y);
    });
  });
}

void Contraction::unpackedBlocks(Value firstPanel, Value lastPanel, Value from, Value to,
                                 llvm::function_ref<Value(Value)> rowOf,
                                 llvm::function_ref<void(Value, Value, Value)> write) {
  int64_t block = in.blocking.getBlock();
  Value count = e.div(e.addConst(e.sub(to, from), block - 1), e.index(block));
  auto allRows = [&](ArrayRef<Value> panels) {
    e.loop(e.index(0), count, 1, [&](Value number) {
      auto [first, last] = e.evenPart(from, to, number, count, in.fours ? kFour : 1);
      auto some = layout.whole ? &Contraction::blockOfRows : &Contraction::blockByChunks;
      (this->*some)(panels, first, e.min(last, to), rowOf,
                    [&](Value place, size_t i, Value y) { write(place, panels[i], y); });
    });
  };
  if (int64_t together = panelsOfTile(); together > 1) {
    Value all = e.div(e.sub(lastPanel, firstPanel), e.index(together));
    Value rest = e.add(firstPanel, e.mulConst(all, together));
    e.loop(firstPanel, rest, together,
           [&](Value panel) { allRows(e.consecutive(panel, together)); });
    firstPanel = rest;
  }
  e.loop(firstPanel, lastPanel, 1, [&](Value panel) { allRows(panel); });
}

void Contraction::eachGroup(ArrayRef<Source> sources,
                            llvm::function_ref<void(ArrayRef<Source>, size_t)> body) const {
  size_t together = in.blocking.getPanels();
  for (size_t first = 0; first < sources.size(); first += together)
    body(sources.slice(first, std::min(together, sources.size() - first)), first);
}

// Unpacking waits for memory and multiplying does not: so each tile asks for two lines of every
// block of what is unpacked next, `distance` bytes further. With few rows this is what both
// together cost.
SmallVector<Contraction::Ahead, 2> Contraction::ahead(ArrayRef<Source> sources, Value distance,
                                                      Value tile) {
  constexpr int64_t lines = 2;
  return llvm::map_to_vector<2>(sources, [&](Source source) -> Ahead {
    PanelReader packed = reader(source.panel, source.part);
    Value last = e.index(std::max<int64_t>(packed.linesPerBlock() - lines, 0));
    Value line = e.min(e.mulConst(tile, lines), last);
    return {packed, e.add(e.div(distance, e.index(kPanelRows * 4)), line), lines};
  });
}

// Behind the last chunk of some panels, which are neighbours, comes the first of as many others.
Value Contraction::nextChunk(Value first, int64_t panels) {
  const int64_t columns = in.blocking.getColumns(), chunks = llvm::divideCeil(in.k, columns);
  const int64_t bytes = panelBytes(in.format, in.k) * columns / in.k;
  Value isLast = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, first,
                                       e.index((chunks - 1) * columns));
  return arith::SelectOp::create(
      e.b, e.loc, isLast, e.index(bytesOfPanels(panels) - (chunks - 1) * bytes), e.index(bytes));
}

Emitter::Tiling Contraction::blockTiling() const {
  int64_t rows = in.blocking.getRows();
  return {rows, in.fours ? std::gcd(rows, kFour) : 1, /*exact=*/false};
}

// Rows of a block: more than go direct, or at least half of a whole one.
static int64_t leastOfBlock(tile::BlockingAttr blocking) {
  return std::min(blocking.getDirect() + 1, (blocking.getBlock() + 1) / 2);
}

void Contraction::blockOfRows(ArrayRef<Value> panels, Value from, Value to,
                              llvm::function_ref<Value(Value)> rowOf, WriteOfBlock write) {
  Value zero = e.index(0), k = e.index(in.k);
  const Emitter::Tiling tiling = blockTiling();
  const SmallVector<Source> sources = sourcesOf(panels);
  SmallVector<PanelChunk, 2> chunks;
  for (auto [i, source] : llvm::enumerate(sources)) {
    chunks.emplace_back(e, reader(source.panel, source.part), in.format, kind, in.strip, layout, i,
                        zero);
    chunks.back().unpack(k);
  }
  e.tiles(from, to, leastOfBlock(in.blocking), tiling, [&](ArrayRef<Value> places, Value number) {
    auto rows =
        RowPlace::ofTile(e, llvm::map_to_vector(places, rowOf), in.fours.has_value(), tiling.unit);
    Values results;
    eachGroup(sources, [&](ArrayRef<Source> some, size_t first) {
      results.append(multiply(MutableArrayRef(chunks).slice(first, some.size()), rows,
                              zeros(some.size() * rows.size()), zero, k,
                              ahead(some, e.index(bytesOfPanels(sources.size())), number)));
    });
    size_t count = panels.size() * rows.size();
    if (in.parts == 2)
      join(results, Values(results.begin() + count, results.end()));
    for (size_t i = 0; i < rows.size(); ++i) {
      auto writeRow = [&] {
        for (size_t panel = 0; panel < panels.size(); ++panel)
          write(places[i], panel, results[panel * rows.size() + i]);
      };
      if (i + tiling.unit <= rows.size()) {
        writeRow();
        continue;
      }
      // The last unit of a tile may reach behind the last row.
      e.branch(arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, places[i], to),
               writeRow);
    }
  });
}

// Sums of the chunks before wait in the strip.
void Contraction::blockByChunks(ArrayRef<Value> panels, Value from, Value to,
                                llvm::function_ref<Value(Value)> rowOf, WriteOfBlock write) {
  Value zero = e.index(0), k = e.index(in.k);
  const Emitter::Tiling tiling = blockTiling();
  const SmallVector<Source> sources = sourcesOf(panels);
  auto sumAt = [&](size_t source, Value place) {
    Value row = e.addConst(e.sub(place, from), source * in.blocking.getBlock());
    return e.addConst(e.mulConst(row, kPanelRows * 4), layout.sums);
  };
  auto loadSum = [&](size_t source, Value place) {
    return e.loadBytes(in.strip, sumAt(source, place), kPanelRows, e.f32());
  };
  eachGroup(sources, [&](ArrayRef<Source> some, size_t firstSource) {
    e.loop(zero, k, in.blocking.getColumns(), [&](Value first) {
      Value last = e.min(e.addConst(first, in.blocking.getColumns()), k);
      SmallVector<PanelChunk, 2> chunks;
      for (auto [i, source] : llvm::enumerate(some)) {
        chunks.emplace_back(e, reader(source.panel, source.part), in.format, kind, in.strip, layout,
                            i, first);
        chunks.back().unpack(last);
      }
      Value isFirst = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, first, zero);
      Value next = nextChunk(first, some.size());
      e.tiles(from, to, leastOfBlock(in.blocking), tiling,
              [&](ArrayRef<Value> places, Value number) {
                auto rows = RowPlace::ofTile(e, llvm::map_to_vector(places, rowOf),
                                             in.fours.has_value(), tiling.unit);
                Values init;
                for (size_t i = 0; i < some.size(); ++i)
                  for (Value place : places)
                    init.push_back(arith::SelectOp::create(e.b, e.loc, isFirst,
                                                           e.constant(e.f32x16(), 0),
                                                           loadSum(firstSource + i, place)));
                Values sums = multiply(chunks, rows, init, first, last, ahead(some, next, number));
                for (auto [i, sum] : llvm::enumerate(sums))
                  e.storeBytes(sum, in.strip,
                               sumAt(firstSource + i / places.size(), places[i % places.size()]));
              });
    });
  });
  e.loop(from, to, 1, [&](Value place) {
    Values sums;
    for (size_t source = 0; source < sources.size(); ++source)
      sums.push_back(loadSum(source, place));
    if (in.parts == 2)
      join(sums, Values(sums.begin() + panels.size(), sums.end()));
    for (size_t panel = 0; panel < panels.size(); ++panel)
      write(place, panel, sums[panel]);
  });
}

} // namespace moire::cpu
