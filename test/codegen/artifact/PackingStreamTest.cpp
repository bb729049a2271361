// Packing as a stream: threads, memory, a writer that fails; and recipes that do not fit.

#include "test/codegen/artifact/PackingFixture.h"

using namespace moire;
using namespace moire::test;

namespace {

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
