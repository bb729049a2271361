// Packs random weights and reads every element back by the layout in the comment of Packing.h: the
// values must be, bit for bit, those of the source.

#include "test/codegen/artifact/PackingFixture.h"

using namespace moire;
using namespace moire::test;

namespace {

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

} // namespace
