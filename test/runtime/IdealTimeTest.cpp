// What steps of two small models need, computed by hand.

#include "runtime/IdealTime.h"
#include "runtime/Json.h"
#include "runtime/main/BenchIdeal.h"

#include <gtest/gtest.h>

namespace moire {
namespace {

// Two layers of products of int8 (100 a token, 1000 bytes), each with an attention of f32 (a query
// of 4 columns: 8 multiply-adds a position, 16 bytes of keys and values); a head of 50, 500 bytes;
// rows of the embedding of 10 bytes.
Work dense(int64_t window = 0) {
  return {{.times = 2, .token = {.int8 = 100}, .bytes = 1000},
          {.times = 2, .position = {.f32 = 8}, .window = window, .kvBytes = 16},
          {.head = true, .token = {.int8 = 50}, .bytes = 500},
          {.tokenBytes = 10}};
}

// Two layers with 4 experts, of which a token has one: 30 multiply-adds of bf16, 64 bytes an
// expert.
Work mixture() {
  return {{.times = 2, .token = {.bf16 = 30}, .experts = 4, .chosen = 1, .expertBytes = 64}};
}

TEST(IdealTime, OneTokenSeesAllBefore) {
  StepNeeds cost = needsOf(dense(), {.depth = 3});
  EXPECT_EQ(cost.int8, 2 * (2 * 100 + 50));
  EXPECT_EQ(cost.f32, 2 * 2 * 8 * 4); // positions 0 … 3
  EXPECT_EQ(cost.bf16, 0);
  EXPECT_EQ(cost.bytes, 2 * 1000 + 500 + 10 + 2 * 16 * 4);
}

TEST(IdealTime, APromptIsCausalAndAsksForOneRow) {
  StepNeeds cost = needsOf(dense(), {.tokens = 4});
  EXPECT_EQ(cost.int8, 2 * (2 * 100 * 4 + 50));
  EXPECT_EQ(cost.f32, 2 * 2 * 8 * (1 + 2 + 3 + 4));
  EXPECT_EQ(cost.bytes, 2 * 1000 + 500 + 4 * 10 + 2 * 16 * 4);
}

TEST(IdealTime, NoHeadWithoutRows) {
  StepNeeds cost = needsOf(dense(), {.tokens = 4, .depth = 2, .logitRows = 0});
  EXPECT_EQ(cost.int8, 2 * 2 * 100 * 4);
  EXPECT_EQ(cost.f32, 2 * 2 * 8 * (3 + 4 + 5 + 6));
  EXPECT_EQ(cost.bytes, 2 * 1000 + 4 * 10 + 2 * 16 * 6);
}

TEST(IdealTime, ATokenSeesAWindow) {
  // Tokens at 1, 2, 3, 4 see 2, 3, 3, 3 positions, together those from 0 to 4.
  StepNeeds cost = needsOf(dense(3), {.tokens = 4, .depth = 1});
  EXPECT_EQ(cost.f32, 2 * 2 * 8 * (2 + 3 + 3 + 3));
  EXPECT_EQ(cost.bytes, 2 * 1000 + 500 + 4 * 10 + 2 * 16 * 5);
  // Far behind: tokens at 100 and 101 see 3 each, together 98 … 101.
  cost = needsOf(dense(3), {.tokens = 2, .depth = 100});
  EXPECT_EQ(cost.f32, 2 * 2 * 8 * (3 + 3));
  EXPECT_EQ(cost.bytes, 2 * 1000 + 500 + 2 * 10 + 2 * 16 * 4);
}

TEST(IdealTime, SequencesShareWeightsButNotKeys) {
  StepNeeds cost = needsOf(dense(), {.sequences = 3, .depth = 3, .logitRows = 3});
  EXPECT_EQ(cost.int8, 2 * 3 * (2 * 100 + 50));
  EXPECT_EQ(cost.f32, 2 * 2 * 8 * 3 * 4);
  EXPECT_EQ(cost.bytes, 2 * 1000 + 500 + 3 * 10 + 2 * 16 * 3 * 4);
}

TEST(IdealTime, TokensChooseExpertsThatOthersChoseToo) {
  StepNeeds one = needsOf(mixture(), {});
  EXPECT_EQ(one.bf16, 2 * 2 * 30);
  EXPECT_DOUBLE_EQ(one.bytes, 2 * 64);
  // Each expert is missed by both of two tokens with (3/4)^2: 4 * 7/16 of them are read.
  StepNeeds two = needsOf(mixture(), {.tokens = 2});
  EXPECT_EQ(two.bf16, 2 * 2 * 30 * 2);
  EXPECT_DOUBLE_EQ(two.bytes, 2 * 64 * 1.75);
  EXPECT_DOUBLE_EQ(needsOf(mixture(), {.sequences = 3}).bytes, 2 * 64 * 4 * (1 - 27.0 / 64));
  EXPECT_NEAR(needsOf(mixture(), {.tokens = 512}).bytes, 2 * 64 * 4, 1e-9);
}

TEST(IdealTime, TimeIsThatOfBytesAndOfEachKind) {
  StepNeeds cost{.f32 = 10, .bf16 = 0, .int8 = 600, .bytes = 1000};
  MachineLimits limits{.f32 = 5, .bf16 = 0, .int8 = 200, .read = 400};
  EXPECT_DOUBLE_EQ(memorySeconds(cost, limits), 2.5);
  EXPECT_DOUBLE_EQ(operationSeconds(cost, limits), 2 + 3); // bf16 is unknown, and not needed
  cost.bf16 = 1;
  EXPECT_EQ(operationSeconds(cost, limits), 0);
  EXPECT_EQ(memorySeconds(cost, {}), 0);
  cost += cost;
  EXPECT_EQ(cost.int8, 1200);
  EXPECT_EQ(cost.bytes, 2000);
}

// A test of a benchmark is its steps, one after the other; of each the longer of both times counts.
TEST(IdealTime, ABenchmarkIsTheSumOfItsSteps) {
  const MachineLimits limits{.f32 = 100, .bf16 = 0, .int8 = 1000, .read = 5000};
  auto sum = [&](std::initializer_list<StepShape> steps) {
    BenchIdeal ideal;
    for (const StepShape &step : steps) {
      const StepNeeds cost = needsOf(dense(), step);
      ideal.memory += memorySeconds(cost, limits);
      ideal.operations += operationSeconds(cost, limits);
      ideal.all += std::max(memorySeconds(cost, limits), operationSeconds(cost, limits));
    }
    return ideal;
  };
  auto expectEqual = [](const BenchIdeal &found, const BenchIdeal &expected) {
    EXPECT_DOUBLE_EQ(found.memory, expected.memory);
    EXPECT_DOUBLE_EQ(found.operations, expected.operations);
    EXPECT_DOUBLE_EQ(found.all, expected.all);
  };
  // A prompt of 10 in pieces of 4 asks for one row, in the last piece.
  expectEqual(idealOf({.prompt = 10, .depth = 3}, 4, dense(), limits),
              sum({{.tokens = 4, .depth = 3, .logitRows = 0},
                   {.tokens = 4, .depth = 7, .logitRows = 0},
                   {.tokens = 2, .depth = 11, .logitRows = 1}}));
  const StepNeeds needs = needsOf(BenchTest{.prompt = 10, .depth = 3}, 10, dense());
  const StepNeeds step = needsOf(dense(), {.tokens = 10, .depth = 3, .logitRows = 1});
  EXPECT_DOUBLE_EQ(needs.operations(), step.f32 + step.bf16 + step.int8);
  EXPECT_DOUBLE_EQ(needs.bytes, step.bytes);
  expectEqual(idealOf({.generate = 2, .depth = 5, .sequences = 3}, 4, dense(), limits),
              sum({{.sequences = 3, .tokens = 1, .depth = 5, .logitRows = 3},
                   {.sequences = 3, .tokens = 1, .depth = 6, .logitRows = 3}}));
}

TEST(IdealTime, WorkSurvivesJson) {
  Work work = dense(7), read;
  work.push_back(mixture()[0]);
  JsonValue value;
  std::string error;
  ASSERT_TRUE(parseJson(toJson(work), value, error)) << error;
  ASSERT_TRUE(parseWork(value, read));
  EXPECT_EQ(toJson(read), toJson(work));
  StepShape step{.sequences = 2, .tokens = 3, .depth = 5, .logitRows = 2};
  EXPECT_EQ(needsOf(read, step).bytes, needsOf(work, step).bytes);
  EXPECT_EQ(needsOf(read, step).int8, needsOf(work, step).int8);
  for (const char *text : {"{}", "[1]", R"([{"bytes": -1}])", R"([{"bytes": "many"}])"}) {
    ASSERT_TRUE(parseJson(text, value, error));
    EXPECT_FALSE(parseWork(value, read)) << text;
  }
}

TEST(IdealTime, ReadsLimitsOfATeam) {
  const char *text = R"({"machine": "some", "limits": [
    {"kind": "read", "threads": 1, "rate": 2.5e10, "assembly": null},
    {"kind": "read", "threads": 2, "rate": 4e10},
    {"kind": "int8", "threads": 2, "rate": 600000000000},
    {"kind": "f32", "threads": 2, "rate": 2e11}]})";
  MachineLimits limits;
  std::string error;
  ASSERT_TRUE(parseLimits(text, 2, limits, error)) << error;
  EXPECT_EQ(limits.read, 4e10);
  EXPECT_EQ(limits.int8, 6e11);
  EXPECT_EQ(limits.f32, 2e11);
  EXPECT_EQ(limits.bf16, 0);
  ASSERT_TRUE(parseLimits(text, 3, limits, error));
  EXPECT_EQ(limits.read, 0);
  for (const char *wrong : {"", "[]", R"({"limits": 1})", R"({"limits": [{"kind": "read"}]})",
                            R"({"limits": [{"kind": "read", "threads": 1, "rate": "fast"}]})"}) {
    error.clear();
    EXPECT_FALSE(parseLimits(wrong, 1, limits, error)) << wrong;
    EXPECT_NE(error, "") << wrong;
  }
}

} // namespace
} // namespace moire
