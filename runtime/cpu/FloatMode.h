// How the processor treats floating-point numbers while generated code runs.

#ifndef MOIRE_RUNTIME_CPU_FLOATMODE_H
#define MOIRE_RUNTIME_CPU_FLOATMODE_H

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace moire {

/// Until the end of the scope: round to nearest, no traps, denormals are zero (as operands and as
/// results). Then the caller's mode comes back. Every thread of a team computes in this one mode,
/// whatever the host had set, so that results do not depend on the host.
class FloatModeScope {
public:
#if defined(__x86_64__)
  FloatModeScope() : saved(_mm_getcsr()) {
    constexpr uint32_t kMaskTraps = 0x1F80, kFlushToZero = 0x8000, kDenormalsAreZero = 0x0040;
    _mm_setcsr(kMaskTraps | kFlushToZero | kDenormalsAreZero);
  }
  ~FloatModeScope() { _mm_setcsr(saved); }
#else
  FloatModeScope() : saved(0) {}
#endif
  FloatModeScope(const FloatModeScope &) = delete;
  FloatModeScope &operator=(const FloatModeScope &) = delete;

private:
  [[maybe_unused]] uint32_t saved;
};

} // namespace moire

#endif
