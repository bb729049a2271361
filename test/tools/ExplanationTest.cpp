// What `moire explain` makes of what it was told.

#include "tools/driver/Explanation.h"

#include <gtest/gtest.h>

namespace moire::driver {
namespace {

using Depths = std::vector<int64_t>;

bool has(const std::string &text, std::string_view part) { return text.find(part) != text.npos; }

Depths depthsWith(int64_t context) {
  Explanation explanation;
  explanation.context = context;
  Depths depths;
  for (const ExplainedStep &step : stepsOf(explanation))
    if (step.shape.tokens == 1)
      depths.push_back(step.shape.depth);
  return depths;
}

TEST(Explanation, DepthsFitTheContext) {
  EXPECT_EQ(depthsWith(1), (Depths{0}));
  EXPECT_EQ(depthsWith(100), (Depths{0, 99}));
  EXPECT_EQ(depthsWith(4097), (Depths{0, 4096}));
  EXPECT_EQ(depthsWith(8192), (Depths{0, 4096, 8191}));
}

TEST(Explanation, APromptIsDividedByItsTokens) {
  Explanation explanation;
  explanation.context = 200;
  explanation.work = {{.times = 3, .token = {.int8 = 1000}, .bytes = 5000},
                      {.head = true, .token = {.int8 = 400}, .bytes = 600}};
  ExplainedStep prompt = stepsOf(explanation).back();
  EXPECT_EQ(prompt.name, "of a prompt of 200");
  // Each token's products, and a row of logits; weights once.
  EXPECT_DOUBLE_EQ(prompt.needs.int8, 2 * 3 * 1000 + 2 * 400 / 200.0);
  EXPECT_DOUBLE_EQ(prompt.needs.bytes, (3 * 5000 + 600) / 200.0);
}

Explanation withPart(std::vector<int64_t> layers) {
  Explanation explanation;
  explanation.context = 1;
  DescribedFunction function;
  function.name = "layer_0";
  explanation.parts = {{function, std::move(layers)}};
  return explanation;
}

TEST(Explanation, LayersAreRanges) {
  EXPECT_TRUE(has(explanationText(withPart({7}), nullptr), "## Layer 7 (@layer_0)"));
  EXPECT_TRUE(has(explanationText(withPart({0, 2, 3, 4, 8, 9}), nullptr),
                  "## Layers 0, 2 to 4, 8, 9 (@layer_0)"));
  EXPECT_TRUE(
      has(explanationText(withPart({}), nullptr), "## Before and behind the layers (@layer_0)"));
}

TEST(Explanation, RemarksStandWithTheirLayersAndVariants) {
  Explanation explanation = withPart({0, 1});
  NotedRemark both, one, other;
  both.pass = one.pass = other.pass = "schedule";
  both.function = one.function = "layer_0";
  both.text = "apart";
  both.weights = {"q", "k"};
  both.one = both.many = true;
  one.text = "copied";
  one.one = true;
  other.text = "wide";
  other.done = true;
  explanation.remarks = {both, one, other};
  const std::string text = explanationText(explanation, nullptr);
  const size_t done = text.find("## What was done"), missed = text.find("## What was not done");
  EXPECT_TRUE(has(text.substr(missed), "layers 0, 1:\n\n- schedule: apart (q, k)\n"
                                       "- schedule: copied, for one token\n"));
  EXPECT_TRUE(has(text.substr(done, missed - done), "the model as a whole:\n\n- schedule: wide\n"));
  EXPECT_FALSE(has(text.substr(done, missed - done), "layers 0, 1"));
}

TEST(Explanation, WithoutALimitTimesAreUnknown) {
  Explanation explanation = withPart({0});
  explanation.work = {{.token = {.bf16 = 10}, .bytes = 1000}};
  MachineLimits limits;
  limits.read = 1e6;
  EXPECT_TRUE(has(explanationText(explanation, &limits), "| unknown  |"));
  limits.bf16 = 1e6;
  EXPECT_TRUE(has(explanationText(explanation, &limits), "| 1.000    | bytes    |"));
}

} // namespace
} // namespace moire::driver
