// The counter that generated code reads for its time stamps.

#ifndef MOIRE_RUNTIME_CPU_TIMESTAMP_H
#define MOIRE_RUNTIME_CPU_TIMESTAMP_H

#include <cstdint>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace moire {

/// Cycles of a counter that runs at one rate on all cores; read when all before it is done.
inline uint64_t timeStamp() {
#if defined(__x86_64__)
  unsigned core;
  return __rdtscp(&core);
#else
  return 0; // no code is generated for other processors
#endif
}

} // namespace moire

#endif
