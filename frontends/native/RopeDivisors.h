// Llama 3's RoPE scaling as GGUF files keep it: a tensor of divisors, one a frequency.

#ifndef MOIRE_FRONTENDS_NATIVE_ROPEDIVISORS_H
#define MOIRE_FRONTENDS_NATIVE_ROPEDIVISORS_H

#include "frontends/native/Model.h"

namespace moire {

/// The scaling whose divisors are `divisors[0 .. R/2)` (llama.cpp's `rope_freqs.weight`) for the
/// frequencies base^(-2j/R). Of its four numbers only the factor is among the divisors; the low and
/// high factors are taken to be 1 and 4, as in every published model, and what was found must give
/// all divisors again, to 1e-5. No value if it does not.
std::optional<RopeScaling> findLlama3Scaling(const std::vector<float> &divisors, double base);

} // namespace moire

#endif
