#include "codegen/cpu/Contraction.h"

#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

Contraction::Contraction(Emitter &e, const Operands &operands)
    : e(e), in(operands), info(panelInfo(in.format)), quantized(in.x.size() == 3),
      pairs(in.instruction == "vdpbf16ps") {
  if (pairs)
    dot = DotInstruction::get(in.instruction, 16);
  if (quantized)
    dot = DotInstruction::get(in.instruction, info.dotBits());
}

PanelReader Contraction::reader(Value panel, int64_t part) {
  Value number = e.addConst(e.mulConst(panel, in.parts), part);
  return PanelReader(e, in.format, in.weight, number, in.k, in.origin);
}

Contraction::Values Contraction::products(Value panel, ArrayRef<Value> rows, bool unpacked) {
  SmallVector<Values, 2> results;
  for (int64_t part = 0; part < in.parts; ++part)
    results.push_back(quantized ? integerProducts(panel, part, rows, unpacked)
                      : pairs   ? pairProducts(panel, part, rows)
                                : floatProducts(panel, part, rows, unpacked));
  if (in.parts == 2)
    for (auto [gate, up] : llvm::zip(results[0], results[1]))
      gate = e.mul(emitSilu(e, gate), up);
  return results[0];
}

//===- int8 activations -----------------------------------------------------------------------===//

// 64 weights (16 rows of 4) of columns 4 * group of a block.
Value Contraction::line(PanelReader &panel, int64_t part, Value block, int64_t group,
                        bool unpacked) {
  if (!unpacked || !needsUnpacking())
    return panel.quants(block, group);
  Value at = e.addConst(e.mulConst(block, 8 * 64), part * kPanelRows * in.k + group * 64);
  return e.loadBytes(in.strip, at, 64, e.b.getI8Type());
}

Contraction::Values Contraction::integerProducts(Value panel, int64_t part, ArrayRef<Value> rows,
                                                 bool unpacked) {
  PanelReader weights = reader(panel, part);
  int64_t count = weights.scalesPerBlock();
  Values zero(rows.size(), e.constant(e.f32x16(), 0));
  return e.fold(e.index(0), e.index(in.k / 32), 1, zero, [&](Value block, ValueRange acc) {
    Values next = llvm::to_vector(acc);
    for (int64_t which = 0; which < count; ++which) {
      SmallVector<DotInstruction::Values> dots;
      for (Value row : rows)
        dots.push_back(dot->begin(e, activationSum(row, block, count, which), info.zero));
      for (int64_t step = 0; step < 8 / count; ++step) {
        int64_t group = 8 / count * which + step;
        auto prepared = dot->prepare(e, line(weights, part, block, group, unpacked));
        Value column = e.addConst(e.mulConst(block, 32), 4 * group);
        for (auto [i, row] : llvm::enumerate(rows)) {
          Value four = e.loadBytes(in.x[0], {row, column}, 1, e.b.getI32Type());
          four = vector::ExtractOp::create(e.b, e.loc, four, ArrayRef<int64_t>{0});
          dots[i] = dot->step(e, dots[i], prepared, four, step);
        }
      }
      Value scale = weights.scales(block, which), minimum = weights.minima(block, which);
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value sum = arith::SIToFPOp::create(e.b, e.loc, e.f32x16(), dot->finish(e, dots[i]));
        Value d = e.load(in.x[1], {row, e.index(0), block});
        next[i] = e.fma(e.mul(scale, e.splat(d)), sum, next[i]);
        if (!minimum)
          continue;
        Value total = count == 1 ? e.load(in.x[1], {row, e.index(1), block})
                                 : scaledSum(d, activationSum(row, block, count, which));
        next[i] = e.fma(minimum, e.splat(total), next[i]);
      }
    }
    return next;
  });
}

// The sum of a block's activations, or of half of them.
Value Contraction::activationSum(Value row, Value block, int64_t count, int64_t which) {
  auto half = [&](int64_t i) {
    return e.load(in.x[2], {row, e.addConst(e.mulConst(block, 2), i)});
  };
  return count == 2 ? half(which) : e.add(half(0), half(1));
}

Value Contraction::scaledSum(Value scale, Value sum) {
  return e.mul(scale, arith::SIToFPOp::create(e.b, e.loc, e.f32(), sum));
}

//===- f32 activations ------------------------------------------------------------------------===//

Contraction::Values Contraction::multiplyAdd(Value weights, ArrayRef<Value> rows, Value column,
                                             ValueRange acc) {
  Values next;
  for (auto [i, row] : llvm::enumerate(rows))
    next.push_back(e.fma(weights, e.splat(e.load(in.x[0], {row, column})), acc[i]));
  return next;
}

Contraction::Values Contraction::floatProducts(Value panel, int64_t part, ArrayRef<Value> rows,
                                               bool unpacked) {
  PanelReader weights = reader(panel, part);
  if (info.isBlocked() && !unpacked) {
    Values zero(rows.size(), e.constant(e.f32x16(), 0));
    return e.fold(e.index(0), e.index(in.k / 32), 1, zero, [&](Value block, ValueRange acc) {
      Values next = llvm::to_vector(acc);
      weights.dequantizeBlock(block, [&](int64_t i, Value w) {
        next = multiplyAdd(w, rows, e.addConst(e.mulConst(block, 32), i), next);
      });
      return next;
    });
  }
  auto column = [&](Value at) {
    if (!unpacked || in.format == PanelFormat::F32)
      return weights.column(at);
    return e.loadLanes(in.strip, {e.addConst(at, part * in.k), e.index(0)});
  };
  auto step = [&](Value at, ValueRange acc) { return multiplyAdd(column(at), rows, at, acc); };
  return accumulate(in.k, rows.size(), step);
}

Contraction::Values Contraction::accumulate(int64_t count, int64_t accumulators,
                                            llvm::function_ref<Values(Value, ValueRange)> step) {
  Values zero(accumulators, e.constant(e.f32x16(), 0));
  int64_t unrolled = count / kFloatUnroll * kFloatUnroll;
  Values acc =
      e.fold(e.index(0), e.index(unrolled), kFloatUnroll, zero, [&](Value first, ValueRange init) {
        Values next = llvm::to_vector(init);
        for (int64_t i = 0; i < kFloatUnroll; ++i)
          next = step(e.addConst(first, i), next);
        return next;
      });
  for (int64_t i = unrolled; i < count; ++i)
    acc = step(e.index(i), acc);
  return acc;
}

//===- Pairs of bf16 --------------------------------------------------------------------------===//

Contraction::Values Contraction::pairProducts(Value panel, int64_t part, ArrayRef<Value> rows) {
  PanelReader weights = reader(panel, part);
  return accumulate((in.k + 1) / 2, rows.size(), [&](Value pair, ValueRange acc) {
    auto prepared = dot->prepare(e, weights.pair(pair));
    Values next;
    for (auto [i, row] : llvm::enumerate(rows))
      next.push_back(dot->step(e, {acc[i]}, prepared, e.load(in.x[0], {row, pair}), 0)[0]);
    return next;
  });
}

//===- Unpacking a panel once for many rows ---------------------------------------------------===//

bool Contraction::needsUnpacking() const {
  // Lines of bytes and of pairs and columns of f32 are used as they are.
  return !pairs && (quantized ? info.bits != 8 : in.format != PanelFormat::F32);
}

void Contraction::unpack(Value panel) {
  if (needsUnpacking())
    for (int64_t part = 0; part < in.parts; ++part)
      unpackPart(panel, part);
}

void Contraction::unpackPart(Value panel, int64_t part) {
  PanelReader weights = reader(panel, part);
  if (quantized) {
    e.loop(e.index(0), e.index(in.k / 32), 1, [&](Value block) {
      for (int64_t group = 0; group < 8; ++group) {
        Value at = e.addConst(e.mulConst(block, 8 * 64), part * kPanelRows * in.k + group * 64);
        vector::StoreOp::create(e.b, e.loc, weights.quants(block, group), in.strip, at);
      }
    });
    return;
  }
  auto write = [&](Value column, Value w) {
    e.storeLanes(w, in.strip, {e.addConst(column, part * in.k), e.index(0)});
  };
  if (!info.isBlocked()) {
    e.loop(e.index(0), e.index(in.k), 1, [&](Value at) { write(at, weights.column(at)); });
    return;
  }
  e.loop(e.index(0), e.index(in.k / 32), 1, [&](Value block) {
    weights.dequantizeBlock(
        block, [&](int64_t i, Value w) { write(e.addConst(e.mulConst(block, 32), i), w); });
  });
}

//===- Rows and columns -----------------------------------------------------------------------===//

void forRowTiles(Emitter &e, Value from, Value to, llvm::function_ref<void(ArrayRef<Value>)> body) {
  Value tile = e.index(kRowTile);
  Value full = e.add(from, e.mul(e.div(e.sub(to, from), tile), tile));
  e.loop(from, full, kRowTile, [&](Value first) {
    Contraction::Values rows;
    for (int64_t i = 0; i < kRowTile; ++i)
      rows.push_back(e.addConst(first, i));
    body(rows);
  });
  e.loop(full, to, 1, [&](Value row) { body(row); });
}

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
