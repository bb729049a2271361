// The least time that a step can take on a machine: what the model needs (runtime/Work.h) by what
// the machine does at best (`moire bench --limits -o json`).
//
//   ideal = max(bytes / bandwidth, sum over kinds of numbers: operations / peak)
//
// Counted is what cannot be avoided, not what a program does:
//   operations  two a multiply-add of a product; the head's for rows whose logits are asked for; of
//               attention those with positions that a token sees (causal, within the window)
//   bytes       packed weights once a step, of E experts the E * (1 - (1 - k / E)^T) that T tokens
//               with k of them each are expected to choose if all are equally likely; a row of the
//               embedding for each token; the keys and values of each position that a sequence
//               sees, once

#ifndef MOIRE_RUNTIME_IDEALTIME_H
#define MOIRE_RUNTIME_IDEALTIME_H

#include "runtime/Work.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace moire {

/// A step of `sequences` sequences with `tokens` new tokens each, behind `depth` earlier ones.
struct StepShape {
  int64_t sequences = 1, tokens = 1, depth = 0;
  int64_t logitRows = 1; // of all sequences together
};

/// What a step needs: operations, and bytes of memory.
struct StepNeeds {
  double f32 = 0, bf16 = 0, int8 = 0, bytes = 0;

  double operations() const { return f32 + bf16 + int8; }
  StepNeeds &operator+=(const StepNeeds &other);
};
StepNeeds needsOf(const Work &work, const StepShape &step);

/// A machine's best with some number of threads: operations, and bytes read, a second. 0: unknown.
struct MachineLimits {
  double f32 = 0, bf16 = 0, int8 = 0, read = 0;

  MachineLimits &operator+=(const MachineLimits &other);
  MachineLimits operator*(double factor) const;
};

/// Seconds for the bytes, and for the operations; 0 where a limit that is needed is unknown.
double memorySeconds(const StepNeeds &cost, const MachineLimits &limits);
double operationSeconds(const StepNeeds &cost, const MachineLimits &limits);

/// Reads what `moire bench --limits -o json` prints: the entries of "limits" for a team of
/// `threads`. False when the text is not of that form; `error` says why. Without an entry for that
/// team the limits stay 0.
bool parseLimits(std::string_view text, int64_t threads, MachineLimits &limits, std::string &error);

} // namespace moire

#endif
