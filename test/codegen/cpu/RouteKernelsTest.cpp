// Routing against its definition in double precision, and the sorting of assignments.
//
// Logits are multiples of 1/16: equal ones are exactly equal, and others are told apart by any
// arithmetic. So the chosen experts have to be exactly those of the definition.

#include "test/codegen/cpu/Kernel.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <optional>

namespace moire::test {
namespace {

struct Rule {
  const char *scoring;
  int64_t experts, choices;
  bool bias = false;
  int64_t groups = 1, limit = 1;
  bool top2 = false;
  double normalize = -1; // negative: not
  double scaling = 1;
};

struct Routed {
  std::vector<int32_t> ids;
  std::vector<double> weights;
};

double finite(double v) {
  return std::isnan(v) ? -FLT_MAX : std::clamp<double>(v, -FLT_MAX, FLT_MAX);
}

Routed define(const Rule &rule, std::vector<double> logits, const std::vector<float> &bias) {
  for (double &l : logits)
    l = finite(l);
  std::string scoring = rule.scoring;
  std::vector<double> scores = logits;
  auto softmax = [](std::vector<double> &v) {
    double largest = *std::max_element(v.begin(), v.end()), total = 0;
    for (double &x : v)
      total += x = std::exp(x - largest);
    for (double &x : v)
      x /= total;
  };
  if (scoring == "softmax")
    softmax(scores);
  if (scoring == "sigmoid")
    for (double &s : scores)
      s = 1 / (1 + std::exp(-s));
  std::vector<double> remaining = scores;
  if (rule.bias)
    for (int64_t e = 0; e < rule.experts; ++e)
      remaining[e] = finite(remaining[e] + bias[e]);
  int64_t inGroup = rule.experts / rule.groups;
  std::vector<std::pair<double, int64_t>> groups; // the best first, of equal ones the lowest
  for (int64_t g = 0; g < rule.groups; ++g) {
    std::vector<double> of(remaining.begin() + g * inGroup, remaining.begin() + (g + 1) * inGroup);
    std::sort(of.rbegin(), of.rend());
    groups.push_back({-(rule.top2 ? of[0] + of[1] : of[0]), g});
  }
  std::sort(groups.begin(), groups.end());
  for (int64_t i = rule.limit; i < rule.groups; ++i)
    std::fill_n(remaining.begin() + groups[i].second * inGroup, inGroup, -INFINITY);

  Routed routed;
  for (int64_t j = 0; j < rule.choices; ++j) {
    int64_t best = std::max_element(remaining.begin(), remaining.end()) - remaining.begin();
    routed.ids.push_back(best);
    routed.weights.push_back(scores[best]);
    remaining[best] = -INFINITY;
  }
  if (scoring == "softmax_chosen")
    softmax(routed.weights);
  double total = std::accumulate(routed.weights.begin(), routed.weights.end(), 0.0);
  for (double &w : routed.weights) {
    if (rule.normalize >= 0)
      w = total + rule.normalize == 0 ? 0 : w / (total + rule.normalize);
    w *= rule.scaling;
  }
  return routed;
}

class Router {
public:
  explicit Router(const Rule &rule) : rule(rule), bias((rule.experts + 15) / 16 * 16) {
    Random random(rule.experts);
    for (int64_t e = 0; e < rule.experts; ++e)
      bias[e] = static_cast<float>(random.integer(-8, 8)) / 32;
    logitsAt = memory.shared(4 * rule.experts);
    idsAt = memory.shared(4 * rule.choices), weightsAt = memory.shared(4 * rule.choices);
    scratchAt = memory.scratch(12 * bias.size());
    biasAt = memory.weight(bias.data(), 4 * bias.size());
  }

  std::string text(bool one) const {
    std::string logits = rowsOf(one, {rule.experts}, "f32");
    std::string scratch = "3x" + std::to_string(bias.size()) + "xf32";
    std::string text = sharedBuffer(one, "l", logitsAt, {rule.experts}, "f32") +
                       sharedBuffer(one, "ids", idsAt, {rule.choices}, "i32") +
                       sharedBuffer(one, "w", weightsAt, {rule.choices}, "f32") +
                       privateBuffer("s", scratchAt, scratch) +
                       weightVector("b", biasAt, bias.size(), "f32") + "tile.route rows " +
                       rule.scoring + " %l" + (rule.bias ? " bias %b" : "") +
                       " scratch %s -> %ids, %w {";
    std::string attributes;
    if (rule.groups > 1)
      attributes += "groups = " + std::to_string(rule.groups) +
                    " : i64, group_limit = " + std::to_string(rule.limit) +
                    " : i64, group_score = " + (rule.top2 ? "1" : "0") + " : i32, ";
    char number[64];
    if (rule.normalize >= 0) {
      std::snprintf(number, sizeof(number), "normalize = %.17e : f64, ", rule.normalize);
      attributes += number;
    }
    std::snprintf(number, sizeof(number), "scaling = %.17e : f64", rule.scaling);
    return text + attributes + number + "} : " + logits +
           (rule.bias ? " bias memref<" + std::to_string(bias.size()) + "xf32>" : "") +
           " scratch memref<" + scratch + "> -> " + rowsOf(one, {rule.choices}, "i32") + ", " +
           rowsOf(one, {rule.choices}, "f32");
  }

  // Some rows are of equal logits, or hold values that are no numbers.
  double logit(int64_t t, int64_t e) const {
    Random random(t * 1000 + e);
    double value = static_cast<double>(random.integer(-64, 64)) / 16;
    if (t == 1)
      return 0.5;
    if (t == 2)
      return std::floor(value);
    if (t == 3)
      return NAN;
    if (t == 4)
      return e % 3 == 0 ? NAN : e % 7 == 1 ? INFINITY : e % 5 == 1 ? -INFINITY : value;
    return value;
  }

  void check() {
    auto kernel = Kernel::compile({[this](bool one) { return text(one); }}, memory, "native");
    ASSERT_TRUE(kernel);
    constexpr int64_t kRows = 24;
    std::vector<float> weights;
    for (int team : {1, 3}) {
      prepare(*kernel, kRows);
      kernel->run(kRows, team);
      for (int64_t t = 0; t < kRows; ++t)
        checkRow(*kernel, t, t);
      const float *w = kernel->at<float>(weightsAt);
      if (team == 1)
        weights.assign(w, w + kRows * rule.choices);
      EXPECT_TRUE(std::equal(weights.begin(), weights.end(), w));
    }
    for (int64_t t = 0; t < 6; ++t) {
      prepare(*kernel, 1, t);
      kernel->run(1, 1, /*one=*/true);
      checkRow(*kernel, 0, t);
      EXPECT_TRUE(std::equal(kernel->at<float>(weightsAt),
                             kernel->at<float>(weightsAt) + rule.choices,
                             weights.begin() + t * rule.choices));
    }
  }

private:
  void prepare(Kernel &kernel, int64_t rows, int64_t first = 0) {
    kernel.reserve(rows);
    for (int64_t t = 0; t < rows; ++t)
      for (int64_t e = 0; e < rule.experts; ++e)
        kernel.at<float>(logitsAt)[t * rule.experts + e] = logit(first + t, e);
  }

  /// Row `row` of the step has the logits of row `t`.
  void checkRow(Kernel &kernel, int64_t row, int64_t t) {
    std::vector<double> logits;
    for (int64_t e = 0; e < rule.experts; ++e)
      logits.push_back(logit(t, e));
    Routed expected = define(rule, logits, bias);
    for (int64_t j = 0; j < rule.choices; ++j) {
      ASSERT_EQ(kernel.at<int32_t>(idsAt)[row * rule.choices + j], expected.ids[j])
          << "row " << t << " choice " << j;
      ASSERT_NEAR(kernel.at<float>(weightsAt)[row * rule.choices + j], expected.weights[j],
                  2e-6 * (1 + std::abs(expected.weights[j])))
          << "row " << t << " choice " << j;
    }
  }

  Rule rule;
  std::vector<float> bias;
  Memory memory;
  int64_t logitsAt, idsAt, weightsAt, scratchAt, biasAt;
};

TEST(RouteKernels, AreTheirDefinition) {
  for (const Rule &rule : {Rule{"softmax", 8, 2, false, 1, 1, false, 0}, Rule{"softmax", 64, 6},
                           Rule{"softmax", 5, 5, true}, Rule{"softmax_chosen", 8, 2},
                           Rule{"softmax_chosen", 40, 3, false, 1, 1, false, -1, 2.5},
                           Rule{"sigmoid", 20, 4, true, 1, 1, false, 1e-6},
                           Rule{"sigmoid", 256, 8, true, 8, 4, true, 1e-20, 2.5},
                           Rule{"softmax", 24, 3, false, 4, 2, false, -1, 16},
                           Rule{"sigmoid", 12, 4, false, 6, 2, true}, Rule{"softmax", 1, 1}}) {
    SCOPED_TRACE(std::string(rule.scoring) + " " + std::to_string(rule.experts));
    Router(rule).check();
  }
}

// Experts with more assignments than `fours`, if given, begin at whole fours.
void checkDispatch(std::optional<int64_t> fours) {
  constexpr int64_t kExperts = 7, kChoices = 3, kTokens = 50, kRoom = 4 * kChoices;
  SCOPED_TRACE(fours ? "fours " + std::to_string(*fours) : "no fours");
  Memory memory;
  int64_t ids = memory.shared(4 * kChoices), order = memory.shared(4 * kRoom);
  int64_t offsets = memory.shared(4 * (kExperts + 1));
  Kernel::Source source{[&](bool one) {
    int64_t room = one ? kChoices : kRoom;
    std::string from = rowsOf(one, {kChoices}, "i32"), places = rowsOf(one, {room}, "i32");
    std::string to = one ? "memref<3xi32>" : "memref<?xi32>";
    return sharedBuffer(one, "ids", ids, {kChoices}, "i32") +
           sharedBuffer(one, "o", order, {room}, "i32") +
           "%order = memref.collapse_shape %o [[0, 1]] : " + places + " into " + to +
           "\n%offsets = tile.alloc shared at " + std::to_string(offsets) +
           " : memref<1x8xi32>\ntile.dispatch first %ids -> %order, %offsets" +
           (fours ? " {fours = " + std::to_string(*fours) + " : i64}" : "") + " : " + from +
           " -> " + to + ", memref<1x8xi32>";
  }};
  auto kernel = Kernel::compile(source, memory, "native");
  ASSERT_TRUE(kernel);
  kernel->reserve(kTokens);
  Random random(3);
  std::vector<std::vector<int32_t>> expected(kExperts);
  for (int64_t t = 0; t < kTokens; ++t)
    for (int64_t j = 0; j < kChoices; ++j) {
      // Expert 2 has no tokens.
      int32_t id = (random.integer(0, 1) * 3 + j + 3) % kExperts;
      kernel->at<int32_t>(ids)[t * kChoices + j] = id;
      expected[id].push_back(t * kChoices + j);
    }
  kernel->run(kTokens, 3);
  const int32_t *found = kernel->at<int32_t>(order), *begins = kernel->at<int32_t>(offsets);
  int32_t place = 0;
  for (int64_t e = 0; e < kExperts; ++e) {
    // What is repeated belongs to the expert before, not to one without assignments.
    if (expected[e].empty()) {
      ASSERT_EQ(begins[e], begins[e + 1]);
      continue;
    }
    for (; fours && int64_t(expected[e].size()) > *fours && place % 4; ++place)
      ASSERT_EQ(found[place], found[place - 1]);
    ASSERT_EQ(begins[e], place);
    for (int32_t assignment : expected[e])
      ASSERT_EQ(found[place++], assignment);
  }
  ASSERT_EQ(begins[kExperts], place);
  EXPECT_TRUE(expected[2].empty());
}

TEST(RouteKernels, DispatchSortsByExpert) {
  for (std::optional<int64_t> fours : {std::optional<int64_t>(), {0}, {23}, {100}})
    checkDispatch(fours);
}

} // namespace
} // namespace moire::test
