#include "runtime/text/Sampler.h"

#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <set>

using namespace moire;

using Row = std::vector<float>;
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_ = std::numeric_limits<float>::quiet_NaN();

/// How often each id comes in `draws` draws.
static std::vector<int> draw(const SamplerOptions &options, const Row &logits, int draws = 20000) {
  Sampler sampler(options);
  std::vector<int> counts(logits.size(), 0);
  for (int i = 0; i < draws; ++i) {
    const int32_t id = sampler.sample(logits);
    if (id < 0 || id >= static_cast<int32_t>(logits.size())) {
      ADD_FAILURE() << "sampled " << id;
      break;
    }
    ++counts[id];
  }
  return counts;
}

/// The ids that come at all.
static std::set<int> support(const SamplerOptions &options, const Row &logits) {
  std::set<int> ids;
  const std::vector<int> counts = draw(options, logits);
  for (size_t i = 0; i < counts.size(); ++i)
    if (counts[i] > 0)
      ids.insert(i);
  return ids;
}

/// Logits of these probabilities.
static Row logitsOf(std::initializer_list<double> probabilities) {
  Row logits;
  for (double p : probabilities)
    logits.push_back(std::log(p));
  return logits;
}

TEST(Sampler, GreedyTakesTheLowestIdAmongEquals) {
  Sampler greedy({});
  EXPECT_EQ(greedy.sample(Row{1, 3, 2, 3}), 1);
  EXPECT_EQ(greedy.sample(Row{-5}), 0);
  EXPECT_EQ(greedy.sample(Row{0.0f, -0.0f}), 0);
  EXPECT_EQ(Sampler({.temperature = -1}).sample(Row{1, 2}), 1);
  EXPECT_EQ(Sampler({.temperature = nan_}).sample(Row{1, 2}), 1);
}

TEST(Sampler, NeverChoosesWhatIsNoNumber) {
  for (float temperature : {0.0f, 1.0f}) {
    Sampler sampler({.temperature = temperature});
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(sampler.sample(Row{nan_, -infinity, 1, nan_}), 2);
      EXPECT_EQ(sampler.sample(Row{3, nan_, infinity}), 2);
    }
    EXPECT_EQ(sampler.sample(Row{nan_, nan_}), -1);
    EXPECT_EQ(sampler.sample(Row{-infinity, nan_}), -1);
    EXPECT_EQ(sampler.sample(Row{}), -1);
  }
  EXPECT_EQ(support({.temperature = 1}, {infinity, 0, infinity}), (std::set{0, 2}));
}

TEST(Sampler, FollowsTheDistribution) {
  const std::array probabilities = {0.5, 0.25, 0.125, 0.0625, 0.0625};
  const std::vector<int> counts =
      draw({.temperature = 1, .seed = 7}, logitsOf({0.5, 0.25, 0.125, 0.0625, 0.0625}), 100000);
  double chiSquared = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = 100000 * probabilities[i];
    chiSquared += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  EXPECT_LT(chiSquared, 18.5); // 4 degrees of freedom, one time in a thousand above
  // Equal weights at ids far apart.
  for (int count : draw({.temperature = 1}, Row(10, 3.5f), 100000))
    EXPECT_NEAR(count, 10000, 400);
}

TEST(Sampler, TemperatureSharpensAndFlattens) {
  const Row logits = {1, 0};
  const auto share = [&](float temperature) {
    return draw({.temperature = temperature}, logits, 100000)[0] / 1e5;
  };
  EXPECT_NEAR(share(1), 1 / (1 + std::exp(-1.0)), 0.01);
  EXPECT_NEAR(share(2), 1 / (1 + std::exp(-0.5)), 0.01);
  EXPECT_NEAR(share(0.5), 1 / (1 + std::exp(-2.0)), 0.01);
  EXPECT_NEAR(share(infinity), 0.5, 0.01);
  EXPECT_EQ(share(1e-30f), 1);
}

TEST(Sampler, TopKKeepsTheLowestIdsAmongEquals) {
  const Row logits = {1, 2, 2, 0, 2};
  EXPECT_EQ(support({.temperature = 1, .top_k = 1}, logits), (std::set{1}));
  EXPECT_EQ(support({.temperature = 1, .top_k = 2}, logits), (std::set{1, 2}));
  EXPECT_EQ(support({.temperature = 1, .top_k = 4}, logits), (std::set{0, 1, 2, 4}));
  for (int32_t off : {0, -1, 5, 6, INT32_MAX, INT32_MIN})
    EXPECT_EQ(support({.temperature = 1, .top_k = off}, logits).size(), 5u) << off;
}

TEST(Sampler, TopPKeepsTheFewestThatHaveTheMass) {
  const Row logits = logitsOf({0.125, 0.5, 0.25, 0.125});
  EXPECT_EQ(support({.temperature = 1, .top_p = 0.4}, logits), (std::set{1}));
  EXPECT_EQ(support({.temperature = 1, .top_p = 0.6}, logits), (std::set{1, 2}));
  EXPECT_EQ(support({.temperature = 1, .top_p = 0.8}, logits), (std::set{0, 1, 2}));
  EXPECT_EQ(support({.temperature = 1, .top_p = 0}, logits), (std::set{1}));
  EXPECT_EQ(support({.temperature = 1, .top_p = -1}, logits), (std::set{1}));
  for (float off : {1.0f, 2.0f, nan_})
    EXPECT_EQ(support({.temperature = 1, .top_p = off}, logits).size(), 4u) << off;
  // The mass is that of what top-k left: 0.5 of 0.75.
  EXPECT_EQ(support({.temperature = 1, .top_k = 2, .top_p = 0.66}, logits), (std::set{1}));
}

TEST(Sampler, MinPIsRelativeToTheBest) {
  const Row logits = logitsOf({0.5, 0.3, 0.15, 0.05});
  EXPECT_EQ(support({.temperature = 1, .min_p = 0.5}, logits), (std::set{0, 1}));
  EXPECT_EQ(support({.temperature = 1, .min_p = 0.2}, logits), (std::set{0, 1, 2}));
  EXPECT_EQ(support({.temperature = 1, .min_p = 1}, logits), (std::set{0}));
  EXPECT_EQ(support({.temperature = 1, .min_p = 5}, logits), (std::set{0}));
  for (float off : {0.0f, -1.0f, nan_})
    EXPECT_EQ(support({.temperature = 1, .min_p = off}, logits).size(), 4u) << off;
}

TEST(Sampler, RepeatsItselfWithTheSameSeed) {
  Row logits;
  for (int i = 0; i < 1000; ++i)
    logits.push_back(std::sin(i * 1.7f) * 3);
  const SamplerOptions options = {
      .temperature = 0.8, .top_k = 200, .top_p = 0.95, .min_p = 0.01, .seed = 42};
  Sampler a(options), b(options);
  SamplerOptions other = options;
  other.seed = 43;
  Sampler c(other);
  int differences = 0;
  for (int i = 0; i < 200; ++i) {
    const int32_t id = a.sample(logits);
    EXPECT_EQ(id, b.sample(logits));
    differences += id != c.sample(logits);
  }
  EXPECT_GT(differences, 100);
}

// The ids of one seed are part of what the program promises: other platforms give the same.
TEST(Sampler, GivesTheseIdsEverywhere) {
  const Row uniform(1000, 0.0f);
  Sampler sampler({.temperature = 1, .seed = 0});
  std::vector<int32_t> ids;
  for (int i = 0; i < 4; ++i)
    ids.push_back(sampler.sample(uniform));
  // SplitMix64 of seed 0: e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f, f88bb8a8724c81ec.
  EXPECT_EQ(ids, (std::vector<int32_t>{883, 431, 26, 970}));
}
