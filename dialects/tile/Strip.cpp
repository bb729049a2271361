#include "dialects/tile/Strip.h"

#include "dialects/Formats.h"

namespace mlir::tile {

constexpr int64_t kPanel = 16;

StripLayout StripLayout::of(Format format, RowKind kind, int64_t k, int64_t parts, int64_t columns,
                            int64_t block) {
  const ::moire::PanelInfo &info = ::moire::panelInfo(format);
  columns = std::min(k, columns);
  StripLayout strip;
  strip.whole = columns == k;
  if (kind == RowKind::Quantized && info.bits != 8) {
    strip.unpacked = true;
    strip.scales = kPanel * columns;
    strip.minima = strip.scales + columns / std::min<int64_t>(info.columns, 32) * kPanel * 4;
    strip.partBytes = info.minima ? 2 * strip.minima - strip.scales : strip.minima;
  } else if (kind == RowKind::Floats && format != Format::F32) {
    strip.unpacked = true;
    strip.partBytes = kPanel * columns * 4;
  }
  strip.sums = strip.whole ? parts * strip.partBytes : strip.partBytes;
  strip.bytes = strip.sums + (strip.whole ? 0 : parts * block * kPanel * 4);
  return strip;
}

} // namespace mlir::tile
