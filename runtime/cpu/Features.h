// Which of the instruction sets that generated code may need this processor and system offer.

#ifndef MOIRE_RUNTIME_CPU_FEATURES_H
#define MOIRE_RUNTIME_CPU_FEATURES_H

#include <cstdint>
#include <string>

namespace moire {

/// Bits of moire_cpu_feature that can be used here: the processor has them and the system saves
/// their registers.
int64_t cpuFeatures();

/// The features in `bits` in words, "AVX2 with FMA and F16C, AVX-512 VNNI"; bits that this runtime
/// does not know are named by number. Empty when `bits` is 0.
std::string describeCpuFeatures(int64_t bits);

/// The processor's own name, "AMD EPYC …"; "this processor" when it does not tell.
std::string cpuName();

} // namespace moire

#endif
