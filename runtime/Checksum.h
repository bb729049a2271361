// XXH3 with 64 bits, the checksum of sections and of the section table.

#ifndef MOIRE_RUNTIME_CHECKSUM_H
#define MOIRE_RUNTIME_CHECKSUM_H

#include <cstdint>
#include <functional>
#include <span>

namespace moire {

/// XXH3_64bits with seed 0. `progress(bytes done)` is called every 64 MiB and may be null.
uint64_t checksum(std::span<const uint8_t> bytes,
                  const std::function<void(uint64_t)> &progress = nullptr);

} // namespace moire

#endif
