// Products with panels: near a product in double, and bit for bit in the order that is the contract
// (K ascending; int8: an exact sum for the columns of a scale, then the scale, then the minimum).
//
// Every third row of activations is of 127 and -127, every sixth of one of them for 32 columns;
// every fourth row of weights is of the largest and smallest quants, every eighth of the largest: a
// machine instruction that saturates, or sums that wrap, would be seen.

#include "runtime/cpu/FloatMode.h"
#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/Weights.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace moire::test {
namespace {

enum class Epilogue { Store, Bias, Accumulate, Gate };

struct Shape {
  PanelFormat format;
  Epilogue epilogue;
  int64_t k, width;
  bool exactOut; // the host's rows, without padding
  Blocking blocking = kUsualBlocking;
  int64_t blockColumns = 32; // of quantized rows
  Sharing sharing = kUsualSharing;
};

std::string describe(const Shape &shape) {
  const char *epilogues[] = {"store", "bias", "accumulate", "gate"};
  return std::string(nameOf(shape.format)) + " " + epilogues[int(shape.epilogue)] + " k " +
         std::to_string(shape.k) + " width " + std::to_string(shape.width) + " blocks of " +
         std::to_string(shape.blockColumns);
}

int64_t padded(int64_t width) { return (width + 15) / 16 * 16; }

// One product, its operands and what it yields.
class Product {
public:
  Product(Shape shape, std::string instruction)
      : shape(shape), instruction(std::move(instruction)),
        quantized(panelInfo(shape.format).isBlocked() && this->instruction != "vfmadd"),
        pairs(this->instruction == "vdpbf16ps"), random(shape.k * 64 + shape.width),
        weight(randomMatrix(shape.format, shape.width, shape.k, random)),
        up(randomMatrix(shape.format, shape.width, shape.k, random)) {
    outWidth = shape.exactOut ? shape.width : padded(shape.width);
    panels = shape.epilogue == Epilogue::Gate ? packPanels({&weight, &up}) : packPanels({&weight});
    panelsAt = memory.weight(panels.data(), panels.size());
    bias.assign(padded(shape.width), 0);
    for (int64_t j = 0; j < shape.width; ++j)
      bias[j] = random.uniform(-1, 1);
    biasAt = memory.weight(bias.data(), 4 * bias.size());
    if (quantized) {
      valuesAt = memory.shared(shape.k);
      scalesAt = memory.shared(8 * blocks());
      sumsAt = memory.shared(4 * sums());
    } else {
      xAt = memory.shared(4 * (pairs ? padded(shape.k) / 2 : shape.k));
    }
    outAt = memory.shared(4 * outWidth);
    stripAt = memory.scratch(kStripSpace);
    turnsAt = memory.team(8);
  }

  std::unique_ptr<Kernel> compile(const std::string &cpu, int optLevel = 1) {
    return Kernel::compile({[this](bool one) { return text(one); }}, memory, cpu, optLevel);
  }

  /// The results of a step of `tokens` rows: always the same for the same row.
  std::vector<float> run(Kernel &kernel, int64_t tokens, int team, bool one = false) {
    kernel.reserve(tokens + 1); // what lies behind the last row is looked at
    prepare(kernel, tokens);
    float *out = kernel.at<float>(outAt);
    std::vector<float> behind(out + tokens * outWidth, out + (tokens + 1) * outWidth);
    kernel.run(tokens, team, one);
    EXPECT_EQ(behind, std::vector<float>(out + tokens * outWidth, out + (tokens + 1) * outWidth));
    std::vector<float> result;
    for (int64_t t = 0; t < tokens; ++t)
      result.insert(result.end(), out + t * outWidth, out + t * outWidth + shape.width);
    return result;
  }

  void check(const std::vector<float> &found) const {
    for (size_t i = 0; i < found.size(); ++i) {
      int64_t t = i / shape.width, n = i % shape.width;
      double magnitude = 0, exact = inDouble(weight, t, n, magnitude);
      float ordered = inOrder(weight, t, n);
      if (shape.epilogue == Epilogue::Gate) {
        double gate = exact, gateMagnitude = magnitude, upMagnitude = 0;
        double value = inDouble(up, t, n, upMagnitude);
        exact = gate / (1 + std::exp(-gate)) * value;
        magnitude = (gateMagnitude + 1) * (upMagnitude + 1);
        ASSERT_NEAR(found[i], exact, 4e-6 * magnitude) << "row " << t << " output " << n;
        continue;
      }
      float rest = shape.epilogue == Epilogue::Store ? 0 : bias[n];
      if (shape.epilogue == Epilogue::Bias)
        ordered += rest;
      if (shape.epilogue == Epilogue::Accumulate)
        ordered = before(t, n) + ordered, rest = before(t, n);
      ASSERT_NEAR(found[i], exact + rest, 4e-6 * (magnitude + 1)) << "row " << t << " output " << n;
      ASSERT_EQ(found[i], ordered) << "row " << t << " output " << n;
    }
  }

private:
  /// Blocks of a quantized row, and its sums: of 16 columns, or of a wider block.
  int64_t blocks() const { return (shape.k + shape.blockColumns - 1) / shape.blockColumns; }
  int64_t sums() const { return shape.blockColumns == 32 ? shape.k / 16 : blocks(); }

  std::string text(bool one) const {
    int64_t k = shape.k, parts = shape.epilogue == Epilogue::Gate ? 2 : 1;
    std::string text = weightVector("w", panelsAt, panels.size(), "i8");
    std::string operands, types, out = rowsOf(one, {outWidth}, "f32");
    if (quantized) {
      text += sharedBuffer(one, "v", valuesAt, {k}, "i8") +
              sharedBuffer(one, "s", scalesAt, {2, blocks()}, "f32") +
              sharedBuffer(one, "m", sumsAt, {sums()}, "i32");
      operands = "%v, %s, %m";
      types = rowsOf(one, {k}, "i8") + ", " + rowsOf(one, {2, blocks()}, "f32") + ", " +
              rowsOf(one, {sums()}, "i32");
    } else if (pairs) {
      text += sharedBuffer(one, "x", xAt, {padded(k) / 2}, "i32");
      operands = "%x";
      types = rowsOf(one, {padded(k) / 2}, "i32");
    } else {
      text += sharedBuffer(one, "x", xAt, {k}, "f32");
      operands = "%x";
      types = rowsOf(one, {k}, "f32");
    }
    operands += " weight %w";
    types += " weight memref<" + std::to_string(panels.size()) + "xi8>";
    if (shape.epilogue == Epilogue::Bias) {
      text += weightVector("b", biasAt, bias.size(), "f32");
      operands += " bias %b";
      types += " bias memref<" + std::to_string(bias.size()) + "xf32>";
    }
    if (!one) {
      using mlir::tile::RowKind;
      RowKind kind = quantized ? RowKind::Quantized : pairs ? RowKind::Pairs : RowKind::Floats;
      if (int64_t bytes = shape.blocking.stripBytes(shape.format, kind, k, parts)) {
        std::string strip = std::to_string(bytes) + "xi8";
        text += privateBuffer("strip", stripAt, strip);
        operands += " strip %strip";
        types += " strip memref<" + strip + ">";
      }
    }
    text += sharedBuffer(one, "y", outAt, {outWidth}, "f32") + turnsBuffer("turns", turnsAt);
    operands += " turns %turns";
    const char *epilogues[] = {"store", "store", "accumulate", "gate_silu"};
    return text + "tile.contract panels \"" + instruction + "\" " + nameOf(shape.format) + " " +
           operands + " -> " + epilogues[int(shape.epilogue)] + " %y {" +
           (one ? "" : shape.blocking.text() + ", ") + shape.sharing.text() +
           ", width = " + std::to_string(shape.width) + " : i64, k = " + std::to_string(k) +
           " : i64} : " + types + " -> " + out;
  }

  // Activations: row t depends on t only.
  float activation(int64_t t, int64_t k) const {
    Random row(t * 1000 + k);
    float value = row.uniform(-1, 1);
    // The products of every third row with every fourth row of bf16 weights are denormal.
    if (bf16 && t % 3 == 2)
      value *= 1e-19f;
    return bf16 ? roundToBf16(value) : value;
  }
  // Columns 2p and 2p + 1 as one word; the second is 0 behind the row.
  uint32_t pair(int64_t t, int64_t p) const {
    auto bits = [&](int64_t k) {
      return k < shape.k ? std::bit_cast<uint32_t>(activation(t, k)) : 0;
    };
    return bits(2 * p) | bits(2 * p + 1) >> 16;
  }
  int quant(int64_t t, int64_t k) const {
    Random row(t * 1000 + (t % 6 == 5 ? k / 32 : k));
    return t % 3 == 2 ? (row.integer(0, 1) ? 127 : -127) : row.integer(-127, 127);
  }
  float rowScale(int64_t t, int64_t block) const {
    Random row(t * 100 + block + 7);
    return row.uniform(0.001f, 0.01f);
  }
  int sum(int64_t t, int64_t first, int64_t columns) const {
    int total = 0;
    for (int64_t i = first; i < std::min(first + columns, shape.k); ++i)
      total += quant(t, i);
    return total;
  }
  float before(int64_t t, int64_t n) const {
    Random row(t * 100 + n + 3);
    return row.uniform(-2, 2);
  }

  void prepare(Kernel &kernel, int64_t tokens) {
    const int64_t k = shape.k, columns = shape.blockColumns, count = blocks();
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t p = 0; pairs && p < padded(k) / 2; ++p)
        kernel.at<uint32_t>(xAt)[t * padded(k) / 2 + p] = pair(t, p);
      for (int64_t i = 0; !pairs && i < k; ++i)
        if (quantized)
          kernel.at<int8_t>(valuesAt)[t * k + i] = quant(t, i);
        else
          kernel.at<float>(xAt)[t * k + i] = activation(t, i);
      for (int64_t b = 0; quantized && b < count; ++b) {
        kernel.at<float>(scalesAt)[(2 * t + 0) * count + b] = rowScale(t, b);
        kernel.at<float>(scalesAt)[(2 * t + 1) * count + b] =
            rowScale(t, b) * float(sum(t, columns * b, columns));
      }
      for (int64_t b = 0; quantized && b < count; ++b) {
        int64_t words = sums() / count, end = std::min(columns * (b + 1), k);
        auto quants = [&](int64_t i) { return quant(t, i); };
        int32_t *word = kernel.at<int32_t>(sumsAt) + t * sums() + words * b;
        word[0] = sumWord(columns * b, end, quants);
        if (words == 2)
          word[1] = sumWord(columns * b + 16, end, quants);
      }
    }
    for (int64_t t = 0; t <= tokens; ++t)
      for (int64_t n = 0; n < outWidth; ++n)
        kernel.at<float>(outAt)[t * outWidth + n] = before(t, n);
  }

  double inDouble(const Matrix &w, int64_t t, int64_t n, double &magnitude) const {
    double total = 0;
    for (int64_t k = 0; k < shape.k; ++k) {
      double x =
          quantized ? double(rowScale(t, k / shape.blockColumns)) * quant(t, k) : activation(t, k);
      double exact = !w.info().isBlocked()
                         ? w.at(n, k)
                         : double(w.scale(n, k)) * w.quants[n * w.k + k] + w.minimum(n, k);
      total += x * exact;
      magnitude += std::abs(x * exact);
    }
    return total;
  }

  float inOrder(const Matrix &w, int64_t t, int64_t n) const {
    FloatModeScope mode; // as the team that multiplies
    float total = 0;
    if (!quantized) {
      for (int64_t k = 0; k < shape.k; ++k)
        total = std::fma(w.at(n, k), activation(t, k), total);
      return total;
    }
    const int64_t columns = std::min(w.info().columns, shape.blockColumns);
    for (int64_t first = 0; first < shape.k; first += columns) {
      int dot = 0;
      for (int64_t k = first; k < std::min(first + columns, shape.k); ++k)
        dot += w.quants[n * w.k + k] * quant(t, k);
      float x = rowScale(t, first / shape.blockColumns);
      total = std::fma(w.scale(n, first) * x, static_cast<float>(dot), total);
      if (w.info().minima)
        total =
            std::fma(w.minimum(n, first), x * static_cast<float>(sum(t, first, columns)), total);
    }
    return total;
  }

  Shape shape;
  std::string instruction;
  bool quantized, pairs;
  bool bf16 = shape.format == PanelFormat::BF16 || shape.format == PanelFormat::BF16Pairs;
  Random random;
  Matrix weight, up;
  std::vector<uint8_t> panels;
  std::vector<float> bias;
  Memory memory;
  int64_t outWidth, panelsAt, biasAt, stripAt, turnsAt, outAt;
  int64_t xAt = 0, valuesAt = 0, scalesAt = 0, sumsAt = 0;
};

void checkEverywhere(const Shape &shape, const std::string &instruction) {
  // vpdpbusd needs 512-bit code where it is real; where it is spelled out any CPU will do.
  for (const std::string &cpu : runnableCpus()) {
    SCOPED_TRACE(describe(shape) + " " + instruction + " " + cpu);
    Product product(shape, instruction);
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
          Shape{format, Epilogue::Accumulate, 67, 40, false, {1, 1, 2, 3, 32}},
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
          Shape{PanelFormat::BF16Pairs, Epilogue::Gate, 97, 20, false, {1, 1, 4, 3, 64}},
          Shape{PanelFormat::BF16Pairs, Epilogue::Gate, 96, 20, false}})
      checkEverywhere(shape, instruction);
}

std::vector<Shape> blockShapes(PanelFormat format) {
  int64_t block = std::max(blockColumns(format), panelInfo(format).columns);
  // In chunks of 32 columns, blocks of 3 rows, tiles of 2; then in tiles of 8, of two chunks.
  const Blocking small = {1, 1, 2, 3, 32}, wide = {2, 2, 8, 16, 2 * block};
  return {{format, Epilogue::Store, block, 33, true},
          {format, Epilogue::Bias, 3 * block, 1, false, wide},
          {format, Epilogue::Accumulate, 2 * block, 16, false, small},
          {format, Epilogue::Gate, block, 20, false, kUsualBlocking, 32, {0, 2, 0, 4}},
          {format, Epilogue::Store, 2 * block, 100, false, kUsualBlocking, 32, {2, 4, 1, 4}},
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
