#include "runtime/text/Sampler.h"

#include "runtime/Math.h"

#include <algorithm>
#include <cfloat>

using namespace moire;

/// SplitMix64 (Steele, Lea, Flood 2014).
double Sampler::uniform() {
  state += 0x9E3779B97F4A7C15;
  uint64_t bits = state;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  bits ^= bits >> 31;
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

int32_t Sampler::sample(std::span<const float> logits) {
  int32_t best = -1;
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] >= -FLT_MAX && (best < 0 || logits[i] > logits[best])) // no NaN passes
      best = static_cast<int32_t>(i);
  if (best < 0 || !(options.temperature > 0))
    return best;

  candidates.clear();
  const double largest = std::min(logits[best], FLT_MAX);
  for (size_t i = 0; i < logits.size(); ++i)
    if (logits[i] >= -FLT_MAX) {
      const double logit = std::min(logits[i], FLT_MAX); // of several +inf all weigh the same
      candidates.push_back(
          {static_cast<int32_t>(i), exponential((logit - largest) / options.temperature)});
    }

  // Sums run in a fixed order: by id, or from the heaviest on. Where a filter sorts, equal weights
  // are told apart by id, so that the order does not depend on the sorting algorithm.
  auto heavier = [](const Candidate &a, const Candidate &b) {
    return a.weight != b.weight ? a.weight > b.weight : a.id < b.id;
  };
  if (options.top_k > 0 && static_cast<size_t>(options.top_k) < candidates.size()) {
    std::partial_sort(candidates.begin(), candidates.begin() + options.top_k, candidates.end(),
                      heavier);
    candidates.resize(options.top_k);
  }
  auto massOf = [&] {
    double mass = 0;
    for (const Candidate &candidate : candidates)
      mass += candidate.weight;
    return mass;
  };
  if (options.top_p < 1) {
    const double wanted = massOf() * options.top_p;
    // A heap, because few candidates of many are wanted.
    auto lighter = [&](const Candidate &a, const Candidate &b) { return heavier(b, a); };
    std::make_heap(candidates.begin(), candidates.end(), lighter);
    auto rest = candidates.end();
    double mass = 0;
    do {
      std::pop_heap(candidates.begin(), rest, lighter);
      --rest;
      mass += rest->weight;
    } while (mass < wanted && rest != candidates.begin());
    std::reverse(rest, candidates.end());
    candidates.erase(candidates.begin(), rest);
  }
  // The heaviest weighs 1.
  std::erase_if(candidates, [&](const Candidate &candidate) {
    return candidate.weight < options.min_p && candidate.id != best;
  });

  double left = uniform() * massOf();
  for (const Candidate &candidate : candidates) {
    left -= candidate.weight;
    if (left < 0)
      return candidate.id;
  }
  return best; // rounding only
}
