#include "runtime/Checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace moire {

uint64_t checksum(std::span<const uint8_t> bytes, const std::function<void(uint64_t)> &progress) {
  if (!progress)
    return XXH3_64bits(bytes.data(), bytes.size());
  constexpr size_t kPiece = 64 << 20;
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  for (size_t done = 0; done < bytes.size();) {
    size_t piece = std::min(kPiece, bytes.size() - done);
    XXH3_64bits_update(&state, bytes.data() + done, piece);
    done += piece;
    progress(done);
  }
  return XXH3_64bits_digest(&state);
}

} // namespace moire
