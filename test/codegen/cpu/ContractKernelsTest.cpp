// Products with panels, in every shape, format, blocking and instruction that there is.

#include "test/codegen/cpu/ContractProduct.h"

namespace moire::test {
namespace {

void checkEverywhere(const Shape &shape, const std::string &instruction, bool fours = false) {
  // vpdpbusd needs 512-bit code where it is real; where it is spelled out any CPU will do.
  for (const std::string &cpu : runnableCpus()) {
    SCOPED_TRACE(describe(shape) + " " + instruction + " " + cpu + (fours ? " by fours" : ""));
    Product product(shape, instruction, fours);
    auto kernel = product.compile(cpu);
    ASSERT_TRUE(kernel);
    std::vector<float> all = product.run(*kernel, 9, 1);
    product.check(all);
    if (testing::Test::HasFatalFailure())
      return;
    // A row's numbers depend on neither the rows beside it nor the team.
    for (int64_t tokens : {1, 2, 3, 4, 5})
      for (int team : {1, 2, 3, 5}) {
        std::vector<float> some = product.run(*kernel, tokens, team);
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin()))
            << tokens << " rows, a team of " << team;
      }
    for (int team : {1, 3}) {
      std::vector<float> one = product.run(*kernel, 1, team, /*one=*/true);
      ASSERT_TRUE(std::equal(one.begin(), one.end(), all.begin())) << "one row, a team of " << team;
    }
  }
}

TEST(ContractKernels, FloatActivationsPlainWeights) {
  for (PanelFormat format : {PanelFormat::F32, PanelFormat::F16, PanelFormat::BF16})
    for (Shape shape :
         {Shape{format, Epilogue::Store, 1, 1, true}, Shape{format, Epilogue::Bias, 33, 17, false},
          Shape{format, Epilogue::Accumulate, 7, 40, false},
          Shape{format, Epilogue::Accumulate, 67, 40, false, {1, 1, 2, 3, 32, 2}},
          Shape{format, Epilogue::Store, 70, 100, false, kUsualBlocking, 32, {2, 4, 1, 4}},
          Shape{format, Epilogue::Gate, 10, 20, false, kUsualBlocking, 32, {0, 2, 0, 4}}})
      checkEverywhere(shape, "vfmadd");
}

// Pairs give what fused multiply-adds give of the same rows, in the same order; and whoever has f32
// rows can read their panels.
TEST(ContractKernels, Bf16Activations) {
  for (const char *instruction : {"vdpbf16ps", "vfmadd"})
    for (Shape shape :
         {Shape{PanelFormat::BF16Pairs, Epilogue::Store, 1, 1, true},
          Shape{PanelFormat::BF16Pairs, Epilogue::Bias, 33, 17, false},
          Shape{PanelFormat::BF16Pairs, Epilogue::Accumulate, 12, 40, false},
          Shape{PanelFormat::BF16Pairs, Epilogue::Gate, 97, 20, false, {1, 1, 4, 3, 64, 2}},
          Shape{PanelFormat::BF16Pairs, Epilogue::Gate, 96, 20, false}})
      checkEverywhere(shape, instruction);
}

std::vector<Shape> blockShapes(PanelFormat format) {
  int64_t block = std::max(blockColumns(format), panelInfo(format).columns);
  // In chunks of 32 columns, blocks of 3 rows, tiles of 2; then in tiles of 6 rows and two panels,
  // of two chunks, and of 4 rows and gate and up.
  const Blocking small = {1, 1, 2, 3, 32}, wide = {2, 2, 6, 16, 2 * block, 2};
  const Blocking both = {6, 3, 4, 256, 1024, 2};
  return {{format, Epilogue::Store, block, 33, true},
          {format, Epilogue::Bias, 3 * block, 33, false, wide},
          {format, Epilogue::Accumulate, 2 * block, 16, false, small},
          {format, Epilogue::Gate, block, 20, false, both, 32, {0, 2, 0, 4}},
          {format, Epilogue::Store, 2 * block, 100, false, kUsualBlocking, 32, {2, 4, 1, 4, 128}},
          {format, Epilogue::Gate, 2 * block, 20, false, small}};
}

class BlockWeights : public testing::TestWithParam<PanelFormat> {};

TEST_P(BlockWeights, FloatActivations) {
  for (const Shape &shape : blockShapes(GetParam()))
    checkEverywhere(shape, "vfmadd");
}

TEST_P(BlockWeights, Int8Activations) {
  for (const std::string &instruction : instructions(panelInfo(GetParam()).dotBits()))
    for (const Shape &shape : blockShapes(GetParam()))
      checkEverywhere(shape, instruction);
}

// One and two chunks, tiles of six rows and two panels, of one four, of two and of three, the last
// of any not whole; from some rows on and from the first.
TEST_P(BlockWeights, Int8ActivationsByFours) {
  const PanelFormat format = GetParam();
  const int64_t block = std::max(blockColumns(format), panelInfo(format).columns);
  for (const std::string &instruction : instructions(panelInfo(format).dotBits()))
    for (const Shape &shape :
         {Shape{format, Epilogue::Accumulate, 2 * block, 40, false, {2, 1, 6, 8, block, 2}},
          Shape{format, Epilogue::Gate, block, 20, false, kUsualBlocking},
          Shape{format, Epilogue::Bias, block, 33, false, {8, 4, 12, 24, block}},
          Shape{format, Epilogue::Store, 2 * block, 33, true, {4, 4, 8, 16, 2 * block}}})
      checkEverywhere(shape, instruction, /*fours=*/true);
}

INSTANTIATE_TEST_SUITE_P(ContractKernels, BlockWeights, testing::ValuesIn(blockFormats()),
                         [](const auto &info) { return std::string(nameOf(info.param)); });

class WideBlocks : public testing::TestWithParam<PanelFormat> {};

// Blocks of rows as wide as those of the weights, or between them and 32; the last may be short, or
// the only one.
TEST_P(WideBlocks, OfActivations) {
  const PanelFormat format = GetParam();
  const int64_t most = panelInfo(format).columns;
  const std::vector<std::string> all = instructions(panelInfo(format).dotBits());
  const Blocking small = {1, 1, 2, 3, most};
  for (const std::string &instruction : all) {
    checkEverywhere({format, Epilogue::Accumulate, 2 * most + 32, 17, false, small, most},
                    instruction);
    checkEverywhere({format, Epilogue::Gate, most, 20, false, kUsualBlocking, most}, instruction);
    checkEverywhere({format, Epilogue::Bias, most + 96, 33, false, kUsualBlocking, most},
                    instruction, /*fours=*/true);
  }
  for (int64_t columns = 64; columns < most; columns *= 2)
    checkEverywhere({format, Epilogue::Bias, most + 96, 33, false, kUsualBlocking, columns},
                    all.back());
  if (most > 64) // 32 columns are a block of 32 in any case
    checkEverywhere({format, Epilogue::Store, most - 32, 33, true, kUsualBlocking, most},
                    all.back());
}

INSTANTIATE_TEST_SUITE_P(ContractKernels, WideBlocks,
                         testing::Values(PanelFormat::Int4_G128, PanelFormat::Uint4_G64,
                                         PanelFormat::Int8_G256),
                         [](const auto &info) { return std::string(nameOf(info.param)); });

TEST(ContractKernels, OptimizationChangesNoBit) {
  for (auto [format, instruction] : {std::pair(PanelFormat::Q4_1, instructions(4).back()),
                                     {PanelFormat::BF16Pairs, std::string("vdpbf16ps")},
                                     {PanelFormat::BF16, std::string("vfmadd")}}) {
    Product product({format, Epilogue::Gate, 64, 20, false}, instruction);
    std::vector<float> results[4];
    for (int level : {0, 1, 2, 3}) {
      auto kernel = product.compile("native", level);
      ASSERT_TRUE(kernel);
      results[level] = product.run(*kernel, 6, 2);
    }
    for (int level : {1, 2, 3})
      EXPECT_EQ(results[level], results[0]) << "-O" << level;
  }
}

} // namespace
} // namespace moire::test
