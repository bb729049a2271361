// Traces side by side: what counts as parting, and what a tie excuses.

#include "tools/driver/Comparison.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace moire::driver {
namespace {

Rows rows(int64_t count, int64_t width, float value) {
  return {count, width, std::vector<float>(count * width, value)};
}

/// Three tokens, two layers, experts of both.
Trace sample() {
  Trace trace;
  trace.logits = rows(3, 4, 0);
  for (int64_t t = 0; t < 3; ++t)
    trace.logits.values[t * 4 + t] = 2;
  for (float value : {1.0f, 2.0f, 4.0f})
    trace.hidden.push_back(rows(3, 2, value));
  for (int64_t layer : {0, 1})
    trace.routes[layer] = {3, 2, {0, 1, 2, 3, 4, 5}, {}};
  return trace;
}

Comparison compared(const Trace &a, const Trace &b, double tolerance = 1e-3) {
  Comparison comparison;
  std::string error;
  EXPECT_TRUE(compareTraces(a, b, tolerance, comparison, error)) << error;
  return comparison;
}

std::string refusal(const Trace &a, const Trace &b) {
  Comparison comparison;
  std::string error;
  EXPECT_FALSE(compareTraces(a, b, 1e-3, comparison, error));
  return error;
}

TEST(Comparison, EqualTraces) {
  Comparison found = compared(sample(), sample(), 0);
  EXPECT_EQ(found.parting, "");
  EXPECT_EQ(found.tokens, 3);
  ASSERT_EQ(found.layers.size(), 2u);
  EXPECT_EQ(found.layers[1].routed, 3);
  EXPECT_TRUE(found.layers[1].changed.empty());
  EXPECT_EQ(found.positions, 3);
  EXPECT_EQ(found.divergence, 0);
  EXPECT_EQ(found.otherLikeliest, 0);
}

TEST(Comparison, TheFirstLayerBeyondTheTolerance) {
  Trace other = sample();
  other.hidden[1].values[3] += 0.001f; // half of the tolerance
  other.hidden[2].values[5] += 0.02f;
  other.logits.values[0] += 1;
  Comparison found = compared(sample(), other);
  EXPECT_EQ(found.parting, "layer 1");
  EXPECT_NEAR(found.layers[0].output->relative(), 0.0005, 1e-6);
  EXPECT_NEAR(found.layers[1].output->relative(), 0.02 / 4.02, 1e-6);
  EXPECT_EQ(compared(sample(), other, 1e-5).parting, "layer 0");
  other = sample();
  other.hidden[0].values[0] = 2;
  EXPECT_EQ(compared(sample(), other).parting, "the embedding");
  other = sample();
  other.logits.values[1] = 3; // of the first position
  found = compared(sample(), other);
  EXPECT_EQ(found.parting, "the logits");
  EXPECT_EQ(found.otherLikeliest, 1);
  // Softmax of (2, 3, 0, 0) against that of (2, 0, 0, 0).
  const double a[] = {std::exp(2.0), 1, 1, 1}, b[] = {std::exp(2.0), std::exp(3.0), 1, 1};
  const double ofA = a[0] + 3, ofB = b[0] + b[1] + 2;
  double divergence = 0;
  for (int i = 0; i < 4; ++i)
    divergence += b[i] / ofB * std::log(b[i] / ofB / (a[i] / ofA));
  EXPECT_NEAR(found.largestDivergence, divergence, 1e-9);
  EXPECT_NEAR(found.divergence, divergence / 3, 1e-9);
}

TEST(Comparison, NaNIsFarFromEveryNumber) {
  Trace other = sample();
  other.hidden[1].values[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(compared(sample(), other).parting, "layer 0");
  EXPECT_EQ(compared(other, other).parting, "");
}

TEST(Comparison, LogitsThatAreNoNumbersAreNotEqual) {
  for (float value :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Trace trace = sample();
    trace.logits.values[5] = value;
    Comparison found = compared(trace, trace);
    EXPECT_EQ(found.notNumbers, 1);
    EXPECT_FALSE(found.equal());
  }
  EXPECT_TRUE(compared(sample(), sample()).equal());
}

TEST(Comparison, EmptyTensorsAreRefused) {
  for (auto shape : {std::vector<int64_t>{3, 0}, {0, 3}}) {
    TensorEntry logits;
    logits.name = "logits";
    logits.type = StorageType::F32;
    logits.shape = shape;
    Trace trace;
    std::string error;
    EXPECT_FALSE(readTrace({{"logits", logits}}, "", trace, error));
    EXPECT_EQ(error, "the tensor logits is empty");
  }
}

TEST(Comparison, ExpertsAreSets) {
  Trace other = sample();
  other.routes[0].experts = {1, 0, 3, 2, 5, 4};
  EXPECT_EQ(compared(sample(), other).parting, "");
  other.routes[1].experts = {0, 1, 2, 9, 4, 5};
  Comparison found = compared(sample(), other);
  EXPECT_EQ(found.parting, "the experts of layer 1");
  ASSERT_EQ(found.layers[1].changed.size(), 1u);
  const ChangedSet &changed = found.layers[1].changed[0];
  EXPECT_EQ(changed.token, 1);
  EXPECT_EQ(changed.a, (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(changed.b, (std::vector<int32_t>{2, 9}));
  EXPECT_FALSE(changed.margin);
}

TEST(Comparison, WhatFollowsATieIsNotJudged) {
  Trace golden = sample(), other = sample();
  golden.routes[0].margins = {1, 5e-6f, 1};
  other.routes[0].experts[3] = 9; // of token 1
  for (Rows *after : {&other.hidden[1], &other.hidden[2]})
    after->values[2] += 1;        // of token 1
  other.routes[1].experts[5] = 9; // of token 2
  other.logits.values[2 * 4] = 5; // of token 2
  Comparison found = compared(golden, other);
  EXPECT_EQ(found.parting, "");
  ASSERT_EQ(found.layers[0].changed.size(), 1u);
  EXPECT_TRUE(found.layers[0].changed[0].tie);
  EXPECT_GT(found.layers[0].output->relative(), 0.1);
  EXPECT_EQ(found.layers[1].changed.size(), 1u);
  EXPECT_EQ(found.otherLikeliest, 1);

  // What came before is.
  other.hidden[1].values[0] += 1;
  EXPECT_EQ(compared(golden, other).parting, "layer 0");
  // A wide margin excuses nothing.
  golden.routes[0].margins[1] = 2e-5f;
  EXPECT_EQ(compared(golden, other).parting, "the experts of layer 0");
}

TEST(Comparison, WhatOneDoesNotHaveIsNotCompared) {
  Trace bare;
  bare.logits = sample().logits;
  Comparison found = compared(bare, sample());
  EXPECT_EQ(found.parting, "");
  EXPECT_FALSE(found.embedding);
  EXPECT_FALSE(found.layers[0].output);
  EXPECT_EQ(found.layers[0].routed, 0);

  // The end of the logits.
  Trace tail = sample();
  tail.tail = true;
  tail.logits = {1, 4, {0, 0, 2, 0}};
  found = compared(sample(), tail);
  EXPECT_EQ(found.parting, "");
  EXPECT_EQ(found.positions, 1);
}

TEST(Comparison, RefusesOtherShapes) {
  Trace other = sample();
  other.hidden.pop_back();
  EXPECT_EQ(refusal(sample(), other), "these cannot be compared: models of 2 and of 1 layers");
  other = sample();
  other.logits = rows(3, 5, 0);
  EXPECT_EQ(refusal(sample(), other), "these cannot be compared: logits has 4 and 5 columns");
  other = sample();
  other.hidden[0] = rows(2, 2, 0);
  EXPECT_EQ(refusal(sample(), other), "these cannot be compared: prompts of 3 and of 2 tokens");
  other = sample();
  other.routes[1] = {3, 1, {0, 1, 2}, {}};
  EXPECT_EQ(refusal(sample(), other), "these cannot be compared: route.1 has 2 experts for each of "
                                      "3 tokens, and 1 for each of 3");
}

} // namespace
} // namespace moire::driver
