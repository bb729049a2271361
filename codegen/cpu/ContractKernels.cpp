// Products of rows with packed panels. Per output value the order is: K ascending, one accumulator;
// with int8 activations an exact integer sum for each block of 32, then one fused multiply-add for
// its scale and one for its minimum. Every variant (one row, tiles of rows) keeps that order.

#include "codegen/cpu/DotInstruction.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/PanelReader.h"
#include "codegen/cpu/Tuning.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {
namespace {

using Values = SmallVector<Value>;

class Contraction {
public:
  Contraction(Emitter &e, tile::ContractOp op)
      : e(e), op(op), format(op.getFormat()), x(op.getX()), k(op.getK()),
        parts(op.getEpilogue() == tile::Epilogue::GateSilu ? 2 : 1),
        panels((op.getWidth() + kPanelRows - 1) / kPanelRows), quantized(x.size() == 3) {
    if (quantized)
      dot = DotInstruction::get(op.getInstruction(), format == tile::Format::Q8_0 ? 8 : 4);
  }

  void emit() {
    e.share(op.getSplit(), e.index(panels), [&](Value panel) {
      if (cast<MemRefType>(x[0].getType()).getDimSize(0) == 1) {
        emitRows(panel, {e.index(0)});
        return;
      }
      for (int64_t part = 0; part < parts; ++part)
        unpack(panel, part);
      Value rows = e.dim(x[0], 0), tile = e.index(kRowTile);
      Value full = e.mul(e.div(rows, tile), tile);
      e.loop(e.index(0), full, kRowTile, [&](Value first) {
        Values tileRows;
        for (int64_t i = 0; i < kRowTile; ++i)
          tileRows.push_back(e.addConst(first, i));
        emitRows(panel, tileRows);
      });
      e.loop(full, rows, 1, [&](Value row) { emitRows(panel, {row}); });
    });
  }

private:
  PanelReader reader(Value panel, int64_t part) {
    Value number = e.addConst(e.mulConst(panel, parts), part);
    return PanelReader(e, format, op.getWeight(), number, k);
  }

  // One panel of results for some rows.
  void emitRows(Value panel, ArrayRef<Value> rows) {
    SmallVector<Values, 2> products;
    for (int64_t part = 0; part < parts; ++part)
      products.push_back(quantized ? integerProducts(panel, part, rows)
                                   : floatProducts(panel, part, rows));
    for (auto [i, row] : llvm::enumerate(rows)) {
      Value y = products[0][i];
      if (parts == 2)
        y = e.mul(emitSilu(e, y), products[1][i]);
      finish(panel, row, y);
    }
  }

  void finish(Value panel, Value row, Value y) {
    Value out = op.getOut(), column = e.mulConst(panel, kPanelRows);
    if (op.getBias())
      y = e.add(y, e.loadLanes(op.getBias(), column));
    auto write = [&](int64_t lanes) {
      Value sum = y;
      if (op.getEpilogue() == tile::Epilogue::Accumulate)
        sum = e.add(e.loadLanes(out, {row, column}, lanes), y);
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

  //===- int8 activations ---------------------------------------------------------------------===//

  // 64 weights (16 rows of 4) of columns 4 * group of a block.
  Value line(PanelReader &panel, int64_t part, Value block, int64_t group) {
    if (format == tile::Format::Q8_0)
      return panel.line(block, group);
    if (op.getStrip()) {
      Value at = e.addConst(e.mulConst(block, 8 * 64), part * kPanelRows * k + group * 64);
      return e.loadBytes(op.getStrip(), at, 64, e.b.getI8Type());
    }
    return nibbles(panel.line(block, group / 2), group % 2);
  }

  Value nibbles(Value packed, int64_t high) {
    if (high)
      return arith::ShRUIOp::create(e.b, e.loc, packed, e.constant(packed.getType(), 4));
    return arith::AndIOp::create(e.b, e.loc, packed, e.constant(packed.getType(), 15));
  }

  Values integerProducts(Value panel, int64_t part, ArrayRef<Value> rows) {
    Value values = x[0], scales = x[1], sums = x[2];
    int64_t zeroPoint = format == tile::Format::Q4_0 ? 8 : 0;
    PanelReader weights = reader(panel, part);
    Values zero(rows.size(), e.constant(e.f32x16(), 0));
    return e.fold(e.index(0), e.index(k / 32), 1, zero, [&](Value block, ValueRange acc) {
      SmallVector<DotInstruction::Values> dots;
      for (Value row : rows)
        dots.push_back(dot->begin(e, e.load(sums, {row, block}), zeroPoint));
      for (int64_t group = 0; group < 8; ++group) {
        auto prepared = dot->prepare(e, line(weights, part, block, group));
        Value column = e.addConst(e.mulConst(block, 32), 4 * group);
        for (auto [i, row] : llvm::enumerate(rows)) {
          Value four = e.loadBytes(values, {row, column}, 1, e.b.getI32Type());
          four = vector::ExtractOp::create(e.b, e.loc, four, ArrayRef<int64_t>{0});
          dots[i] = dot->step(e, dots[i], prepared, four);
        }
      }
      Value scale = weights.scales(block), minimum = weights.minima(block);
      Values next;
      for (auto [i, row] : llvm::enumerate(rows)) {
        Value sum = arith::SIToFPOp::create(e.b, e.loc, e.f32x16(), dot->finish(e, dots[i]));
        Value d = e.splat(e.load(scales, {row, e.index(0), block}));
        Value total = e.fma(e.mul(scale, d), sum, acc[i]);
        if (minimum)
          total = e.fma(minimum, e.splat(e.load(scales, {row, e.index(1), block})), total);
        next.push_back(total);
      }
      return next;
    });
  }

  //===- f32 activations ----------------------------------------------------------------------===//

  Values multiplyAdd(Value weights, ArrayRef<Value> rows, Value column, ValueRange acc) {
    Values next;
    for (auto [i, row] : llvm::enumerate(rows))
      next.push_back(e.fma(weights, e.splat(e.load(x[0], {row, column})), acc[i]));
    return next;
  }

  Values floatProducts(Value panel, int64_t part, ArrayRef<Value> rows) {
    PanelReader weights = reader(panel, part);
    Values zero(rows.size(), e.constant(e.f32x16(), 0));
    if (isBlocked(format) && !op.getStrip())
      return e.fold(e.index(0), e.index(k / 32), 1, zero, [&](Value block, ValueRange acc) {
        Values next = llvm::to_vector(acc);
        weights.dequantizeBlock(block, [&](int64_t i, Value w) {
          next = multiplyAdd(w, rows, e.addConst(e.mulConst(block, 32), i), next);
        });
        return next;
      });
    auto column = [&](Value at) {
      if (!op.getStrip() || format == tile::Format::F32)
        return weights.column(at);
      return e.loadLanes(op.getStrip(), {e.addConst(at, part * k), e.index(0)});
    };
    auto step = [&](Value at, ValueRange acc) { return multiplyAdd(column(at), rows, at, acc); };
    int64_t unrolled = k / kFloatUnroll * kFloatUnroll;
    Values acc = e.fold(e.index(0), e.index(unrolled), kFloatUnroll, zero,
                        [&](Value first, ValueRange init) {
                          Values next = llvm::to_vector(init);
                          for (int64_t i = 0; i < kFloatUnroll; ++i)
                            next = step(e.addConst(first, i), next);
                          return next;
                        });
    for (int64_t i = unrolled; i < k; ++i)
      acc = step(e.index(i), acc);
    return acc;
  }

  //===- Unpacking a panel once for many rows -------------------------------------------------===//

  void unpack(Value panel, int64_t part) {
    PanelReader weights = reader(panel, part);
    Value strip = op.getStrip();
    if (quantized) {
      if (format == tile::Format::Q8_0)
        return; // its lines are used as they are
      e.loop(e.index(0), e.index(k / 32), 1, [&](Value block) {
        for (int64_t group = 0; group < 8; ++group) {
          Value at = e.addConst(e.mulConst(block, 8 * 64), part * kPanelRows * k + group * 64);
          Value bytes = nibbles(weights.line(block, group / 2), group % 2);
          vector::StoreOp::create(e.b, e.loc, bytes, strip, at);
        }
      });
      return;
    }
    if (format == tile::Format::F32)
      return;
    auto write = [&](Value column, Value w) {
      e.storeLanes(w, strip, {e.addConst(column, part * k), e.index(0)});
    };
    if (!isBlocked(format)) {
      e.loop(e.index(0), e.index(k), 1, [&](Value at) { write(at, weights.column(at)); });
      return;
    }
    e.loop(e.index(0), e.index(k / 32), 1, [&](Value block) {
      weights.dequantizeBlock(
          block, [&](int64_t i, Value w) { write(e.addConst(e.mulConst(block, 32), i), w); });
    });
  }

  Emitter &e;
  tile::ContractOp op;
  tile::Format format;
  ValueRange x;
  int64_t k, parts, panels;
  bool quantized;
  std::unique_ptr<DotInstruction> dot;
};

} // namespace

void expandContract(Emitter &e, tile::ContractOp op) { Contraction(e, op).emit(); }

} // namespace moire::cpu
