#include "codegen/cpu/Contraction.h"

#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

Contraction::Contraction(Emitter &e, const Operands &operands)
    : e(e), in(operands), info(panelInfo(in.format)),
      kind(in.x.size() == 3                ? tile::RowKind::Quantized
           : in.instruction == "vdpbf16ps" ? tile::RowKind::Pairs
                                           : tile::RowKind::Floats) {
  if (kind == tile::RowKind::Pairs)
    dot = DotInstruction::get(in.instruction, 16);
  if (kind == tile::RowKind::Quantized) {
    dot = DotInstruction::get(in.instruction, info.dotBits());
    int64_t blocks = cast<MemRefType>(in.x[1].getType()).getDimSize(2);
    auto form = *tile::QuantizedRows::ofBlocks(in.k, blocks);
    blockColumns = form.columns, sumFactor = form.sumFactor();
  }
  if (in.blocking)
    layout = tile::StripLayout::of(in.format, kind, in.k, in.parts, in.blocking);
}

PanelReader Contraction::reader(Value panel, int64_t part) {
  Value number = e.addConst(e.mulConst(panel, in.parts), part);
  return PanelReader(e, in.format, in.weight, number, in.k, in.origin);
}

// All gates, then as many ups.
SmallVector<Contraction::Source> Contraction::sourcesOf(ArrayRef<Value> panels) const {
  SmallVector<Source> sources;
  for (int64_t part = 0; part < in.parts; ++part)
    for (Value panel : panels)
      sources.push_back({panel, part});
  return sources;
}

Contraction::Values Contraction::zeros(size_t count) {
  return Values(count, e.constant(e.f32x16(), 0));
}

void Contraction::join(Values &gates, const Values &ups) {
  for (auto [gate, up] : llvm::zip(gates, ups))
    gate = e.mul(emitSilu(e, gate), up);
}

// Gate's panel, then up's: so they lie, and memory gives one long stream more than two short ones.
Contraction::Values Contraction::products(ArrayRef<Value> panels, Rows rows, Value isFirst) {
  const SmallVector<Source> sources = sourcesOf(panels);
  const size_t count = panels.size() * rows.size();
  Values results;
  for (size_t first = 0; first < sources.size(); first += panels.size()) {
    SmallVector<PanelChunk> weights;
    SmallVector<Ahead> ahead;
    for (const Source &source : ArrayRef(sources).slice(first, panels.size())) {
      weights.emplace_back(e, reader(source.panel, source.part), in.format);
      if (std::optional<Ahead> some = aheadOf(source, panels.size(), rows.size(), isFirst))
        ahead.push_back(*some);
    }
    results.append(multiply(weights, rows, zeros(count), e.index(0), e.index(in.k), ahead));
  }
  if (in.parts == 2)
    join(results, Values(results.begin() + count, results.end()));
  results.truncate(count);
  return results;
}

// The first rows that come to a panel take what memory gives, and ask for what they come to soon.
// Others leave it idle: they ask for the next panel, which takes the place of what they are done
// with.
std::optional<Contraction::Ahead> Contraction::aheadOf(const Source &source, size_t panels,
                                                       size_t rows, Value isFirst) {
  constexpr int64_t kLine = kPanelRows * 4;
  PanelReader packed = reader(source.panel, source.part);
  const int64_t lines = packed.linesPerBlock(), bytes = in.sharing ? in.sharing.getAhead() : 0;
  if (bytes) {
    Value distance = e.index((rows == 1 ? bytes : bytes * kAheadOfSeveral) / panels / kLine);
    if (isFirst)
      distance = arith::SelectOp::create(e.b, e.loc, isFirst, distance,
                                         e.index(bytesOfPanels(in.parts) / kLine));
    return Ahead{packed, distance, lines, /*isNear=*/true};
  }
  if (rows == 1)
    return std::nullopt;
  return Ahead{reader(e.addConst(source.panel, 1), source.part), e.index(0), lines};
}

Contraction::Values Contraction::multiply(MutableArrayRef<PanelChunk> weights, Rows rows,
                                          ValueRange init, Value from, Value to,
                                          ArrayRef<Ahead> ahead) {
  switch (kind) {
  case tile::RowKind::Quantized:
    return multiplyIntegers(weights, rows, init, from, to, ahead);
  case tile::RowKind::Pairs:
    return multiplyPairs(weights, rows, init, from, to);
  case tile::RowKind::Floats:
    return multiplyFloats(weights, rows, init, from, to);
  }
  llvm_unreachable("a kind of rows without a product");
}

// The accumulators after a step: those of each panel, which `step` makes from those before.
static Contraction::Values
eachPanel(MutableArrayRef<PanelChunk> weights, size_t rows, ValueRange acc,
          llvm::function_ref<Contraction::Values(size_t, ValueRange)> step) {
  Contraction::Values next;
  for (size_t i = 0; i < weights.size(); ++i)
    next.append(step(i, acc.slice(i * rows, rows)));
  return next;
}

//===- int8 activations -----------------------------------------------------------------------===//

Contraction::Values Contraction::multiplyIntegers(MutableArrayRef<PanelChunk> weights, Rows rows,
                                                  ValueRange init, Value from, Value to,
                                                  ArrayRef<Ahead> ahead) {
  Value width = e.index(blockColumns), whole = e.div(to, width);
  // One row, or two, have nothing to gain from what panels share, and need fewer registers so.
  size_t together = rows.size() > 2 ? weights.size() : 1;
  auto blocks = [&](Value from, Value to, int64_t columns, ValueRange init) {
    return e.fold(from, to, 1, init, [&](Value block, ValueRange acc) {
      Values next;
      for (size_t first = 0; first < weights.size(); first += together) {
        for (const Ahead &line : ahead.empty() ? ahead : ahead.slice(first, together))
          prefetch(line, block, columns);
        next.append(multiplyBlock(weights.slice(first, together), rows, block, columns,
                                  acc.slice(first * rows.size(), together * rows.size())));
      }
      return next;
    });
  };
  Values sums = blocks(e.div(from, width), whole, blockColumns, init);
  int64_t rest = in.k % blockColumns;
  if (!rest)
    return sums;
  // The last block is short; these columns may end before it.
  return blocks(whole, e.div(e.addConst(to, blockColumns - 1), width), rest, sums);
}

void Contraction::prefetch(const Ahead &ahead, Value block, int64_t columns) {
  for (int64_t first = 0; first < columns; first += 32) {
    Value lines = e.addConst(e.mulConst(block, blockColumns / 32), first / 32);
    for (int64_t i = 0; i < ahead.lines; ++i)
      ahead.panel.prefetchLine(lines, e.addConst(ahead.firstLine, i), ahead.isNear);
  }
}

Contraction::Values Contraction::multiplyBlock(Panels weights, Rows rows, Value block,
                                               int64_t columns, ValueRange init) {
  int64_t count = weights[0].scalesPerBlock(), groups = columns / 4 / count;
  Values next = llvm::to_vector(init);
  for (int64_t which = 0; which < count; ++which) {
    Values dots = dotProducts(weights, rows, block, which * groups, groups);
    for (size_t i = 0; i < dots.size(); ++i) {
      const RowPlace &row = rows[i % rows.size()];
      PanelChunk &panel = weights[i / rows.size()];
      Value scale = panel.scales(block, which, blockColumns);
      Value sum = arith::SIToFPOp::create(e.b, e.loc, e.f32x16(), dots[i]);
      Value d = e.load(in.x[1], row.scale(e, 0, block));
      if (subtractsBehind()) {
        Value less = e.load(in.x[1], row.scale(e, 2, block));
        next[i] = e.fma(scale, e.fma(sum, e.splat(d), e.splat(less)), next[i]);
        continue;
      }
      next[i] = e.fma(e.mul(scale, e.splat(d)), sum, next[i]);
      Value minimum = panel.minima(block, which, blockColumns);
      if (!minimum)
        continue;
      Value total = e.load(in.x[1], row.scale(e, 1, block));
      if (count > 1)
        total = e.mul(d, activationSum(row, block, which * groups, groups));
      next[i] = e.fma(minimum, e.splat(total), next[i]);
    }
  }
  return next;
}

// The integer sums of `groups` groups of 4 columns of a block from `first` on, which share a scale,
// <16 x i32> for each row: those with the first panel, then with the next one.
Contraction::Values Contraction::dotProducts(Panels weights, Rows rows, Value block, int64_t first,
                                             int64_t groups) {
  Starts ofRows(rows.size()), starts;
  if (int64_t shift = info.zero + dot->shift(); shift && !subtractsBehind())
    for (auto [row, start] : llvm::zip(rows, ofRows))
      start = dot->correction(e, sumWords(row, block, first, groups), sumFactor, shift, groups);
  for (size_t panel = 0; panel < weights.size(); ++panel)
    starts.append(ofRows);
  // Sums that begin with 16 bits of correction stay in 16 bits for all columns that it is about.
  int64_t run = starts[0].narrow ? groups : std::min(dot->steps(), groups);
  Values results;
  for (int64_t group = first; group < first + groups; group += run) {
    results = runOfSteps(weights, rows, block, group, run, starts);
    for (auto [start, result] : llvm::zip(starts, results))
      start = {result, {}};
  }
  return results;
}

// Adds the products of `count` groups of 4 columns from group `first` of a block on. For several
// rows as a loop over as many groups as the instruction allows.
Contraction::Values Contraction::runOfSteps(Panels weights, Rows rows, Value block, int64_t first,
                                            int64_t count, ArrayRef<DotInstruction::Start> starts) {
  SmallVector<DotInstruction::Values> sums;
  for (const DotInstruction::Start &start : starts)
    sums.push_back(dot->begin(e, start));
  auto step = [&](llvm::function_ref<Value(PanelChunk &)> line, Value column) {
    SmallVector<DotInstruction::Values> prepared;
    for (PanelChunk &panel : weights)
      prepared.push_back(dot->prepare(e, line(panel)));
    for (auto [i, row] : llvm::enumerate(rows)) {
      Value four = e.loadBytes(in.x[0], row.values(e, column), 1, e.b.getI32Type());
      four = vector::ExtractOp::create(e.b, e.loc, four, ArrayRef<int64_t>{0});
      for (size_t panel = 0; panel < weights.size(); ++panel) {
        DotInstruction::Values &sum = sums[panel * rows.size() + i];
        sum = dot->step(e, sum, prepared[panel], four);
      }
    }
  };
  if (rows.size() > 1 && weights[0].hasLoops()) {
    auto flatten = [&] {
      Values all;
      for (auto &sum : sums)
        all.append(sum.begin(), sum.end());
      return all;
    };
    auto unflatten = [&](ValueRange values) {
      for (auto &sum : sums) {
        sum.assign(values.begin(), values.begin() + sum.size());
        values = values.drop_front(sum.size());
      }
    };
    int64_t together = std::min(dot->linesTogether(), count);
    auto severalSteps = [&](Value pair) {
      for (int64_t i = 0; i < together; ++i)
        step(
            [&](PanelChunk &panel) {
              return panel.pairOfQuants(e.addConst(pair, i / 2), i % 2, block, blockColumns);
            },
            e.addConst(e.mulConst(pair, 8), 4 * i));
    };
    Value begin = e.addConst(e.mulConst(block, blockColumns / 8), first / 2),
          end = e.addConst(begin, count / 2);
    // In front of the loop the first products need no addition. (What is left remains a loop.)
    if (dot->beginsWithZero(starts[0]) && count > 2 * together) {
      severalSteps(begin);
      begin = e.addConst(begin, together / 2);
    }
    unflatten(e.fold(begin, end, together / 2, flatten(), [&](Value pair, ValueRange acc) {
      unflatten(acc);
      severalSteps(pair);
      return flatten();
    }));
  } else {
    for (int64_t group = first; group < first + count; ++group) {
      Value quants = e.addConst(e.mulConst(block, blockColumns / 32), group / 8);
      step([&](PanelChunk &panel) { return panel.quants(quants, group % 8); },
           e.addConst(e.mulConst(block, blockColumns), 4 * group));
    }
  }
  Values results;
  for (auto [sum, start] : llvm::zip(sums, starts))
    results.push_back(dot->finish(e, sum, start));
  return results;
}

// One word has the sums of the block; a block of 32 has another for its second half.
Value Contraction::sumWords(const RowPlace &row, Value block, int64_t first, int64_t groups) {
  auto word = [&](int64_t i) -> Value {
    Value at = blockColumns > 32 ? block : e.addConst(e.mulConst(block, 2), i);
    Value all = e.splat(e.load(in.x[2], row.sums(e, at)), e.vec(kLanes, e.b.getI32Type()));
    return vector::BitCastOp::create(e.b, e.loc, e.vec(2 * kLanes, e.b.getI16Type()), all);
  };
  if (blockColumns > 32 || groups == 8)
    return word(0);
  return first ? word(1) : e.sub(word(0), word(1));
}

Value Contraction::activationSum(const RowPlace &row, Value block, int64_t first, int64_t groups) {
  Value words = sumWords(row, block, first, groups);
  auto half = [&](int64_t i) -> Value {
    Value sum = vector::ExtractOp::create(e.b, e.loc, words, ArrayRef<int64_t>{i});
    return arith::ExtSIOp::create(e.b, e.loc, e.b.getI32Type(), sum);
  };
  Value sum = arith::SIToFPOp::create(e.b, e.loc, e.f32(), e.add(half(0), half(1)));
  return e.mul(sum, e.constant(e.f32(), -1.0 / static_cast<double>(sumFactor)));
}

//===- f32 activations ------------------------------------------------------------------------===//

Contraction::Values Contraction::multiplyAdd(Value weights, Rows rows, Value column,
                                             ValueRange acc) {
  Values next;
  for (auto [i, row] : llvm::enumerate(rows))
    next.push_back(e.fma(weights, e.splat(e.load(in.x[0], {row.first, column})), acc[i]));
  return next;
}

Contraction::Values Contraction::multiplyFloats(MutableArrayRef<PanelChunk> weights, Rows rows,
                                                ValueRange init, Value from, Value to) {
  if (weights[0].hasColumns())
    return accumulate(from, to, in.k, init, [&](Value k, ValueRange acc) {
      return eachPanel(weights, rows.size(), acc, [&](size_t panel, ValueRange acc) {
        return multiplyAdd(weights[panel].column(k), rows, k, acc);
      });
    });
  Value width = e.index(32);
  return e.fold(e.div(from, width), e.div(to, width), 1, init, [&](Value block, ValueRange acc) {
    return eachPanel(weights, rows.size(), acc, [&](size_t panel, ValueRange acc) {
      Values next = llvm::to_vector(acc);
      weights[panel].dequantizeBlock(block, [&](int64_t i, Value w) {
        next = multiplyAdd(w, rows, e.addConst(e.mulConst(block, 32), i), next);
      });
      return next;
    });
  });
}

Contraction::Values Contraction::accumulate(Value from, Value to, int64_t count, ValueRange init,
                                            llvm::function_ref<Values(Value, ValueRange)> step) {
  int64_t tail = count % kFloatUnroll;
  Value whole = e.min(to, e.index(count - tail));
  Values acc = e.fold(from, whole, kFloatUnroll, init, [&](Value first, ValueRange before) {
    Values next = llvm::to_vector(before);
    for (int64_t i = 0; i < kFloatUnroll; ++i)
      next = step(e.addConst(first, i), next);
    return next;
  });
  return tail ? e.fold(whole, to, 1, acc, step) : acc;
}

//===- Pairs of bf16 --------------------------------------------------------------------------===//

Contraction::Values Contraction::multiplyPairs(MutableArrayRef<PanelChunk> weights, Rows rows,
                                               ValueRange init, Value from, Value to) {
  auto pairs = [&](Value columns) { return e.div(e.addConst(columns, 1), e.index(2)); };
  return accumulate(pairs(from), pairs(to), (in.k + 1) / 2, init, [&](Value pair, ValueRange acc) {
    return eachPanel(weights, rows.size(), acc, [&](size_t panel, ValueRange acc) {
      auto prepared = dot->prepare(e, weights[panel].pair(pair));
      Values next;
      for (auto [i, row] : llvm::enumerate(rows))
        next.push_back(dot->step(e, {acc[i]}, prepared, e.load(in.x[0], {row.first, pair}))[0]);
      return next;
    });
  });
}

//===- Columns --------------------------------------------------------------------------------===//

void emitWritePanel(Emitter &e, Value y, Value out, Value row, Value panel, int64_t panels,
                    bool accumulate) {
  Value column = e.mulConst(panel, kPanelRows);
  auto write = [&](int64_t lanes) {
    Value sum = accumulate ? e.add(e.loadLanes(out, {row, column}, lanes), y) : y;
    e.storeLanes(sum, out, {row, column}, lanes);
  };
  // Buffers of the arena are padded to whole panels; the host's are not.
  int64_t tail = cast<MemRefType>(out.getType()).getDimSize(1) - (panels - 1) * kPanelRows;
  if (tail >= kPanelRows)
    return write(kPanelRows);
  Value isLast =
      arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::eq, panel, e.index(panels - 1));
  e.branch(isLast, [&] { write(tail); }, [&] { write(kPanelRows); });
}

} // namespace moire::cpu
