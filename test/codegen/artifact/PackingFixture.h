// Packs weights that are made of random tensors, and compares every element with its source.

#ifndef MOIRE_TEST_CODEGEN_ARTIFACT_PACKINGFIXTURE_H
#define MOIRE_TEST_CODEGEN_ARTIFACT_PACKINGFIXTURE_H

#include "codegen/artifact/Packing.h"
#include "frontends/weights/Dequantize.h"
#include "test/codegen/artifact/PackedPanels.h"
#include "test/codegen/artifact/TestFiles.h"

#include <gtest/gtest.h>
#include <random>

namespace moire::test {

class Packing : public testing::Test {
protected:
  /// A tensor of random bytes, in a file of its own, at an offset that is not aligned.
  const TensorEntry *tensor(StorageType type, std::vector<int64_t> shape) {
    const StorageTypeInfo &info = storageTypeInfo(type);
    uint64_t bytes = info.block_bytes;
    for (int64_t dimension : shape)
      bytes *= dimension;
    bytes /= info.block_elements;
    constexpr uint64_t kOffset = 6;
    std::vector<uint8_t> content(kOffset + bytes);
    for (uint8_t &byte : content)
      byte = random();
    std::string name = "t" + std::to_string(tensors.size());
    writeFile(folder / name, content);
    ReadError error;
    auto file = MappedFile::open(folder / name, error);
    EXPECT_TRUE(file) << error.message;
    tensors.push_back(
        std::make_unique<TensorEntry>(TensorEntry{name, type, shape, file, kOffset, bytes}));
    return tensors.back().get();
  }

  std::vector<uint8_t> pack(std::vector<PackedWeight> &weights, int threads = 2) {
    int64_t size = layOutWeights(weights);
    std::vector<uint8_t> section;
    std::string error;
    uint64_t done = 0, total = 0;
    EXPECT_TRUE(packWeights(
        weights, threads,
        [&](std::span<const uint8_t> chunk) {
          section.insert(section.end(), chunk.begin(), chunk.end());
          return true;
        },
        [&](uint64_t d, uint64_t t) {
          EXPECT_GT(d, done);
          done = d, total = t;
        },
        error))
        << error;
    EXPECT_EQ(int64_t(section.size()), size);
    EXPECT_EQ(done, total);
    return section;
  }

  /// The rows that the panels of a slice must hold, in their order; null is a row of zeros.
  struct Row {
    const TensorEntry *tensor;
    int64_t row;
  };
  static std::vector<Row> rowsOf(const RowSource &source) {
    std::vector<Row> rows(source.rows);
    for (int64_t i = 0; i < source.rows; ++i) {
      int64_t packed = i;
      if (int64_t heads = source.interleaved_heads) {
        // Source row 2 * i + s of a head goes to row s * dh / 2 + i.
        int64_t dh = source.rows / heads, inHead = i % dh;
        packed = i / dh * dh + inHead % 2 * (dh / 2) + inHead / 2;
      }
      rows[packed] = {source.tensor, i};
    }
    return rows;
  }
  static std::vector<Row> expectedRows(const PackedWeight &weight, size_t slice) {
    std::vector<Row> rows;
    if (weight.alternate_panels) {
      int64_t each = weight.slices[slice].front().rows;
      for (int64_t first = 0; first < each; first += 16)
        for (const RowSource &source : weight.slices[slice])
          for (int64_t i = first; i < first + 16; ++i)
            rows.push_back(i < each ? rowsOf(source)[i] : Row{nullptr, 0});
      return rows;
    }
    for (const RowSource &source : weight.slices[slice])
      for (Row row : rowsOf(source))
        rows.push_back(row);
    rows.resize((rows.size() + 15) / 16 * 16, Row{nullptr, 0});
    return rows;
  }

  /// Every element of every panel equals that of its source, and padding is zero.
  static void expectExact(const PackedWeight &weight, const std::vector<uint8_t> &section) {
    EXPECT_EQ(weight.offset % 4096, 0);
    int64_t stride = panelBytes(weight.format, weight.k);
    EXPECT_EQ(stride % 64, 0);
    for (size_t slice = 0; slice < weight.slices.size(); ++slice) {
      std::vector<Row> rows = expectedRows(weight, slice);
      ASSERT_EQ(weight.slice_bytes, int64_t(rows.size()) / 16 * stride);
      const uint8_t *start = section.data() + weight.offset + slice * weight.slice_bytes;
      for (size_t row = 0; row < rows.size(); ++row) {
        const uint8_t *panel = start + row / 16 * stride;
        std::vector<float> expected(weight.k);
        if (rows[row].tensor)
          dequantizeRows(*rows[row].tensor, rows[row].row, 1, expected);
        for (int64_t i = 0; i < weight.k; ++i) {
          float packed = panelElement(weight.format, weight.k, panel, row % 16, i);
          bool good = rows[row].tensor ? same(packed, expected[i]) : packed == 0;
          ASSERT_TRUE(good) << weight.name << " slice " << slice << " row " << row << " k " << i
                            << ": " << packed << " instead of " << expected[i];
        }
      }
    }
  }

  /// The same of one of our own formats: what rounding the sources' values gives.
  static void expectRounded(const PackedWeight &weight, const std::vector<uint8_t> &section) {
    int64_t stride = panelBytes(weight.format, weight.k);
    for (size_t slice = 0; slice < weight.slices.size(); ++slice) {
      std::vector<Row> rows = expectedRows(weight, slice);
      const uint8_t *start = section.data() + weight.offset + slice * weight.slice_bytes;
      for (size_t first = 0; first < rows.size(); first += 16) {
        std::vector<std::vector<float>> values(16, std::vector<float>(weight.k));
        for (size_t row = 0; row < 16; ++row)
          if (rows[first + row].tensor)
            dequantizeRows(*rows[first + row].tensor, rows[first + row].row, 1, values[row]);
        values = roundedRows(weight.format, weight.k, values);
        for (size_t row = 0; row < 16; ++row)
          for (int64_t i = 0; i < weight.k; ++i) {
            float packed =
                panelElement(weight.format, weight.k, start + first / 16 * stride, row, i);
            ASSERT_TRUE(same(packed, values[row][i]) || (packed == 0 && values[row][i] == 0))
                << weight.name << " slice " << slice << " row " << first + row << " k " << i << ": "
                << packed << " instead of " << values[row][i];
          }
      }
    }
  }

  TestFolder folder;
  std::vector<std::unique_ptr<TensorEntry>> tensors;
  std::minstd_rand random{1};
};

} // namespace moire::test

#endif
