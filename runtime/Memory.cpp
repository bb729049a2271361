#include "runtime/Memory.h"

#include <sys/mman.h>

namespace moire {

LazyMemory::~LazyMemory() {
  if (start)
    munmap(start, size);
}

bool LazyMemory::allocate(uint64_t bytes) {
  constexpr uint64_t kHugePage = 2 << 20;
  if (bytes > UINT64_MAX / 2)
    return false;
  LazyMemory fresh;
  if (bytes) {
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
      return false;
    fresh.start = static_cast<uint8_t *>(memory);
    fresh.size = bytes;
    // Fewer faults and TLB misses; merely advice.
    if (bytes >= kHugePage)
      madvise(memory, bytes, MADV_HUGEPAGE);
  }
  *this = std::move(fresh);
  return true;
}

} // namespace moire
