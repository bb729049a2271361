// Packs random weights and reads every element back by the layout in the comment of Packing.h: the
// values must be, bit for bit, those of the source.

#include "codegen/artifact/Packing.h"
#include "codegen/artifact/Rounding.h"
#include "frontends/weights/Dequantize.h"
#include "test/codegen/artifact/TestFiles.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace moire;
using namespace moire::test;

namespace {

float halfToFloat(uint16_t bits) {
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  float sign = bits & 0x8000 ? -1 : 1;
  if (exponent == 31)
    return fraction ? NAN : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024.f + fraction, exponent - 25)
                          : std::ldexp(float(fraction), -24));
}

float bfloatToFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

template <typename T> T at(const uint8_t *bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

/// The integer of element (row, i) of a panel of blocks, as Packing.h lays it out.
int panelQuant(const PanelInfo &info, const uint8_t *panel, int64_t row, int64_t i) {
  int64_t block = i / 32, inBlock = i % 32;
  auto byteOf = [&](int64_t line) {
    return panel[((block * info.bits + line) * 16 + row) * 4 + inBlock % 4];
  };
  if (info.bits == 8)
    return int8_t(byteOf(inBlock / 4));
  int code = inBlock % 8 < 4 ? byteOf(inBlock / 8) & 15 : byteOf(inBlock / 8) >> 4;
  if (info.bits == 5)
    code |= (byteOf(4) >> inBlock / 4 & 1) << 4;
  if (info.bits == 6)
    code |= (byteOf(4 + inBlock / 16) >> inBlock % 16 / 4 * 2 & 3) << 4;
  return info.values ? info.values[code] : code - info.zero;
}

/// Element (row, i) of a panel, as Packing.h lays it out.
float panelElement(PanelFormat format, int64_t k, const uint8_t *panel, int64_t row, int64_t i) {
  const PanelInfo &info = panelInfo(format);
  PanelParts parts = panelParts(format, k);
  int64_t place = i / info.columns * 16 + row, super = i / 256 * 16 + row;
  switch (info.scales) {
  case Scales::None:
    if (format == PanelFormat::BF16Pairs) { // little-endian: the high half of a word is the second
      EXPECT_TRUE(i + 1 < k || i % 2 == 1 || at<uint16_t>(panel, (i / 2 * 16 + row) * 2) == 0);
      return bfloatToFloat(at<uint16_t>(panel, (i / 2 * 16 + row) * 2 + 1 - i % 2));
    }
    return format == PanelFormat::F32   ? at<float>(panel, i * 16 + row)
           : format == PanelFormat::F16 ? halfToFloat(at<uint16_t>(panel, i * 16 + row))
                                        : bfloatToFloat(at<uint16_t>(panel, i * 16 + row));
  case Scales::Half: {
    float value =
        panelQuant(info, panel, row, i) * halfToFloat(at<uint16_t>(panel + parts.scales, place));
    return info.minima ? value + halfToFloat(at<uint16_t>(panel + parts.minima, place)) : value;
  }
  case Scales::Single: {
    float value = panelQuant(info, panel, row, i) * at<float>(panel + parts.scales, place);
    return info.minima ? value + at<float>(panel + parts.minima, place) : value;
  }
  case Scales::Factors: {
    float scale = halfToFloat(at<uint16_t>(panel + parts.scales, super));
    uint8_t factor = panel[parts.factors + place];
    if (!info.minima)
      return scale * int8_t(factor) * panelQuant(info, panel, row, i);
    float minimum = halfToFloat(at<uint16_t>(panel + parts.minima, super));
    return scale * factor * panelQuant(info, panel, row, i) -
           minimum * panel[parts.minimum_factors + place];
  }
  }
  __builtin_unreachable();
}

/// Equal bits, or both not a number.
bool same(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

/// The values that 16 rows have after they were rounded to one of our own formats, [row][k].
std::vector<std::vector<float>> roundedRows(PanelFormat format, int64_t k,
                                            const std::vector<std::vector<float>> &rows) {
  const PanelInfo &info = panelInfo(format);
  std::vector<std::vector<float>> result(16, std::vector<float>(k));
  for (int64_t first = 0; first < k; first += info.columns) {
    const int64_t columns = std::min(info.columns, k - first);
    std::vector<float> values(columns * 16);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t row = 0; row < 16; ++row)
        values[i * 16 + row] = rows[row][first + i];
    RoundedBlock block;
    roundBlock(info, values.data(), columns, block);
    for (int64_t i = 0; i < columns; ++i)
      for (int64_t row = 0; row < 16; ++row) {
        int code = block.codes[i][row];
        float value = float(info.bits == 8 ? int8_t(code) : code - int(info.zero)) *
                      halfToFloat(block.scales[row]);
        result[row][first + i] = info.minima ? value + halfToFloat(block.minima[row]) : value;
      }
  }
  return result;
}

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

struct Case {
  PanelFormat format;
  StorageType source;
};
const Case kCases[] = {
    {PanelFormat::F32, StorageType::F32},   {PanelFormat::F32, StorageType::F16},
    {PanelFormat::F32, StorageType::BF16},  {PanelFormat::F16, StorageType::F16},
    {PanelFormat::BF16, StorageType::BF16}, {PanelFormat::BF16Pairs, StorageType::BF16},
#define MOIRE_BLOCK(enumerator, name, number, elements, bytes, panel)                              \
  {PanelFormat::panel, StorageType::enumerator},
#include "dialects/Formats.def"
};

int64_t blockOf(const Case &c) { return storageTypeInfo(c.source).block_elements; }
bool isPlain(const Case &c) { return blockOf(c) == 1; }
/// Some columns that both plain and block formats can have.
int64_t someColumns(const Case &c) {
  return isPlain(c) ? 96 : 3 * std::max<int64_t>(32, blockOf(c));
}

TEST_F(Packing, EveryFormatKeepsEveryElement) {
  for (const Case &c : kCases) {
    for (int64_t rows : {1, 15, 16, 17, 50}) {
      for (int64_t k : isPlain(c) ? std::vector<int64_t>{1, 7, 64, 161}
                                  : std::vector<int64_t>{blockOf(c), 3 * blockOf(c)}) {
        std::vector<PackedWeight> weights = {
            {"w", c.format, rows, k, {{{tensor(c.source, {rows, k}), rows}}}}};
        expectExact(weights[0], pack(weights));
      }
    }
  }
}

TEST_F(Packing, ConcatenatedRowsContinueAcrossPanels) {
  for (const Case &c : kCases) {
    const int64_t k = someColumns(c);
    PackedWeight qkv{"qkv", c.format, 40 + 12 + 12, k, {}};
    for (int layer = 0; layer < 3; ++layer)
      qkv.slices.push_back({{tensor(c.source, {40, k}), 40, 4},
                            {tensor(c.source, {12, k}), 12, 2},
                            {tensor(c.source, {12, k}), 12}});
    std::vector<PackedWeight> weights = {qkv};
    expectExact(weights[0], pack(weights));
  }
}

TEST_F(Packing, AlternatingPanelsPadEachSource) {
  for (const Case &c : kCases) {
    const int64_t k = someColumns(c);
    PackedWeight gateUp{"gate_up", c.format, 2 * 37, k, {}};
    for (int layer = 0; layer < 2; ++layer)
      gateUp.slices.push_back({{tensor(c.source, {37, k}), 37}, {tensor(c.source, {37, k}), 37}});
    gateUp.alternate_panels = true;
    std::vector<PackedWeight> weights = {gateUp};
    expectExact(weights[0], pack(weights));
    EXPECT_EQ(weights[0].slice_bytes, 6 * panelBytes(c.format, k));
  }
}

// Sources of any type, also of several in one slice; rows in RoPE's order, panels that alternate,
// and blocks that are short. (Random bytes hold numbers that are none, too: they stay none.)
TEST_F(Packing, OwnFormatsHoldWhatRoundingGives) {
  for (PanelFormat format : {
#define MOIRE_QUANT(enumerator, ...) PanelFormat::enumerator,
#include "dialects/Formats.def"
       }) {
    for (int64_t k : {int64_t(32), panelInfo(format).columns, panelInfo(format).columns + 96}) {
      SCOPED_TRACE(std::string(panelInfo(format).name) + " k " + std::to_string(k));
      PackedWeight joined{"joined", format, 40 + 9 + 12, k, {}};
      for (int layer = 0; layer < 2; ++layer)
        joined.slices.push_back({{tensor(StorageType::BF16, {40, k}), 40, 4},
                                 {tensor(StorageType::F32, {9, k}), 9},
                                 {tensor(StorageType::Q8_0, {12, k}), 12}});
      PackedWeight gateUp{"gate_up", format, 2 * 18, k, {}};
      gateUp.slices = {
          {{tensor(StorageType::F16, {18, k}), 18}, {tensor(StorageType::Q4_1, {18, k}), 18}}};
      gateUp.alternate_panels = true;
      std::vector<PackedWeight> weights = {joined, gateUp};
      std::vector<uint8_t> section = pack(weights);
      for (const PackedWeight &weight : weights)
        expectRounded(weight, section);
      EXPECT_EQ(section, pack(weights, 5));
    }
  }
}

TEST_F(Packing, VectorsAreWidenedPermutedAndPadded) {
  for (StorageType type : {StorageType::F32, StorageType::F16, StorageType::BF16}) {
    const TensorEntry *q = tensor(type, {24}), *k = tensor(type, {9});
    std::vector<PackedWeight> weights = {
        {"bias", PanelFormat::Vector, 1, 33, {{{q, 1, 2}, {k, 1}}, {{q, 1}, {k, 1}}}}};
    std::vector<uint8_t> section = pack(weights);
    EXPECT_EQ(weights[0].slice_bytes, 48 * 4);
    std::vector<float> values(33);
    dequantize(type, q->data(), std::span(values).first(24));
    dequantize(type, k->data(), std::span(values).last(9));
    values.resize(48);
    for (int64_t slice = 0; slice < 2; ++slice) {
      const uint8_t *vector = section.data() + weights[0].offset + slice * weights[0].slice_bytes;
      for (int64_t i = 0; i < 48; ++i) {
        bool permuted = slice == 0 && i < 24; // two heads of 12
        int64_t from = permuted ? i / 12 * 12 + i % 6 * 2 + i % 12 / 6 : i;
        EXPECT_TRUE(same(at<float>(vector, i), values[from])) << slice << " " << i;
      }
    }
  }
}

TEST_F(Packing, ComputedVectorsAreCopied) {
  std::vector<PackedWeight> weights(2);
  weights[0] = {"gain", PanelFormat::Vector, 1, 5, {{{tensor(StorageType::F32, {5}), 1}}}};
  weights[1] = {"frequencies", PanelFormat::Vector, 1, 3, {}};
  weights[1].computed = {1.f, 0.5f, -0.f};
  std::vector<uint8_t> section = pack(weights);
  EXPECT_EQ(weights[1].offset, 4096);
  EXPECT_EQ(section.size(), 4096u + 64);
  EXPECT_EQ(at<float>(section.data() + 4096, 1), 0.5f);
  for (size_t i = 5 * 4; i < 4096; ++i)
    ASSERT_EQ(section[i], 0);
  for (size_t i = 4096 + 3 * 4; i < section.size(); ++i)
    ASSERT_EQ(section[i], 0);
}

TEST_F(Packing, TensorsThatNoFileHoldsArePackedAlike) {
  struct Held final : ByteMaker { // the bytes of a file, made piece by piece
    explicit Held(const TensorEntry &tensor) : tensor(tensor) {}
    void make(uint64_t offset, std::span<uint8_t> bytes) const override {
      std::memcpy(bytes.data(), tensor.data().data() + offset, bytes.size());
    }
    const TensorEntry &tensor;
  };
  auto made = [](const TensorEntry &tensor) {
    TensorEntry entry = tensor;
    entry.file = nullptr;
    entry.maker = std::make_shared<Held>(tensor);
    return entry;
  };
  for (const Case &c : kCases) {
    int64_t k = storageTypeInfo(c.source).block_elements > 32 ? 256 : 96;
    const TensorEntry *a = tensor(c.source, {40, k}), *b = tensor(c.source, {9, k});
    TensorEntry madeA = made(*a);
    std::vector<PackedWeight> held = {{"w", c.format, 49, k, {{{a, 40, 4}, {b, 9}}}}};
    std::vector<PackedWeight> mixed = {{"w", c.format, 49, k, {{{&madeA, 40, 4}, {b, 9}}}}};
    EXPECT_EQ(pack(held), pack(mixed));
  }
  const TensorEntry *gain = tensor(StorageType::F32, {24});
  TensorEntry madeGain = made(*gain);
  std::vector<PackedWeight> held = {{"v", PanelFormat::Vector, 1, 24, {{{gain, 1}}}}};
  std::vector<PackedWeight> mixed = {{"v", PanelFormat::Vector, 1, 24, {{{&madeGain, 1}}}}};
  EXPECT_EQ(pack(held), pack(mixed));
}

TEST_F(Packing, ThreadsDoNotChangeABit) {
  std::vector<PackedWeight> weights;
  const TensorEntry *large = tensor(StorageType::Q8_0, {4100, 1024});
  weights.push_back({"large", PanelFormat::Q8_0, 4100, 1024, {{{large, 4100}}, {{large, 4100}}}});
  weights.push_back({"gain", PanelFormat::Vector, 1, 7, {{{tensor(StorageType::F16, {7}), 1}}}});
  weights.push_back(
      {"half", PanelFormat::F16, 999, 777, {{{tensor(StorageType::F16, {999, 777}), 999}}}});
  std::vector<uint8_t> one = pack(weights, 1);
  EXPECT_EQ(one, pack(weights, 2));
  EXPECT_EQ(one, pack(weights, 5));
}

/// Kilobytes of this process's own memory, without mapped files.
int64_t anonymousMemory() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word && word != "RssAnon:")
    ;
  int64_t kilobytes = 0;
  status >> kilobytes;
  return kilobytes;
}

TEST_F(Packing, MemoryInFlightDoesNotGrowWithTheModel) {
  PackedWeight weight{"w", PanelFormat::F32, 256, 1024, {}};
  weight.slices.assign(128, {{tensor(StorageType::F32, {256, 1024}), 256}}); // 128 MB packed
  std::vector<PackedWeight> weights = {weight};
  layOutWeights(weights);
  std::string error;
  int64_t before = anonymousMemory(), most = 0;
  auto write = [&](std::span<const uint8_t>) {
    most = std::max(most, anonymousMemory() - before);
    return true;
  };
  EXPECT_TRUE(packWeights(weights, 2, write, nullptr, error)) << error;
  EXPECT_LT(most, 32 << 10);
}

TEST_F(Packing, AWriterThatFailsStopsThePacker) {
  PackedWeight weight{"w", PanelFormat::F32, 512, 1024, {}};
  weight.slices.assign(32, {{tensor(StorageType::F32, {512, 1024}), 512}});
  std::vector<PackedWeight> weights = {weight};
  layOutWeights(weights);
  int calls = 0;
  std::string error;
  EXPECT_FALSE(packWeights(
      weights, 3, [&](std::span<const uint8_t>) { return ++calls < 4; }, nullptr, error));
  EXPECT_EQ(calls, 4);
  EXPECT_NE(error, "");
}

/// The recipe of a single weight that must be refused with `reason` in the message.
void expectRefused(PackedWeight weight, const std::string &reason) {
  std::vector<PackedWeight> weights = {weight};
  layOutWeights(weights);
  std::string error;
  EXPECT_FALSE(packWeights(
      weights, 1,
      [](std::span<const uint8_t>) {
        ADD_FAILURE() << "wrote something";
        return false;
      },
      nullptr, error));
  EXPECT_NE(error.find(reason), std::string::npos) << error;
  EXPECT_NE(error.find("'" + weight.name + "'"), std::string::npos) << error;
}

TEST_F(Packing, RecipesThatDoNotFitAreRefused) {
  const TensorEntry *f32 = tensor(StorageType::F32, {20, 32}),
                    *f16 = tensor(StorageType::F16, {20, 32});
  const TensorEntry *q8 = tensor(StorageType::Q8_0, {20, 32});
  expectRefused({"round", PanelFormat::F16, 20, 32, {{{f32, 20}}}}, "without rounding");
  expectRefused({"dequantize", PanelFormat::F32, 20, 32, {{{q8, 20}}}}, "without rounding");
  expectRefused({"long", PanelFormat::F32, 21, 32, {{{f32, 21}}}}, "fewer than 21 rows");
  expectRefused({"wide", PanelFormat::F32, 20, 33, {{{f32, 20}}}}, "fewer than 20 rows");
  expectRefused({"block", PanelFormat::Q8_0, 20, 16, {{{q8, 20}}}}, "no whole number");
  expectRefused({"sum", PanelFormat::F32, 21, 32, {{{f32, 20}}}}, "instead of 21");
  expectRefused({"heads", PanelFormat::F32, 20, 32, {{{f32, 20, 3}}}}, "3 heads");
  expectRefused({"mixed", PanelFormat::F32, 40, 32, {{{f32, 20}, {f16, 20}}}}, "different types");
  expectRefused({"uneven", PanelFormat::F32, 30, 32, {{{f32, 20}, {f32, 10}}}, true},
                "equal numbers");
  expectRefused({"none", PanelFormat::F32, 0, 32, {}}, "no elements");

  std::vector<PackedWeight> weights = {{"moved", PanelFormat::F32, 20, 32, {{{f32, 20}}}}};
  std::string error;
  EXPECT_FALSE(
      packWeights(weights, 1, [](std::span<const uint8_t>) { return true; }, nullptr, error));
  EXPECT_NE(error.find("laid out"), std::string::npos) << error;
}

} // namespace
