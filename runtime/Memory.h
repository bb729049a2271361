// Zeroed memory straight from the system, taken page by page when it is first touched.

#ifndef MOIRE_RUNTIME_MEMORY_H
#define MOIRE_RUNTIME_MEMORY_H

#include <cstdint>
#include <utility>

namespace moire {

class LazyMemory {
public:
  LazyMemory() = default;
  ~LazyMemory();
  LazyMemory(LazyMemory &&other) noexcept
      : start(std::exchange(other.start, nullptr)), size(std::exchange(other.size, 0)) {}
  LazyMemory &operator=(LazyMemory &&other) noexcept {
    std::swap(start, other.start);
    std::swap(size, other.size);
    return *this;
  }

  /// Reserves `bytes` (0 is fine), zeroed, aligned to a page of the system. False when the address
  /// space or a limit does not allow it; what was held before is then kept.
  bool allocate(uint64_t bytes);

  uint8_t *data() const { return start; }
  uint64_t bytes() const { return size; }

private:
  uint8_t *start = nullptr;
  uint64_t size = 0;
};

} // namespace moire

#endif
