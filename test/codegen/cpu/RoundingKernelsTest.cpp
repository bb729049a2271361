// Rounding of rows, to int8 and to bf16, by itself and behind a norm: bit for bit what plain loops
// compute.

#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/Weights.h"

#include <cmath>
#include <gtest/gtest.h>

namespace moire::test {
namespace {

int64_t padded(int64_t width) { return (width + 15) / 16 * 16; }

std::string rowsType(bool one, int64_t width) { return rowsOf(one, {width}, "f32"); }

//===- int8 -----------------------------------------------------------------------------------===//

struct QuantizedBlock {
  int8_t values[256];
  float scale, scaledSum;
  int32_t sum;
};

// Of the scales max / 127, / 126, / 125, / 124 the first of those with the smallest squared error;
// the errors are summed lane by lane, lanes in halves.
QuantizedBlock quantize(const float *x, int64_t columns) {
  float max = 0;
  for (int i = 0; i < columns; ++i)
    max = std::max(max, std::abs(x[i]));
  QuantizedBlock best{};
  float smallest = 0, inverse = 0;
  for (int candidate = 0; candidate < 4; ++candidate) {
    float limit = 127 - candidate, scale = max / limit, factor = max == 0 ? 0 : limit / max;
    float lanes[16];
    for (int i = 0; i < columns; ++i) {
      float q = std::nearbyint(x[i] * factor), error = std::fma(-q, scale, x[i]);
      lanes[i % 16] = i < 16 ? error * error : std::fma(error, error, lanes[i % 16]);
    }
    for (int half = 8; half >= 1; half /= 2)
      for (int i = 0; i < half; ++i)
        lanes[i] += lanes[i + half];
    if (candidate == 0 || lanes[0] < smallest)
      smallest = lanes[0], best.scale = scale, inverse = factor;
  }
  for (int i = 0; i < columns; ++i) {
    best.values[i] = static_cast<int8_t>(std::nearbyint(x[i] * inverse));
    best.sum += best.values[i];
  }
  best.scaledSum = best.scale * static_cast<float>(best.sum);
  return best;
}

struct QuantizedRows {
  int64_t width, columns, blocks, sumCount, values, scales, sums;
  QuantizedRows(Memory &memory, int64_t width, int64_t columns)
      : width(width), columns(columns), blocks((width + columns - 1) / columns),
        sumCount(columns == 32 ? width / 16 : blocks), values(memory.shared(width)),
        scales(memory.shared(12 * blocks)), sums(memory.shared(4 * sumCount)) {}

  std::string buffers(bool one, const std::string &name) const {
    return sharedBuffer(one, name + "v", values, {width}, "i8") +
           sharedBuffer(one, name + "s", scales, {3, blocks}, "f32") +
           sharedBuffer(one, name + "n", sums, {sumCount}, "i32");
  }
  static std::string names(const std::string &name) {
    return "%" + name + "v, %" + name + "s, %" + name + "n";
  }
  std::string types(bool one) const {
    return rowsOf(one, {width}, "i8") + ", " + rowsOf(one, {3, blocks}, "f32") + ", " +
           rowsOf(one, {sumCount}, "i32");
  }
  /// `fours`: as `tile.quantize` with that says.
  void expectEqual(Kernel &kernel, int64_t row, const float *x, bool fours) const {
    auto at = [&](int64_t width, int64_t i, int64_t each) {
      return fours ? row / 4 * 4 * width + i / each * 4 * each + row % 4 * each + i % each
                   : row * width + i;
    };
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t count = std::min(columns, width - columns * b);
      QuantizedBlock expected = quantize(x + columns * b, count);
      for (int i = 0; i < count; ++i)
        ASSERT_EQ(kernel.at<int8_t>(values)[at(width, columns * b + i, 4)], expected.values[i])
            << "row " << row << " block " << b << " element " << i;
      const float *found = kernel.at<float>(scales);
      const float numbers[] = {expected.scale, expected.scaledSum, -8 * expected.scaledSum};
      for (int64_t i = 0; i < 3; ++i)
        ASSERT_EQ(found[at(3 * blocks, fours ? 3 * b + i : i * blocks + b, 1)], numbers[i]);
      // Of the block; of one of 32 also of its second half.
      auto value = [&](int64_t i) { return expected.values[i]; };
      const int64_t words = columns == 32 ? 2 : 1;
      const int32_t *word = kernel.at<int32_t>(sums);
      ASSERT_EQ(word[at(sumCount, words * b, 1)], sumWord(columns, 0, count, value));
      if (words == 2)
        ASSERT_EQ(word[at(sumCount, words * b + 1, 1)], sumWord(columns, 16, 32, value));
    }
  }
};

// Rows of several kinds.
float quantizedInput(int64_t kind, int64_t column, Random &random) {
  float value = random.uniform(-1, 1);
  switch (kind) {
  case 1:
    return 0;
  case 2: // values halfway between two quants
    return column == 5 ? -127 : 0.5f * random.integer(-9, 9);
  case 3: // very different sizes
    return value * std::pow(10.f, static_cast<float>(random.integer(-9, 9)));
  case 4: // 127 * 126: two of the scales have no error, and the first is to be taken
    return column % 32 == 5 ? 16002 : 0;
  default:
    return value;
  }
}

TEST(RoundingKernels, QuantizationIsTheScalarOneBitForBit) {
  for (auto [width, columns] : {std::pair<int64_t, int64_t>{32, 32},
                                {96, 32},
                                {64, 64},
                                {352, 64},
                                {288, 128},
                                {512, 256},
                                {544, 256}}) {
    Memory memory;
    int64_t x = memory.shared(4 * width), normed = memory.shared(4 * width);
    QuantizedRows plain(memory, width, columns), fused(memory, width, columns),
        fours(memory, width, columns), fusedFours(memory, width, columns);
    std::vector<float> gains(width, 1.5f);
    int64_t gain = memory.weight(gains.data(), 4 * width);
    Kernel::Source source{[&, width = width](bool one) {
      std::string type = rowsType(one, width);
      std::string norm = type + ", memref<" + std::to_string(width) + "xf32> -> ";
      return sharedBuffer(one, "x", x, {width}, "f32") +
             sharedBuffer(one, "normed", normed, {width}, "f32") + plain.buffers(one, "p") +
             fused.buffers(one, "f") + fours.buffers(one, "q") + fusedFours.buffers(one, "r") +
             weightVector("gain", gain, width, "f32") + "tile.quantize rows %x -> " +
             QuantizedRows::names("p") + " : " + type + " -> " + plain.types(one) +
             "\ntile.rms_norm rows %x, %gain -> %normed eps 1.0e-6 : " + norm + type +
             "\ntile.rms_norm rows %x, %gain -> " + QuantizedRows::names("f") +
             " eps 1.0e-6 : " + norm + fused.types(one) + "\ntile.quantize rows %x -> " +
             QuantizedRows::names("q") + " {fours = 0 : i64} : " + type + " -> " +
             fours.types(one) + "\ntile.rms_norm rows %x, %gain -> " + QuantizedRows::names("r") +
             " eps 1.0e-6 {fours = 100 : i64} : " + norm + fusedFours.types(one);
    }};
    for (const std::string &cpu : runnableCpus()) {
      SCOPED_TRACE(cpu + " width " + std::to_string(width) + " blocks of " +
                   std::to_string(columns));
      auto kernel = Kernel::compile(source, memory, cpu);
      ASSERT_TRUE(kernel);
      for (bool one : {false, true}) {
        const int64_t tokens = one ? 1 : 211;
        kernel->reserve(tokens);
        Random random(width);
        float *rows = kernel->at<float>(x);
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t j = 0; j < width; ++j)
            rows[t * width + j] = quantizedInput(t % 7, j, random);
        kernel->run(tokens, one ? 2 : 3, one);
        for (int64_t t = 0; t < tokens; ++t) {
          const float *norm = kernel->at<float>(normed) + t * width;
          plain.expectEqual(*kernel, t, rows + t * width, false);
          fused.expectEqual(*kernel, t, norm, false);
          fours.expectEqual(*kernel, t, rows + t * width, true);
          fusedFours.expectEqual(*kernel, t, norm, tokens > 100);
          if (HasFatalFailure())
            return;
        }
      }
    }
  }
}

//===- bf16 -----------------------------------------------------------------------------------===//

// Numbers of every size, ties in both directions, and what is no number.
float roundedInput(int64_t kind, int64_t column, Random &random) {
  auto fromBits = [](uint32_t bits) { return std::bit_cast<float>(bits); };
  uint32_t anything = static_cast<uint32_t>(random.integer(0, 0xffffffff));
  switch (kind) {
  case 1: // halfway between two bf16, below an even and an odd one
    return fromBits((anything & 0x7f7f0000) | 0x8000);
  case 2: // the largest numbers: they become infinite from 0x7f7f8000 on
    return fromBits(0x7f7f0000 | (anything & 0xffff) | (anything & 0x80000000));
  case 3:
    return column % 3 == 0 ? INFINITY : column % 3 == 1 ? -INFINITY : -0.f;
  case 4: // NaN, whose fraction rounding would carry out of
    return fromBits(0x7fffffff - (column % 2 ? 0 : 0x3fffff));
  default:
    return fromBits(anything);
  }
}

bool isRounded(float found, float x) {
  return std::isnan(x) ? std::isnan(found)
                       : std::bit_cast<uint32_t>(found) == std::bit_cast<uint32_t>(roundToBf16(x));
}

TEST(RoundingKernels, Bf16) {
  for (int64_t width : {1, 7, 16, 41, 96}) {
    const int64_t stride = padded(width), words = stride / 2;
    Memory memory;
    int64_t x = memory.shared(4 * width), rounded = memory.shared(4 * width),
            pairs = memory.shared(4 * words), normed = memory.shared(4 * width),
            fused = memory.shared(4 * width), fusedPairs = memory.shared(4 * words);
    std::vector<float> gains(stride, 1.5f);
    int64_t gain = memory.weight(gains.data(), 4 * stride);
    Kernel::Source source{[&](bool one) {
      std::string rows = rowsType(one, width), words32 = rowsOf(one, {words}, "i32");
      std::string norm = rows + ", memref<" + std::to_string(stride) + "xf32> -> ";
      return sharedBuffer(one, "x", x, {width}, "f32") +
             sharedBuffer(one, "rounded", rounded, {width}, "f32") +
             sharedBuffer(one, "pairs", pairs, {words}, "i32") +
             sharedBuffer(one, "normed", normed, {width}, "f32") +
             sharedBuffer(one, "fused", fused, {width}, "f32") +
             sharedBuffer(one, "fused_pairs", fusedPairs, {words}, "i32") +
             weightVector("gain", gain, stride, "f32") +
             "tile.round rows %x -> %rounded : " + rows + " -> " + rows +
             "\ntile.round rows %x -> %pairs : " + rows + " -> " + words32 +
             "\ntile.rms_norm rows %x, %gain -> %normed eps 1.0e-6 : " + norm + rows +
             "\ntile.rms_norm rows %x, %gain -> %fused eps 1.0e-6 {round} : " + norm + rows +
             "\ntile.rms_norm rows %x, %gain -> %fused_pairs eps 1.0e-6 {round} : " + norm +
             words32;
    }};
    for (const std::string &cpu : runnableCpus()) {
      SCOPED_TRACE(cpu + " width " + std::to_string(width));
      auto kernel = Kernel::compile(source, memory, cpu);
      ASSERT_TRUE(kernel);
      for (bool one : {false, true}) {
        const int64_t tokens = one ? 1 : 40;
        kernel->reserve(tokens);
        Random random(width);
        for (int64_t t = 0; t < tokens; ++t)
          for (int64_t j = 0; j < width; ++j)
            kernel->at<float>(x)[t * width + j] = roundedInput(t % 7, j, random);
        kernel->run(tokens, one ? 2 : 3, one);
        auto check = [&](int64_t from, int64_t to, int64_t toPairs, int64_t columns) {
          for (int64_t t = 0; t < tokens; ++t)
            for (int64_t j = 0; j < columns; ++j) {
              float value = j < width ? kernel->at<float>(from)[t * width + j] : 0;
              uint32_t word = kernel->at<uint32_t>(toPairs)[t * words + j / 2];
              float half = std::bit_cast<float>(j % 2 ? word << 16 : word & 0xffff0000);
              ASSERT_TRUE(isRounded(half, value)) << t << " " << j << " " << value << " " << half;
              if (j < width)
                ASSERT_TRUE(isRounded(kernel->at<float>(to)[t * width + j], value)) << value;
            }
        };
        check(x, rounded, pairs, stride);
        check(normed, fused, fusedPairs, width);
        if (HasFatalFailure())
          return;
      }
    }
  }
}

} // namespace
} // namespace moire::test
