#include "codegen/artifact/Layout.h"

#include "codegen/artifact/Panels.h"

#include <algorithm>

namespace moire {

static int64_t alignUp(int64_t value, int64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

//===----------------------------------------------------------------------===//
// Layout

static int64_t vectorElements(const PackedWeight &weight) { return weight.rows * weight.k; }

int64_t panelBytes(const PackedWeight &weight) {
  bool isVector = weight.format == PanelFormat::Vector;
  return panelBytes(weight.format, isVector ? vectorElements(weight) : weight.k);
}

int64_t panelsPerSlice(const PackedWeight &weight) {
  if (weight.format == PanelFormat::Vector)
    return 1;
  int64_t alternating = 1;
  if (weight.alternate_panels && !weight.slices.empty())
    alternating = std::max<int64_t>(1, weight.slices.front().size());
  return alternating * alignUp(weight.rows / alternating, kPanelRows) / kPanelRows;
}

int64_t sliceCount(const PackedWeight &weight) {
  return weight.computed.empty() ? int64_t(weight.slices.size()) : 1;
}

static int64_t sliceBytes(const PackedWeight &weight) {
  return alignUp(panelsPerSlice(weight) * panelBytes(weight), weight.experts ? kPage : 1);
}

int64_t layOutWeights(std::vector<PackedWeight> &weights) {
  int64_t end = 0;
  for (PackedWeight &weight : weights) {
    weight.offset = alignUp(end, kPage);
    weight.slice_bytes = sliceBytes(weight);
    end = weight.offset + sliceCount(weight) * weight.slice_bytes;
  }
  return end;
}

//===----------------------------------------------------------------------===//
// Checks: what the packer relies on, looked at once before the first byte is written.

int64_t elementCount(const TensorEntry &tensor) {
  int64_t count = 1;
  for (int64_t dimension : tensor.shape)
    count *= dimension;
  return count;
}

/// An empty string, or what is wrong with one source of `weight`.
static std::string checkSource(const PackedWeight &weight, const RowSource &source) {
  const TensorEntry &tensor = *source.tensor;
  std::string type(storageTypeInfo(tensor.type).name);
  if (!canPack(tensor.type, weight.format))
    return "is stored as " + type + ", which this weight's panels cannot hold without rounding";
  bool isVector = weight.format == PanelFormat::Vector;
  int64_t rows = isVector ? elementCount(tensor) : source.first_row + source.rows;
  int64_t k = isVector ? 1 : weight.k;
  if (k % storageTypeInfo(tensor.type).block_elements)
    return "has rows of " + std::to_string(k) + " elements, no whole number of " + type + " blocks";
  if (source.rows < 0 || source.first_row < 0 || rows < 0 ||
      uint64_t(rows) * uint64_t(storedBytes(tensor.type, k)) > tensor.bytes)
    return "holds " + std::to_string(tensor.bytes) + " bytes, fewer than " + std::to_string(rows) +
           " rows of " + std::to_string(k) + " elements need";
  if (int64_t heads = source.interleaved_heads; heads && (rows - source.first_row) % (2 * heads))
    return "has " + std::to_string(rows) + " rows, which " + std::to_string(heads) +
           " heads cannot share in pairs";
  return "";
}

bool checkWeight(const PackedWeight &weight, int64_t &end, std::string &error) {
  auto fail = [&](const std::string &what) {
    error = "cannot pack weight '" + weight.name + "': " + what;
    return false;
  };
  bool isVector = weight.format == PanelFormat::Vector;
  if (weight.rows <= 0 || weight.k <= 0 || sliceCount(weight) == 0)
    return fail("it has no elements");
  if (weight.experts && sliceCount(weight) % weight.experts)
    return fail("it has " + std::to_string(sliceCount(weight)) + " slices for layers of " +
                std::to_string(weight.experts) + " experts");
  if (weight.slice_bytes != sliceBytes(weight) || weight.offset != alignUp(end, kPage))
    return fail("it was changed after the weights were laid out");
  end = weight.offset + sliceCount(weight) * weight.slice_bytes;
  if (!weight.computed.empty()) {
    if (!isVector || int64_t(weight.computed.size()) != vectorElements(weight))
      return fail("computed numbers form a vector of rows * k elements");
    return true;
  }
  for (const std::vector<RowSource> &slice : weight.slices) {
    int64_t rows = 0;
    for (const RowSource &source : slice) {
      if (std::string what = checkSource(weight, source); !what.empty())
        return fail("tensor '" + source.tensor->name + "' " + what);
      if (!isVector && !isOwnFormat(weight.format) &&
          source.tensor->type != slice.front().tensor->type)
        return fail("tensors '" + slice.front().tensor->name + "' and '" + source.tensor->name +
                    "' of one slice are stored in different types");
      rows += isVector ? elementCount(*source.tensor) : source.rows;
    }
    int64_t expected = isVector ? vectorElements(weight) : weight.rows;
    if (rows != expected)
      return fail("its sources have " + std::to_string(rows) + " rows instead of " +
                  std::to_string(expected));
    bool equal = std::all_of(slice.begin(), slice.end(), [&](const RowSource &source) {
      return source.rows == slice.front().rows;
    });
    if (weight.alternate_panels && (!equal || slice.size() != weight.slices.front().size()))
      return fail("panels can alternate only between sources with equal numbers of rows");
  }
  return true;
}

} // namespace moire
