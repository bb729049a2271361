// What the innermost loops of products cost, without a clock: they are found in the assembly, and
// their instructions counted. A change that makes them longer, or lets the registers run out, is
// seen here on every machine.

#include "test/codegen/cpu/Assembly.h"

#include <gtest/gtest.h>
#include <map>

namespace moire::test {
namespace {

struct Loop {
  int products = 0, instructions = 0, onStack = 0;
};

// Loops of one piece: from a label to the jump back to it.
std::vector<Loop> loopsOf(const std::vector<std::string> &lines, const std::string &product) {
  std::vector<Loop> loops;
  std::string label;
  Loop loop;
  for (llvm::StringRef line : lines) {
    if (line.ends_with(":")) {
      label = line.drop_back().str();
      loop = {};
      continue;
    }
    if (!isInstruction(line))
      continue;
    ++loop.instructions;
    loop.products += line.starts_with(product);
    loop.onStack += line.contains("(%rsp)");
    if (!line.starts_with("j"))
      continue;
    if (!label.empty() && line.ends_with(label) && loop.products > 0)
      loops.push_back(loop);
    label.clear(); // what follows is another piece
  }
  return loops;
}

// The loops over two groups of 4 columns (pairs of bf16: over 4 pairs, f32: 4 columns), by the
// whole tile of rows that multiplies an unpacked panel: the shortest of so many products.
struct Expected {
  const char *format, *cpu, *product;
  int products, instructions;
};

std::ostream &operator<<(std::ostream &out, const Expected &e) {
  return out << e.format << " for " << e.cpu;
}

class HotLoops : public testing::TestWithParam<Expected> {};

TEST_P(HotLoops, TileIsShort) {
  const Expected &expected = GetParam();
  int shortest = 0, tiles = 0;
  for (const Loop &loop : loopsOf(assemblyOf(expected.format, expected.cpu), expected.product)) {
    EXPECT_EQ(loop.onStack, 0) << "a loop of " << loop.products << " products spills registers";
    if (loop.products != expected.products)
      continue;
    ++tiles;
    shortest = shortest ? std::min(shortest, loop.instructions) : loop.instructions;
  }
  ASSERT_GT(tiles, 0) << "no loop of " << expected.products << " " << expected.product;
  EXPECT_LE(shortest, expected.instructions * 1.1);
  EXPECT_GE(shortest, expected.instructions * 0.8) << "better than what is written here: update it";
}

INSTANTIATE_TEST_SUITE_P(Tiles, HotLoops,
                         testing::Values(Expected{"q4_0", "x86-64-v3", "vpmaddubsw", 16, 48},
                                         Expected{"q8_0", "x86-64-v3", "vpmaddubsw", 16, 86},
                                         Expected{"q4_0", "x86-64-v4", "vpmaddubsw", 16, 54},
                                         Expected{"q4_0", "znver4", "vpdpbusd", 16, 22},
                                         Expected{"q8_0", "znver4", "vpdpbusd", 16, 24},
                                         Expected{"bf16", "x86-64-v3", "vfmadd", 32, 60},
                                         Expected{"bf16", "x86-64-v4", "vfmadd", 32, 44},
                                         Expected{"bf16", "znver4", "vdpbf16ps", 32, 40}),
                         [](const auto &info) {
                           std::string name = std::string(info.param.format) + "_" + info.param.cpu;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace moire::test
