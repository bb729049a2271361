// Choosing the next token from one row of logits.

#ifndef MOIRE_RUNTIME_TEXT_SAMPLER_H
#define MOIRE_RUNTIME_TEXT_SAMPLER_H

#include <cstdint>
#include <span>
#include <vector>

namespace moire {

/// How to sample. The filters act in the order of the fields, on softmax(logits / temperature).
struct SamplerOptions {
  float temperature = 0; // 0 (or less, or NaN): greedy, the filters do not matter
  int32_t top_k = 0;     // keep the k most likely tokens; 0 or less: off
  float top_p = 1;       // keep the fewest most likely tokens that have this mass; 1 or more: off
  float min_p = 0;       // keep tokens at least this times as likely as the best; 0 or less: off
  uint64_t seed = 0;
};

/// A seeded sampler: the same options and logits give the same ids on every platform.
class Sampler {
public:
  explicit Sampler(const SamplerOptions &options) : options(options), state(options.seed) {}

  /// The id chosen from `logits` [vocab]. Greedy takes the lowest id among equals. NaN and -inf are
  /// never chosen; -1 when there is nothing else. At least one token survives every filter.
  int32_t sample(std::span<const float> logits);

private:
  struct Candidate {
    int32_t id;
    double weight; // exp((logit - largest) / temperature), 1 for the best
  };
  double uniform(); // in [0, 1)

  SamplerOptions options;
  uint64_t state;
  std::vector<Candidate> candidates; // kept between calls to save the allocation
};

} // namespace moire

#endif
