#include "codegen/cpu/PanelReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using tile::Format;

namespace moire::cpu {

PanelFormat panelFormat(Format format) {
  switch (format) {
  case Format::F32:
    return PanelFormat::F32;
  case Format::F16:
    return PanelFormat::F16;
  case Format::BF16:
    return PanelFormat::BF16;
  case Format::Q4_0:
    return PanelFormat::Q4_0;
  case Format::Q4_1:
    return PanelFormat::Q4_1;
  case Format::Q8_0:
    return PanelFormat::Q8_0;
  }
  llvm_unreachable("a format without a panel");
}

bool isBlocked(Format format) {
  return format == Format::Q4_0 || format == Format::Q4_1 || format == Format::Q8_0;
}

int64_t linesPerBlock(Format format) { return format == Format::Q8_0 ? 8 : 4; }

static Type plainElement(Emitter &e, Format format) {
  return format == Format::F32   ? e.f32()
         : format == Format::F16 ? Type(e.b.getF16Type())
                                 : Type(e.b.getBF16Type());
}

PanelReader::PanelReader(Emitter &e, Format format, Value bytes, Value panel, int64_t k,
                         Value origin)
    : e(e), format(format), bytes(bytes),
      base(e.mulConst(panel, panelBytes(panelFormat(format), k))),
      parts(isBlocked(format) ? panelParts(panelFormat(format), k) : PanelParts{0, 0}) {
  if (origin)
    base = e.add(base, origin);
}

Value PanelReader::scales(Value block) {
  Value offset = at(e.mulConst(block, 2 * kPanelRows), parts.scales);
  return e.widen(e.loadBytes(bytes, offset, kPanelRows, e.b.getF16Type()));
}

Value PanelReader::minima(Value block) {
  if (!parts.minima)
    return {};
  Value offset = at(e.mulConst(block, 2 * kPanelRows), parts.minima);
  return e.widen(e.loadBytes(bytes, offset, kPanelRows, e.b.getF16Type()));
}

Value PanelReader::line(Value block, int64_t line) {
  Value offset = at(e.mulConst(block, 64 * linesPerBlock(format)), 64 * line);
  return e.loadBytes(bytes, offset, 64, e.b.getI8Type());
}

Value PanelReader::column(Value k) {
  Type element = plainElement(e, format);
  Value offset = at(e.mulConst(k, kPanelRows * element.getIntOrFloatBitWidth() / 8), 0);
  return e.widen(e.loadBytes(bytes, offset, kPanelRows, element));
}

void PanelReader::dequantizeBlock(Value block, llvm::function_ref<void(int64_t, Value)> use) {
  Value scale = scales(block), minimum = minima(block);
  VectorType i32x16 = e.vec(kPanelRows, e.b.getI32Type());
  auto constant = [&](int64_t v) { return e.constant(i32x16, v); };
  auto finish = [&](Value q) {
    Value value = arith::SIToFPOp::create(e.b, e.loc, e.f32x16(), q);
    value = e.mul(value, scale);
    return minimum ? e.add(value, minimum) : value;
  };
  for (int64_t l = 0; l < linesPerBlock(format); ++l) {
    // 16 rows as one i32 each: byte i of a row is its bits 8i … 8i + 7.
    Value words = vector::BitCastOp::create(e.b, e.loc, i32x16, line(block, l));
    for (int64_t i = 0; i < (format == Format::Q8_0 ? 4 : 8); ++i) {
      if (format == Format::Q8_0) {
        Value high = arith::ShLIOp::create(e.b, e.loc, words, constant(24 - 8 * i));
        use(4 * l + i, finish(arith::ShRSIOp::create(e.b, e.loc, high, constant(24))));
        continue;
      }
      // Low nibbles are columns 0 … 3 of the line, high ones 4 … 7.
      Value shifted =
          arith::ShRUIOp::create(e.b, e.loc, words, constant(8 * (i % 4) + 4 * (i / 4)));
      Value q = arith::AndIOp::create(e.b, e.loc, shifted, constant(15));
      if (format == Format::Q4_0)
        q = e.sub(q, constant(8));
      use(8 * l + i, finish(q));
    }
  }
}

void emitReadRow(Emitter &e, Format format, Value bytes, Value row, int64_t k,
                 llvm::function_ref<void(Value, Value)> use) {
  Value rows = e.index(kPanelRows);
  Value panel = e.div(row, rows), lane = e.rem(row, rows);
  Value base = e.mulConst(panel, panelBytes(panelFormat(format), k));
  if (!isBlocked(format)) {
    Type element = plainElement(e, format);
    int64_t size = element.getIntOrFloatBitWidth() / 8;
    Value first = e.add(base, e.mulConst(lane, size));
    e.loop(e.index(0), e.index(k), 1, [&](Value column) {
      Value offset = e.add(first, e.mulConst(column, kPanelRows * size));
      use(column, e.widen(e.loadBytes(bytes, offset, 1, element)));
    });
    return;
  }
  PanelParts parts = panelParts(panelFormat(format), k);
  int64_t lines = linesPerBlock(format);
  VectorType i32x4 = e.vec(4, e.b.getI32Type()), f32x4 = e.vec(4, e.f32());
  e.loop(e.index(0), e.index(k / 32), 1, [&](Value block) {
    auto half = [&](int64_t part) {
      Value offset = e.add(e.mulConst(block, 2 * kPanelRows), e.mulConst(lane, 2));
      offset = e.addConst(e.add(base, offset), part);
      Value value = e.widen(e.loadBytes(bytes, offset, 1, e.b.getF16Type()));
      return e.splat(vector::ExtractOp::create(e.b, e.loc, value, ArrayRef<int64_t>{0}), f32x4);
    };
    Value scale = half(parts.scales), minimum = parts.minima ? half(parts.minima) : Value();
    auto finish = [&](Value column, Value q) {
      if (format == Format::Q4_0)
        q = e.sub(q, e.constant(i32x4, 8));
      Value value = e.mul(arith::SIToFPOp::create(e.b, e.loc, f32x4, q), scale);
      use(column, minimum ? e.add(value, minimum) : value);
    };
    e.loop(e.index(0), e.index(lines), 1, [&](Value line) {
      Value offset = e.mulConst(e.add(e.mulConst(block, lines), line), 64);
      offset = e.add(e.add(base, offset), e.mulConst(lane, 4));
      Value quants = e.loadBytes(bytes, offset, 4, e.b.getI8Type());
      Value column = e.add(e.mulConst(block, 32), e.mulConst(line, 32 / lines));
      if (format == Format::Q8_0) {
        finish(column, arith::ExtSIOp::create(e.b, e.loc, i32x4, quants));
        return;
      }
      Value words = arith::ExtUIOp::create(e.b, e.loc, i32x4, quants);
      finish(column, arith::AndIOp::create(e.b, e.loc, words, e.constant(i32x4, 15)));
      finish(e.addConst(column, 4),
             arith::ShRUIOp::create(e.b, e.loc, words, e.constant(i32x4, 4)));
    });
  });
}

} // namespace moire::cpu
