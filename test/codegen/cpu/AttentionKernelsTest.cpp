// Keys, values and attention against a softmax in double, and bit by bit against plain loops in the
// order that AttentionKernels.cpp promises, for sequences in several slots, whose pages lie
// anywhere in a pool that is full of NaN; the same bits however a prompt is split; and no trace of
// keys and values that a row does not see.

#include "test/codegen/cpu/AttentionSequences.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

namespace moire::test {
namespace {

using Shape = AttentionShape;

class Attention : public testing::TestWithParam<Shape> {};

TEST_P(Attention, HoweverAPromptIsSplit) {
  Sequences sequences(GetParam());
  const int64_t page = GetParam().page, width = sequences.queryWidth;
  std::vector<Token> prompt;
  for (int32_t p = 0; p < 2 * page + 5 + GetParam().more; ++p)
    prompt.push_back({1, p});
  std::vector<float> plain;
  for (const Token &token : prompt) {
    const std::vector<float> row = sequences.plainRow(token);
    plain.insert(plain.end(), row.begin(), row.end());
  }
  // Tiles for AVX2 and for AVX-512, on any machine.
  std::vector<std::pair<std::string, int64_t>> machines;
  for (const std::string &cpu : runnableCpus())
    for (int64_t vectors : {8, 32})
      machines.push_back({cpu, vectors});
  for (const auto &[cpu, vectors] : machines) {
    SCOPED_TRACE(cpu + ", " + std::to_string(vectors) + " vectors");
    auto kernel = sequences.compile(cpu, vectors);
    ASSERT_TRUE(kernel);

    std::vector<float> whole;
    sequences.clear();
    sequences.step(*kernel, prompt, 1, false, whole);
    for (size_t t = 0; t < prompt.size(); ++t) {
      sequences.check(prompt[t], whole.data() + t * width);
      if (HasFatalFailure())
        return;
    }
    ASSERT_EQ(whole, plain);

    for (int team : {1, 2, 3, 4, 5}) {
      // Token by token, in the variant for one.
      std::vector<float> singly;
      sequences.clear();
      for (const Token &token : prompt)
        sequences.step(*kernel, {token}, team, true, singly);
      ASSERT_EQ(singly, whole) << "one by one, a team of " << team;

      // In pieces of 7, beside tokens of two other sequences.
      std::vector<float> pieces;
      sequences.clear();
      for (size_t first = 0; first < prompt.size(); first += 7) {
        size_t last = std::min(first + 7, prompt.size());
        std::vector<Token> step;
        for (size_t t = first; t < last; ++t)
          step.push_back({0, prompt[t].position});
        step.insert(step.end(), prompt.begin() + first, prompt.begin() + last);
        step.push_back({2, int32_t(first / 7)});
        std::vector<float> all;
        sequences.step(*kernel, step, team, false, all);
        for (size_t t = 0; t < step.size(); ++t) {
          if (step[t].slot != 1)
            sequences.check(step[t], all.data() + t * width);
          else
            pieces.insert(pieces.end(), all.begin() + t * width, all.begin() + (t + 1) * width);
        }
        if (HasFatalFailure())
          return;
      }
      ASSERT_EQ(pieces, whole) << "in pieces, a team of " << team;
    }
  }
}

TEST_P(Attention, WhatARowDoesNotSeeLeavesNoTrace) {
  Sequences sequences(GetParam());
  const int64_t page = GetParam().page, width = sequences.queryWidth;
  const int64_t window = GetParam().window ? GetParam().window : 1000000;
  std::vector<Token> prompt;
  for (int32_t p = 0; p < 2 * page + 5 + GetParam().more; ++p)
    prompt.push_back({1, p});
  auto kernel = sequences.compile("native");
  ASSERT_TRUE(kernel);
  std::vector<float> clean;
  sequences.clear();
  sequences.step(*kernel, prompt, 2, false, clean);
  for (float poison :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
    for (int32_t at : {int32_t(page / 2 + 3), int32_t(page), int32_t(2 * page + 4)}) {
      SCOPED_TRACE(at);
      sequences.poisoned = {1, at};
      sequences.poison = poison;
      std::vector<float> found;
      sequences.clear();
      sequences.step(*kernel, prompt, 2, false, found);
      for (int32_t p = 0; p < int32_t(prompt.size()); ++p) {
        const bool same =
            std::memcmp(&found[p * width], &clean[p * width], width * sizeof(float)) == 0;
        ASSERT_EQ(same, p < at || p >= at + window) << "position " << p;
      }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Attention,
    testing::Values(
        Shape{2, 1, 10, 16, KvFormat::F32, 0, 1}, Shape{1, 2, 16, 16, KvFormat::F16, 0, 2},
        Shape{2, 3, 20, 16, KvFormat::F16, 0, 1}, Shape{1, 7, 64, 32, KvFormat::F16, 0, 4},
        Shape{1, 8, 80, 16, KvFormat::F32, 0, 1}, Shape{1, 3, 96, 64, KvFormat::F16, 0, 1},
        Shape{2, 2, 16, 16, KvFormat::F16, 1, 1}, Shape{1, 3, 20, 16, KvFormat::F32, 9, 2},
        Shape{1, 4, 16, 16, KvFormat::F16, 20, 1}, Shape{2, 3, 20, 16, KvFormat::BF16, 0, 2},
        Shape{1, 2, 64, 64, KvFormat::BF16, 11, 1}, Shape{2, 1, 10, 16, KvFormat::Int8, 0, 2},
        Shape{1, 4, 64, 64, KvFormat::Int8, 0, 1}, Shape{2, 3, 20, 16, KvFormat::Int8, 9, 1},
        Shape{1, 1, 96, 32, KvFormat::Int8, 20, 2},
        // One KV head and many segments; a window across some of them; groups beyond a block.
        Shape{1, 5, 32, 16, KvFormat::F16, 0, 2, 110},
        Shape{1, 1, 32, 16, KvFormat::F32, 0, 3, 120},
        Shape{3, 2, 16, 16, KvFormat::F16, 50, 2, 90}, Shape{1, 25, 16, 48, KvFormat::BF16, 0, 2}));

} // namespace
} // namespace moire::test
