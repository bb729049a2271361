// Preferences of experts for which the k largest of `preference + noise` are chosen as often as
// wanted. There is no formula for it with normal noise, so they are found by trying: a few thousand
// tokens (fewer for thousands of experts) with fixed noise, whose choices are counted, and
// preferences that follow what was missed.

#include "frontends/weights/Synthetic.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

using namespace moire;

std::vector<double> moire::zipfFrequencies(int64_t experts, int64_t chosen, double exponent) {
  std::vector<double> shares(experts);
  for (int64_t rank = 0; rank < experts; ++rank)
    shares[rank] = std::pow(static_cast<double>(rank + 1), -exponent);
  // Experts that would be chosen more than always are chosen always, and the others share the rest.
  int64_t always = 0;
  double rest = 0;
  for (;; ++always) {
    rest = std::accumulate(shares.begin() + always, shares.end(), 0.0);
    if (always == chosen || shares[always] / rest * static_cast<double>(chosen - always) <= 1)
      break;
  }
  for (int64_t rank = 0; rank < experts; ++rank)
    shares[rank] = rank < always ? 1 : shares[rank] / rest * static_cast<double>(chosen - always);
  return shares;
}

std::vector<float> moire::zipfPreferences(int64_t experts, int64_t chosen, double exponent) {
  std::vector<float> preferences(experts, 0.0F);
  if (exponent == 0 || chosen >= experts)
    return preferences;
  std::vector<double> wanted = zipfFrequencies(experts, chosen, exponent);

  const int64_t tokens = std::clamp<int64_t>((1 << 22) / experts, 512, 4096);
  std::vector<float> noise(tokens * experts);
  for (size_t n = 0; n < noise.size(); ++n) { // Box and Muller's transform
    double radius = static_cast<double>((syntheticHash(1, n) >> 11) + 1) * 0x1p-53;
    double angle = static_cast<double>(syntheticHash(2, n) >> 11) * 0x1p-53;
    noise[n] = static_cast<float>(std::sqrt(-2 * std::log(radius)) *
                                  std::cos(2 * std::numbers::pi * angle));
  }

  constexpr int rounds = 60;
  std::vector<std::pair<float, int64_t>> ranked(experts);
  for (int round = 0; round < rounds; ++round) {
    std::vector<int64_t> count(experts, 0);
    for (int64_t token = 0; token < tokens; ++token) {
      for (int64_t e = 0; e < experts; ++e)
        ranked[e] = {-noise[token * experts + e] - preferences[e], e};
      std::nth_element(ranked.begin(), ranked.begin() + chosen, ranked.end());
      for (int64_t n = 0; n < chosen; ++n)
        ++count[ranked[n].second];
    }
    double step = round < rounds / 2 ? 0.4 : 0.1;
    for (int64_t e = 0; e < experts; ++e) {
      double is = (static_cast<double>(count[e]) + 0.5) / static_cast<double>(tokens + 1);
      preferences[e] += static_cast<float>(step * std::log((wanted[e] + 1e-4) / is));
    }
  }
  return preferences;
}
