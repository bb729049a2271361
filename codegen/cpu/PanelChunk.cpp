#include "codegen/cpu/PanelChunk.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {

PanelChunk::PanelChunk(Emitter &e, const PanelReader &packed, PanelFormat format)
    : e(e), packed(packed), info(panelInfo(format)) {}

PanelChunk::PanelChunk(Emitter &e, const PanelReader &packed, PanelFormat format,
                       tile::RowKind rows, Value strip, const tile::StripLayout &layout,
                       int64_t share, Value first)
    : e(e), packed(packed), info(panelInfo(format)), quantized(rows == tile::RowKind::Quantized),
      strip(layout.unpacked ? strip : Value()), layout(layout), origin(share * layout.shareBytes),
      first(first) {}

Value PanelChunk::at(int64_t section, Value place, int64_t columns, int64_t bytes) {
  Value before = e.div(first, e.index(columns));
  return e.addConst(e.mulConst(e.sub(place, before), kPanelRows * bytes), origin + section);
}

//===- Reading --------------------------------------------------------------------------------===//

Value PanelChunk::quants(Value block, int64_t group) {
  if (!strip)
    return packed.quants(block, group);
  Value begin = at(0, block, 32, 32);
  return e.loadBytes(strip, e.addConst(begin, group * kPanelRows * 4), kPanelRows * 4,
                     e.b.getI8Type());
}

Value PanelChunk::pairOfQuants(Value pair, int64_t which, Value block, int64_t columns) {
  if (!strip)
    return packed.pairOfQuants(pair, which, block, columns);
  Value begin = e.addConst(at(0, pair, 8, 8), which * kPanelRows * 4);
  return e.loadBytes(strip, begin, kPanelRows * 4, e.b.getI8Type());
}

// Columns that share a scale have it once for each 32 of them.
Value PanelChunk::numbers(int64_t section, Value block, int64_t which, int64_t columns) {
  Value begin = at(section, e.mulConst(block, columns / 32), 32, 4 * scalesPerBlock());
  return e.loadBytes(strip, e.addConst(begin, which * kPanelRows * 4), kPanelRows, e.f32());
}

Value PanelChunk::scales(Value block, int64_t which, int64_t columns) {
  return strip ? numbers(layout.scales, block, which, columns)
               : packed.scales(block, which, columns);
}

Value PanelChunk::minima(Value block, int64_t which, int64_t columns) {
  return strip && info.minima ? numbers(layout.minima, block, which, columns)
                              : packed.minima(block, which, columns);
}

Value PanelChunk::column(Value k) {
  return strip ? e.loadBytes(strip, at(0, k, 1, 4), kPanelRows, e.f32()) : packed.column(k);
}

//===- Unpacking ------------------------------------------------------------------------------===//

void PanelChunk::unpack(Value last) {
  if (!strip)
    return;
  if (quantized)
    unpackQuantized(last);
  else
    unpackFloats(last);
}

void PanelChunk::unpackQuantized(Value last) {
  Value width = e.index(32);
  e.loop(e.div(first, width), e.div(last, width), 1, [&](Value block) {
    Value lines = at(0, block, 32, 32);
    for (int64_t group = 0; group < 8; ++group)
      e.storeBytes(packed.quants(block, group), strip, e.addConst(lines, group * kPanelRows * 4));
    for (int64_t which = 0; which < scalesPerBlock(); ++which) {
      Value scales = at(layout.scales, block, 32, 4 * scalesPerBlock());
      e.storeBytes(packed.scales(block, which), strip, e.addConst(scales, which * kPanelRows * 4));
      if (!info.minima)
        continue;
      Value minima = at(layout.minima, block, 32, 4 * scalesPerBlock());
      e.storeBytes(packed.minima(block, which), strip, e.addConst(minima, which * kPanelRows * 4));
    }
  });
}

void PanelChunk::unpackFloats(Value last) {
  auto write = [&](Value k, Value numbers) { e.storeBytes(numbers, strip, at(0, k, 1, 4)); };
  if (!info.isBlocked()) {
    e.loop(first, last, 1, [&](Value k) { write(k, packed.column(k)); });
    return;
  }
  Value width = e.index(32);
  e.loop(e.div(first, width), e.div(last, width), 1, [&](Value block) {
    packed.dequantizeBlock(block, [&](int64_t i, Value numbers) {
      write(e.addConst(e.mulConst(block, 32), i), numbers);
    });
  });
}

} // namespace moire::cpu
