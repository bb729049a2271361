// What the innermost loops of products cost, without a clock: they are found in the assembly, and
// their instructions counted. A change that makes them longer, or lets the registers run out, is
// seen here on every machine.

#include "test/codegen/cpu/Assembly.h"

#include <gtest/gtest.h>
#include <map>

namespace moire::test {
namespace {

struct Loop {
  int products = 0, instructions = 0, spilled = 0; // vectors on the stack
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
    loop.spilled += line.contains("(%rsp)") && (line.contains("%ymm") || line.contains("%zmm"));
    if (!line.starts_with("j"))
      continue;
    if (!label.empty() && line.ends_with(label) && loop.products > 0)
      loops.push_back(loop);
    label.clear(); // what follows is another piece
  }
  return loops;
}

// The loops over two groups of 4 columns, or with 512 bits four (pairs of bf16: over 4 pairs, f32:
// 4 columns), by the whole tile of rows, and panels, that multiplies unpacked ones: the shortest of
// so many products.
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
  Loop tile;
  for (const Loop &loop : loopsOf(assemblyOf(expected.format, expected.cpu), expected.product))
    if (loop.products == expected.products &&
        (!tile.products || loop.instructions < tile.instructions))
      tile = loop;
  ASSERT_GT(tile.products, 0) << "no loop of " << expected.products << " " << expected.product;
  EXPECT_EQ(tile.spilled, 0) << "there are not enough registers for the tile";
  EXPECT_LE(tile.instructions, expected.instructions * 1.1);
  EXPECT_GE(tile.instructions, expected.instructions * 0.8)
      << "better than expected: write it down";
}

INSTANTIATE_TEST_SUITE_P(Tiles, HotLoops,
                         testing::Values(Expected{"q4_0", "x86-64-v3", "vpmaddubsw", 16, 48},
                                         Expected{"q8_0", "x86-64-v3", "vpmaddubsw", 16, 86},
                                         Expected{"q4_0", "x86-64-v4", "vpmaddubsw", 48, 160},
                                         Expected{"q4_0", "znver4", "vpdpbusd", 48, 94},
                                         Expected{"q8_0", "znver4", "vpdpbusd", 48, 94},
                                         Expected{"bf16", "x86-64-v3", "vfmadd", 32, 60},
                                         Expected{"bf16", "x86-64-v4", "vfmadd", 48, 85},
                                         Expected{"bf16", "znver4", "vdpbf16ps", 48, 85}),
                         [](const auto &info) {
                           std::string name = std::string(info.param.format) + "_" + info.param.cpu;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

} // namespace
} // namespace moire::test
