#include "frontends/weights/Dequantize.h"
#include "frontends/weights/Blocks.h"
#include <cassert>
#include <cstring>

using namespace moire;

// q * d + m is rounded twice in ggml; a fused multiply-add would round once.
#pragma STDC FP_CONTRACT OFF

static void dequantizeBlock(BlockFormat format, const uint8_t *bytes, float *values) {
  Block block;
  takeApart(format, bytes, block);
  const BlockInfo &info = blockInfo(format);
  const PanelInfo &panel = panelInfo(info.panel);
  for (int64_t k = 0; k < info.elements; ++k) {
    values[k] = float(block.quants[k]) * block.scales[k / panel.columns];
    if (panel.minima)
      values[k] += block.minima[k / panel.columns];
  }
}

bool moire::isWeightType(StorageType type) { return type < StorageType::I8; }

int64_t moire::rowCount(const TensorEntry &tensor) {
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < tensor.shape.size(); ++i)
    rows *= tensor.shape[i];
  return rows;
}

int64_t moire::rowElements(const TensorEntry &tensor) {
  return tensor.shape.empty() ? 1 : tensor.shape.back();
}

void moire::dequantize(StorageType type, std::span<const uint8_t> blocks, std::span<float> values) {
  const StorageTypeInfo &info = storageTypeInfo(type);
  assert(isWeightType(type) && values.size() % info.block_elements == 0 &&
         blocks.size() == values.size() / info.block_elements * info.block_bytes);
  const uint8_t *block = blocks.data();
  for (size_t i = 0; i < values.size(); i += info.block_elements, block += info.block_bytes) {
    switch (type) {
    case StorageType::F32:
      values[i] = loadBytes<float>(block);
      break;
    case StorageType::F16:
      values[i] = fromF16(loadBytes<uint16_t>(block));
      break;
    case StorageType::BF16:
      values[i] = fromBf16(loadBytes<uint16_t>(block));
      break;
    default:
      dequantizeBlock(*blockFormatOf(type), block, &values[i]);
    }
  }
}

void moire::dequantizeRows(const TensorEntry &tensor, int64_t firstRow, int64_t rows,
                           std::span<float> values) {
  const StorageTypeInfo &info = storageTypeInfo(tensor.type);
  const uint64_t rowBytes = rowElements(tensor) / info.block_elements * info.block_bytes;
  assert(firstRow >= 0 && rows >= 0 && rows <= rowCount(tensor) - firstRow);
  dequantize(tensor.type, tensor.data().subspan(firstRow * rowBytes, rows * rowBytes), values);
}
