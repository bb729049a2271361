// What kv_append writes, byte by byte, in each format: ordinary rows, ties, zeros, numbers that are
// too small or too large, infinities and NaN.

#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/KvStorage.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>
#include <tuple>

namespace moire::test {
namespace {

constexpr int64_t kHeads = 2, kLayers = 2, kLayer = 1, kPage = 16;

class KvAppend : public testing::TestWithParam<std::tuple<KvFormat, int64_t>> {
protected:
  KvFormat format = std::get<0>(GetParam());
  int64_t headDim = std::get<1>(GetParam()), width = kHeads * headDim;
  KvHeadLayout layout{format, headDim, kPage};
  Memory memory;
  int64_t keys = memory.shared(4 * width), values = memory.shared(4 * width);

  std::string text(bool one) const {
    std::string n = one ? "" : "(%n)", ids = rowsOf(one, {}, "i32");
    std::string pool = "memref<?x" + elementOf(format) + ">";
    std::string kernel =
        " %kv, %table, %slots, %positions[%layer] <layers = " + std::to_string(kLayers) +
        ", kv_heads = " + std::to_string(kHeads) + ", head_dim = " + std::to_string(headDim) +
        ", page = " + std::to_string(kPage) + ", element = " + elementOf(format) + ">" +
        (one ? " {segment = 16 : i64}" : "") + " : " + rowsOf(one, {width}, "f32") + ", " + pool +
        ", memref<?x?xi32>, " + ids + ", " + ids + "\n";
    std::string split = std::string("tile.kv_append ") + (one ? "segments" : "rows");
    return sharedBuffer(one, "k", keys, {width}, "f32") +
           sharedBuffer(one, "v", values, {width}, "f32") + "%kv = tile.input kv : " + pool +
           "\n%table = tile.input page_table : memref<?x?xi32>\n%slots = tile.input slots" + n +
           " : " + ids + "\n%positions = tile.input positions" + n + " : " + ids +
           "\n%layer = arith.constant " + std::to_string(kLayer) + " : index\n" + split +
           " keys %k," + kernel + split + " values %v," + kernel;
  }

  /// A head's row of one kind after the other, by number.
  std::vector<float> row(int64_t number) const {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Random random(number);
    std::vector<float> row(headDim);
    for (float &x : row)
      x = random.uniform(-3, 3);
    float &some = row[number % headDim];
    switch (number % 11) {
    case 0: // ties: halves of the int8 scale, and of the distance between two bf16 or f16
      for (int64_t i = 0; i < headDim; ++i)
        row[i] = float(i) - 8.5f;
      row[0] = 127;
      row[1] = 1 + std::ldexp(1.0f, -8), row[2] = 1 + 3 * std::ldexp(1.0f, -8);
      row[3] = 1 + std::ldexp(1.0f, -11), row[4] = 1 + 3 * std::ldexp(1.0f, -11);
      break;
    case 1:
      std::fill(row.begin(), row.end(), 0.0f);
      row[0] = -0.0f;
      break;
    case 2: // of all numbers the scale of int8 is 0
      for (float &x : row)
        x *= std::ldexp(1.0f, -103);
      break;
    case 3: // … and here not
      for (float &x : row)
        x *= std::ldexp(1.0f, -60);
      some = std::ldexp(1.0f, -59);
      break;
    case 4: // infinite in f16 and, at the end, in bf16
      some = 70000;
      row[0] = std::numeric_limits<float>::max();
      break;
    case 5:
      some = infinity;
      break;
    case 6:
      some = -infinity;
      break;
    case 7: // of a NaN's bits only the last is set: cut off, they would be those of infinity
      some = std::bit_cast<float>(0x7f800001);
      break;
    case 8:
      some = -std::numeric_limits<float>::quiet_NaN();
      row[0] = infinity;
      break;
    default:
      break;
    }
    return row;
  }
};

TEST_P(KvAppend, WritesWhatPlainLoopsDo) {
  const int64_t tokens = 22, slots = 2, pages = slots * 2;
  const int64_t pageBytes = kLayers * kHeads * layout.bytes;
  for (const std::string &cpu : runnableCpus()) {
    SCOPED_TRACE(cpu);
    auto kernel = Kernel::compile({[this](bool one) { return text(one); }}, memory, cpu);
    ASSERT_TRUE(kernel);
    const std::vector<int32_t> pageTable = {2, 0, 3, 1};

    std::vector<uint8_t> expected(pages * pageBytes, 0xee);
    auto head = [&](int64_t slot, int64_t position, int64_t number) {
      return pageTable[slot * 2 + position / kPage] * pageBytes +
             (kLayer * kHeads + number) * layout.bytes;
    };
    std::vector<int32_t> slotOf, positionOf;
    std::vector<float> keyRows, valueRows;
    for (int64_t t = 0; t < tokens; ++t) {
      const int64_t slot = t % 2, position = t / 2 + 10, within = position % kPage;
      slotOf.push_back(int32_t(slot));
      positionOf.push_back(int32_t(position));
      for (int64_t h = 0; h < kHeads; ++h) {
        const int64_t at = head(slot, position, h), size = elementBytes(format);
        const std::vector<float> key = row(2 * t + h), value = row(2 * t + h + 1);
        keyRows.insert(keyRows.end(), key.begin(), key.end());
        valueRows.insert(valueRows.end(), value.begin(), value.end());
        const StoredRow k = store(format, key), v = store(format, value);
        for (int64_t d = 0; d < headDim; ++d)
          std::memcpy(&expected[at + (d * kPage + within) * size], &k.bytes[d * size], size);
        const int64_t values = at + layout.values + within * layout.valueStride;
        // Columns up to whole vectors become zeros.
        std::memset(&expected[values], 0, layout.valueStride);
        std::memcpy(&expected[values], v.bytes.data(), v.bytes.size());
        if (format == KvFormat::Int8) {
          std::memcpy(&expected[at + layout.keyScales + 4 * within], &k.scale, 4);
          std::memcpy(&expected[at + layout.valueScales + 4 * within], &v.scale, 4);
        }
      }
    }

    for (bool one : {false, true}) {
      std::vector<uint8_t> memoryOfPool(pages * pageBytes + 64, 0xee);
      uint8_t *pool = memoryOfPool.data();
      pool += (64 - reinterpret_cast<uintptr_t>(pool) % 64) % 64;
      kernel->reserve(tokens);
      const int64_t step = one ? 1 : tokens;
      for (int64_t first = 0; first < tokens; first += step) {
        std::memcpy(kernel->at<float>(keys), &keyRows[first * width], step * width * 4);
        std::memcpy(kernel->at<float>(values), &valueRows[first * width], step * width * 4);
        moire_step host{};
        host.slots = slotOf.data() + first;
        host.positions = positionOf.data() + first;
        host.page_table = pageTable.data();
        host.pages_per_slot = 2;
        host.kv = pool;
        kernel->run(step, /*team=*/2, one, host);
      }
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(pool[i], expected[i])
            << "byte " << i % layout.bytes << " of head " << i % pageBytes / layout.bytes
            << " of page " << i / pageBytes << (one ? ", one by one" : "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, KvAppend,
                         testing::Combine(testing::Values(KvFormat::F32, KvFormat::F16,
                                                          KvFormat::BF16, KvFormat::Int8),
                                          testing::Values(16, 20, 80)));

} // namespace
} // namespace moire::test
