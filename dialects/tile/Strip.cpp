#include "dialects/tile/Strip.h"

#include "dialects/Formats.h"

namespace mlir::tile {

constexpr int64_t kPanel = 16;

StripLayout StripLayout::of(Format format, RowKind kind, int64_t k, int64_t parts, int64_t columns,
                            int64_t block, int64_t panels) {
  const ::moire::PanelInfo &info = ::moire::panelInfo(format);
  columns = std::min(k, columns);
  StripLayout strip;
  strip.whole = columns == k;
  // Bytes are multiplied as they are packed, unless tiles of fewer rows read them more often: then
  // they had better lie in whole lines.
  if (kind == RowKind::Quantized && (info.bits != 8 || panels > 1)) {
    strip.unpacked = true;
    strip.scales = kPanel * columns;
    strip.minima = strip.scales + columns / std::min<int64_t>(info.columns, 32) * kPanel * 4;
    strip.shareBytes = info.minima ? 2 * strip.minima - strip.scales : strip.minima;
  } else if (kind == RowKind::Floats && format != Format::F32) {
    strip.unpacked = true;
    strip.shareBytes = kPanel * columns * 4;
  }
  int64_t all = std::max(parts, panels); // that results are made of at a time
  strip.sums = (strip.whole ? all : panels) * strip.shareBytes;
  strip.bytes = strip.sums + (strip.whole ? 0 : all * block * kPanel * 4);
  return strip;
}

} // namespace mlir::tile
