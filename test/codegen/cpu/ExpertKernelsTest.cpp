// The products of experts, bit for bit against plain products: every expert's product of every row
// is computed by tile.contract too, and the results of the chosen ones are picked and added up
// here.

#include "test/codegen/cpu/ExpertRegion.h"

namespace moire::test {
namespace {

void checkEverywhere(const Shape &shape) {
  for (const std::string &cpu : runnableCpus()) {
    SCOPED_TRACE(std::string(nameOf(shape.format)) + " " + shape.instruction + " " +
                 shape.epilogue + " d " + std::to_string(shape.d) + " f " +
                 std::to_string(shape.f) + " " + cpu);
    Region region(shape);
    auto kernel = region.compile(cpu);
    ASSERT_TRUE(kernel);
    for (Spread spread : {Spread::Random, Spread::First, Spread::EverySecond}) {
      std::vector<float> all = region.run(*kernel, 21, 1, spread);
      if (testing::Test::HasFatalFailure())
        return;
      // Neither other tokens nor the team change a token's numbers.
      for (auto [tokens, team] : {std::pair(1, 1), {1, 3}, {2, 2}, {5, 5}, {21, 2}, {21, 7}}) {
        std::vector<float> some = region.run(*kernel, tokens, team, spread);
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin()))
            << tokens << " tokens, a team of " << team;
      }
      for (int team : {1, 3}) {
        std::vector<float> one = region.run(*kernel, 1, team, spread, /*one=*/true);
        ASSERT_TRUE(std::equal(one.begin(), one.end(), all.begin()))
            << "one token, a team of " << team;
      }
    }
  }
}

TEST(ExpertKernels, FloatActivations) {
  checkEverywhere({PanelFormat::BF16, "vfmadd", "gate_silu", 40, 20, 5, 2, true});
  checkEverywhere({PanelFormat::F32, "vfmadd", "silu", 7, 33, 3, 3, false});
  checkEverywhere({PanelFormat::Q4_1, "vfmadd", "gate_silu", 64, 32, 9, 4, true});
  checkEverywhere({PanelFormat::F16, "vfmadd", "gate_silu", 80, 1, 2, 1, false});
  checkEverywhere({PanelFormat::BF16Pairs, "vdpbf16ps", "gate_silu", 41, 20, 5, 2, true});
  checkEverywhere({PanelFormat::BF16, "vfmadd", "gate_silu", 40, 70, 5, 2, true, {1, 1, 2, 5, 32}});
}

TEST(ExpertKernels, Int8Activations) {
  for (const std::string &instruction : instructions(4))
    checkEverywhere(
        {PanelFormat::Q4_0, instruction, "gate_silu", 64, 96, 6, 3, true, {1, 1, 2, 5, 32}});
  for (const std::string &instruction : instructions(6))
    checkEverywhere({PanelFormat::Q6_K, instruction, "gate_silu", 256, 256, 3, 2, true});
  for (const std::string &instruction : instructions(8))
    checkEverywhere({PanelFormat::Q8_0, instruction, "gate_silu", 96, 32, 4, 2, true});
}

// Experts of few and of many rows: what goes direct begins anywhere, the others at whole fours.
TEST(ExpertKernels, RowsByFours) {
  Shape shape = {PanelFormat::Q4_0, {}, "gate_silu", 64, 96, 6, 3, true, {5, 2, 4, 8, 32}};
  shape.fours = 0;
  for (const std::string &instruction : instructions(4)) {
    shape.instruction = instruction;
    checkEverywhere(shape);
  }
  shape.fours = 4; // rows of tokens, in steps of more
  checkEverywhere(shape);
  shape = {PanelFormat::Q8_0, {}, "silu", 96, 32, 5, 1, false, {9, 3, 12, 24, 64}};
  shape.fours = 0;
  for (const std::string &instruction : instructions(8)) {
    shape.instruction = instruction;
    checkEverywhere(shape);
  }
}

} // namespace
} // namespace moire::test
