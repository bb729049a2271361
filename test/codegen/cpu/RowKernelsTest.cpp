// Kernels on rows against plain loops: in double, or bit for bit where the order is the contract.

#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/Weights.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace moire::test {
namespace {

constexpr int kTeams[] = {1, 2, 3};

int64_t padded(int64_t width) { return (width + 15) / 16 * 16; }

void fill(float *values, int64_t count, Random &random, float bound = 4) {
  for (int64_t i = 0; i < count; ++i)
    values[i] = random.uniform(-bound, bound);
}

std::string rowsType(bool one, int64_t width) { return rowsOf(one, {width}, "f32"); }

//===- embed ----------------------------------------------------------------------------------===//

TEST(RowKernels, EmbedReadsEveryFormat) {
  Random random(1);
  std::vector<PanelFormat> formats = blockFormats();
  formats.insert(formats.end(),
                 {PanelFormat::F32, PanelFormat::F16, PanelFormat::BF16, PanelFormat::BF16Pairs});
  for (PanelFormat format : formats) {
    SCOPED_TRACE(nameOf(format));
    const bool blocked = panelInfo(format).isBlocked();
    const int64_t vocab = 37, width = !blocked ? 41
                                               : std::max(3 * blockColumns(format),
                                                          panelInfo(format).columns + 96);
    Matrix table = randomMatrix(format, vocab, width, random);
    std::vector<uint8_t> panels = packPanels({&table});
    Memory memory;
    int64_t out = memory.shared(4 * width), weight = memory.weight(panels.data(), panels.size());
    Kernel::Source source{[&](bool one) {
      std::string ids = rowsOf(one, {}, "i32");
      std::string bytes = "memref<" + std::to_string(panels.size()) + "xi8>";
      return sharedBuffer(one, "x", out, {width}, "f32") +
             weightVector("w", weight, panels.size(), "i8") + "%ids = tile.input tokens" +
             (one ? "" : "(%n)") + " : " + ids + "\ntile.embed rows " + nameOf(format) +
             " %ids, %w -> %x : " + ids + ", " + bytes + " -> " + rowsType(one, width);
    }};
    auto kernel = Kernel::compile(source, memory, "native");
    ASSERT_TRUE(kernel);
    std::vector<int32_t> tokens = {0, 36, 15, 16, 17, 31, 32, 3};
    kernel->reserve(tokens.size());
    for (int team : kTeams) {
      moire_step step{};
      step.tokens = tokens.data();
      kernel->run(tokens.size(), team, false, step);
      for (size_t t = 0; t < tokens.size(); ++t)
        for (int64_t j = 0; j < width; ++j)
          ASSERT_EQ(kernel->at<float>(out)[t * width + j], table.at(tokens[t], j)) << t << " " << j;
    }
    kernel->reserve(1);
    moire_step step{};
    step.tokens = tokens.data() + 1;
    kernel->run(1, 2, /*one=*/true, step);
    for (int64_t j = 0; j < width; ++j)
      ASSERT_EQ(kernel->at<float>(out)[j], table.at(36, j));
  }
}

//===- select, gate, add, copy, norm ----------------------------------------------------------===//

struct Elementwise {
  int64_t width, stride;
  Memory memory;
  int64_t a, b, selected, gated, sum, copied, normed, gain;

  Elementwise(int64_t width, const std::vector<float> &gains)
      : width(width), stride(padded(width)) {
    for (int64_t *buffer : {&a, &b, &selected, &gated, &sum, &copied, &normed})
      *buffer = memory.shared(4 * stride);
    gain = memory.weight(gains.data(), 4 * gains.size());
  }

  // Every buffer is a padded one, seen through a view of its columns.
  std::string text(bool one) const {
    std::string ids = rowsOf(one, {}, "i32"), padding = rowsType(one, stride), n = one ? "1" : "%n";
    std::string view = padding, text;
    if (stride != width)
      view = "memref<" + std::string(one ? "1" : "?") + "x" + std::to_string(width) +
             "xf32, strided<[" + std::to_string(stride) + ", 1]>>";
    std::pair<const char *, int64_t> buffers[] = {
        {"a", a},     {"b", b},           {"selected", selected}, {"gated", gated},
        {"sum", sum}, {"copied", copied}, {"normed", normed}};
    for (auto [name, offset] : buffers) {
      std::string whole = stride == width ? name : std::string(name) + "_whole";
      text += sharedBuffer(one, whole, offset, {stride}, "f32");
      if (stride != width)
        text += "%" + std::string(name) + " = memref.subview %" + whole + "[0, 0] [" + n + ", " +
                std::to_string(width) + "] [1, 1] : " + padding + " to " + view + "\n";
    }
    text += weightVector("gain", gain, padded(width), "f32");
    text += "%rows = tile.input rows" + std::string(one ? "" : "(%n)") + " : " + ids + "\n";
    text += "tile.select_rows rows %a, %rows -> %selected : " + view + ", " + ids + " -> " + view +
            "\n";
    text += "tile.gate rows silu %a, %b -> %gated : " + view + ", " + view + " -> " + view + "\n";
    text += "tile.add rows %a, %b -> %sum : " + view + ", " + view + " -> " + view + "\n";
    text += "tile.copy rows %a -> %copied : " + view + " -> " + view + "\n";
    text += "tile.rms_norm rows %a, %gain -> %normed eps 1.0e-5 : " + view + ", memref<" +
            std::to_string(padded(width)) + "xf32> -> " + view + "\n";
    return text;
  }
};

class RowWidths : public testing::TestWithParam<int64_t> {};

TEST_P(RowWidths, ElementwiseAndNorm) {
  const int64_t width = GetParam();
  Random random(width);
  std::vector<float> gains(padded(width), 1e30f); // what lies behind the row must not count
  fill(gains.data(), width, random);
  Elementwise kernels(width, gains);
  for (const std::string &cpu : runnableCpus()) {
    SCOPED_TRACE(cpu);
    auto kernel =
        Kernel::compile({[&](bool one) { return kernels.text(one); }}, kernels.memory, cpu);
    ASSERT_TRUE(kernel);
    for (int64_t tokens : {1, 2, 5, 17}) {
      std::vector<int32_t> rows(tokens);
      for (int32_t &row : rows)
        row = random.integer(0, tokens - 1);
      moire_step step{};
      step.rows = rows.data();
      std::vector<float> norms[2];
      for (bool one : {false, true}) {
        if (one && tokens != 1)
          continue;
        kernel->reserve(tokens + 1);
        float *a = kernel->at<float>(kernels.a), *b = kernel->at<float>(kernels.b);
        Random values(tokens);
        fill(a, tokens * kernels.stride, values);
        fill(b, tokens * kernels.stride, values);
        kernel->run(tokens, 2, one, step);
        for (int64_t t = 0; t < tokens; ++t) {
          double squares = 0;
          for (int64_t j = 0; j < width; ++j)
            squares += std::pow(double(a[t * kernels.stride + j]), 2);
          double factor = 1 / std::sqrt(squares / width + 1e-5);
          for (int64_t j = 0; j < width; ++j) {
            int64_t i = t * kernels.stride + j;
            ASSERT_EQ(kernel->at<float>(kernels.selected)[i], a[rows[t] * kernels.stride + j]);
            ASSERT_EQ(kernel->at<float>(kernels.sum)[i], a[i] + b[i]);
            ASSERT_EQ(kernel->at<float>(kernels.copied)[i], a[i]);
            double gated = a[i] / (1 + std::exp(-double(a[i]))) * b[i];
            ASSERT_NEAR(kernel->at<float>(kernels.gated)[i], gated, 5e-7 * std::abs(gated) + 1e-30);
            double normed = a[i] * factor * gains[j];
            float found = kernel->at<float>(kernels.normed)[i];
            ASSERT_NEAR(found, normed, 1e-6 * std::abs(normed) + 1e-30);
            norms[one].push_back(found);
          }
          // Padding is nobody's.
          for (int64_t j = width; j < kernels.stride; ++j)
            ASSERT_EQ(kernel->at<float>(kernels.sum)[t * kernels.stride + j], 0);
        }
      }
      if (tokens == 1)
        EXPECT_EQ(norms[0], norms[1]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Odd, RowWidths, testing::Values(1, 7, 15, 16, 17, 40, 96));

TEST(RowKernels, CopyWithAnIndexWritesOneSlab) {
  const int64_t width = 20, tokens = 3;
  Memory memory;
  int64_t x = memory.shared(4 * width);
  auto kernel = Kernel::compile(
      {[&](bool one) {
        std::string slabs = one ? "memref<?x1x20xf32>" : "memref<?x?x20xf32>";
        return sharedBuffer(one, "x", x, {width}, "f32") + "%taps = tile.input taps" +
               (one ? "" : "(%n)") + " : " + slabs + "\n%c2 = arith.constant 2 : index\n" +
               "tile.copy rows %x -> %taps[%c2] : " + rowsType(one, width) + " -> " + slabs;
      }},
      memory, "native");
  ASSERT_TRUE(kernel);
  kernel->reserve(tokens);
  Random random(3);
  fill(kernel->at<float>(x), tokens * width, random);
  std::vector<float> taps(4 * tokens * width, -1);
  moire_step step{};
  step.taps = taps.data();
  kernel->run(tokens, 2, false, step);
  for (int64_t i = 0; i < 4 * tokens * width; ++i) {
    int64_t within = i - 2 * tokens * width;
    bool written = within >= 0 && within < tokens * width;
    ASSERT_EQ(taps[i], written ? kernel->at<float>(x)[within] : -1) << i;
  }
}

//===- rope -----------------------------------------------------------------------------------===//

struct RopeShape {
  int64_t heads, headDim, rotary;
};

class Rope : public testing::TestWithParam<RopeShape> {};

TEST_P(Rope, TurnsPairsAndKeepsTheRest) {
  const auto [heads, headDim, rotary] = GetParam();
  // x is a range of columns, as of a product that yields queries, keys and values.
  const int64_t width = heads * headDim, wide = padded(width) + 32, pairs = rotary / 2;
  Memory memory;
  int64_t x = memory.shared(4 * wide), out = memory.shared(4 * width);
  std::vector<float> frequencies(padded(pairs), 1e30f);
  for (int64_t i = 0; i < pairs; ++i)
    frequencies[i] = std::pow(10000.0, -2.0 * i / rotary);
  int64_t f = memory.weight(frequencies.data(), 4 * frequencies.size());
  Kernel::Source source{[&, headDim = headDim, rotary = rotary](bool one) {
    std::string ids = rowsOf(one, {}, "i32"), w = std::to_string(width);
    std::string view = "memref<" + std::string(one ? "1" : "?") + "x" + w + "xf32, strided<[" +
                       std::to_string(wide) + ", 1], offset: 16>>";
    return sharedBuffer(one, "whole", x, {wide}, "f32") +
           sharedBuffer(one, "y", out, {width}, "f32") +
           weightVector("f", f, frequencies.size(), "f32") + "%p = tile.input positions" +
           (one ? "" : "(%n)") + " : " + ids + "\n%x = memref.subview %whole[0, 16] [" +
           (one ? "1" : "%n") + ", " + w + "] [1, 1] : " + rowsType(one, wide) + " to " + view +
           "\ntile.rope rows %x, %p, %f -> %y {head_dim = " + std::to_string(headDim) +
           " : i64, rotary_dims = " + std::to_string(rotary) + " : i64} : " + view + ", " + ids +
           ", memref<" + std::to_string(frequencies.size()) + "xf32> -> " + rowsType(one, width);
  }};
  auto kernel = Kernel::compile(source, memory, "native");
  ASSERT_TRUE(kernel);
  const std::vector<int32_t> positions = {0, 1, 17, 500, 8191, 131071, 3};
  for (bool one : {false, true}) {
    const int64_t tokens = one ? 1 : positions.size();
    kernel->reserve(tokens);
    Random random(headDim);
    float *from = kernel->at<float>(x), *to = kernel->at<float>(out);
    fill(from, tokens * wide, random);
    moire_step step{};
    step.positions = positions.data() + (one ? 4 : 0);
    kernel->run(tokens, 2, one, step);
    for (int64_t t = 0; t < tokens; ++t)
      for (int64_t head = 0; head < heads; ++head)
        for (int64_t d = 0; d < headDim; ++d) {
          const float *row = from + t * wide + 16 + head * headDim;
          float found = to[t * width + head * headDim + d];
          if (d >= rotary) {
            ASSERT_EQ(found, row[d]);
            continue;
          }
          int64_t i = d % pairs;
          double angle = static_cast<float>(step.positions[t]) * frequencies[i];
          double first = row[i], second = row[i + pairs];
          double expected = d < pairs ? first * std::cos(angle) - second * std::sin(angle)
                                      : second * std::cos(angle) + first * std::sin(angle);
          ASSERT_NEAR(found, expected, 6e-7 * (std::abs(first) + std::abs(second)))
              << "token " << t << " head " << head << " d " << d;
        }
  }
}

INSTANTIATE_TEST_SUITE_P(HeadDims, Rope,
                         testing::Values(RopeShape{1, 2, 2}, RopeShape{3, 10, 10},
                                         RopeShape{2, 16, 16}, RopeShape{1, 20, 20},
                                         RopeShape{2, 64, 64}, RopeShape{2, 80, 32},
                                         RopeShape{1, 96, 24}, RopeShape{3, 20, 6}));

//===- tap_route ------------------------------------------------------------------------------===//

TEST(RowKernels, TapRouteFillsTheFirstColumnsOfItsLayer) {
  const int64_t k = 3, wide = 5, layers = 3, layer = 1, tokens = 7;
  Memory memory;
  int64_t ids = memory.shared(4 * k), weights = memory.shared(4 * k);
  Kernel::Source source{[&](bool one) {
    std::string n = one ? "" : "(%n)", shape = one ? "memref<?x1x5x" : "memref<?x?x5x";
    return sharedBuffer(one, "ids", ids, {k}, "i32") + sharedBuffer(one, "w", weights, {k}, "f32") +
           "%all_ids = tile.input route_ids" + n + " : " + shape +
           "i32>\n%all_w = tile.input route_weights" + n + " : " + shape +
           "f32>\n%layer = arith.constant " + std::to_string(layer) +
           " : index\ntile.tap_route rows %ids, %w -> %all_ids, %all_w[%layer] : " +
           rowsOf(one, {k}, "i32") + ", " + rowsOf(one, {k}, "f32") + " -> " + shape + "i32>, " +
           shape + "f32>";
  }};
  auto kernel = Kernel::compile(source, memory, "native");
  ASSERT_TRUE(kernel);
  for (bool one : {false, true}) {
    const int64_t count = one ? 1 : tokens;
    kernel->reserve(count);
    for (int64_t i = 0; i < count * k; ++i) {
      kernel->at<int32_t>(ids)[i] = int32_t(100 + i);
      kernel->at<float>(weights)[i] = 0.5f + float(i);
    }
    std::vector<int32_t> allIds(layers * count * wide, -1);
    std::vector<float> allWeights(allIds.size(), -1);
    moire_step step{};
    step.route_ids = allIds.data();
    step.route_weights = allWeights.data();
    kernel->run(count, 2, one, step);
    for (int64_t i = 0; i < layers * count * wide; ++i) {
      const int64_t column = i % wide, token = i / wide % count;
      const bool written = i / wide / count == layer && column < k;
      ASSERT_EQ(allIds[i], written ? 100 + token * k + column : -1) << i;
      ASSERT_EQ(allWeights[i], written ? 0.5f + float(token * k + column) : -1) << i;
    }
  }
}

} // namespace
} // namespace moire::test
