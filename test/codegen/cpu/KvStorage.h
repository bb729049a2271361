// How keys and values are stored, in plain loops: what the kernels are compared with.

#ifndef MOIRE_TEST_CODEGEN_CPU_KVSTORAGE_H
#define MOIRE_TEST_CODEGEN_CPU_KVSTORAGE_H

#include <cstdint>
#include <string>
#include <vector>

namespace moire::test {

enum class KvFormat { F32, F16, BF16, Int8 };

/// The element of the pool: "f32", "f16", "bf16" or "i8".
std::string elementOf(KvFormat format);
int64_t elementBytes(KvFormat format);

/// A page's part for one (layer, KV head), in bytes, as #tile.kv describes it.
struct KvHeadLayout {
  KvHeadLayout(KvFormat format, int64_t headDim, int64_t page);

  int64_t keyScales, values, valueScales, bytes; // where each begins; keys begin at 0
  int64_t valueStride;                           // bytes from one position's values to the next's
};

/// A head's key or value as it is stored: its elements' bytes, and its scale if it has one.
struct StoredRow {
  std::vector<uint8_t> bytes;
  float scale = 0;
};
StoredRow store(KvFormat format, const std::vector<float> &row);

/// The numbers that reading it gives.
std::vector<float> read(KvFormat format, const StoredRow &row);

} // namespace moire::test

#endif
