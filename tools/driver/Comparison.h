// What two programs computed of one prompt, side by side.

#ifndef MOIRE_TOOLS_DRIVER_COMPARISON_H
#define MOIRE_TOOLS_DRIVER_COMPARISON_H

#include "frontends/weights/Container.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace moire::driver {

/// A matrix of f32.
struct Rows {
  int64_t count = 0, width = 0;
  std::vector<float> values; // [count, width]
  const float *row(int64_t index) const { return values.data() + index * width; }
};

/// Which experts the tokens have in a layer.
struct Route {
  int64_t tokens = 0, k = 0;
  std::vector<int32_t> experts; // [tokens, k], in any order
  std::vector<float> margins; // [tokens] from the last chosen to the first rejected; empty: unknown
};

/// What one of the two computed.
struct Trace {
  Rows logits;
  bool tail = false;               // the logits are of the last tokens of the prompt only
  std::vector<Rows> hidden;        // the stream entering each layer and the final norm, or nothing
  std::map<int64_t, Route> routes; // by layer

  /// Tokens of the prompt; 0 where only a tail of the logits is known.
  int64_t tokens() const;
};

/// Reads the tensors `logits` (or `logits_tail`), `hidden.{i}` and `route.{i}.…` whose names begin
/// with `prefix`. On failure returns false; `error` names the tensor that is missing or wrong.
bool readTrace(const std::map<std::string, TensorEntry> &tensors, const std::string &prefix,
               Trace &trace, std::string &error);

/// How far two matrices lie apart.
struct Difference {
  double largest = 0; // of |a - b|; infinite where only one is a number
  double absmax = 0;  // the largest magnitude in either
  double relative() const { return largest == 0 ? 0 : largest / absmax; }
};

/// A token that has other experts in b than in a.
struct ChangedSet {
  int64_t token;
  std::vector<int32_t> a, b; // ascending
  std::optional<double> margin;
  bool tie; // the margin is known, and below kTie
};
constexpr double kTie = 1e-5;

struct LayerComparison {
  std::optional<Difference> output; // of the stream that leaves the layer, if both have it
  int64_t routed = 0;               // tokens whose experts both tell; 0: none
  std::vector<ChangedSet> changed;
};

struct Comparison {
  int64_t tokens = 0;
  std::optional<Difference> embedding; // of the stream that enters the first layer
  std::vector<LayerComparison> layers;
  Difference logits;
  int64_t positions = 0;                        // whose logits both have
  double divergence = 0, largestDivergence = 0; // KL(b || a) over the positions: mean, largest
  int64_t otherLikeliest = 0;                   // positions with another likeliest token
  int64_t notNumbers = 0; // positions where either has a logit that is infinite or NaN

  /// Where they part first, as "layer 3"; empty: nowhere. A tie is no parting, and what comes
  /// after one (its token and later ones, from its layer on) is not judged.
  std::string parting;

  /// Whether nothing parts them. Logits that are no numbers are equal to nothing.
  bool equal() const { return parting.empty() && !notNumbers; }
};

/// Compares traces; `tolerance` is for relative differences. On failure returns false; `error` says
/// which shapes do not fit.
bool compareTraces(const Trace &a, const Trace &b, double tolerance, Comparison &comparison,
                   std::string &error);

} // namespace moire::driver

#endif
