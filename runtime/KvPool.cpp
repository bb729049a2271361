#include "runtime/KvPool.h"

#include <cstring>

namespace moire {

bool KvPool::create(int64_t pageCount, int64_t pageBytes, int64_t positions, int64_t slots,
                    int64_t pagesPerSlot) {
  constexpr int64_t kMostEntries = 1 << 28;
  int64_t poolBytes, entryCount;
  if (__builtin_mul_overflow(pageCount, pageBytes, &poolBytes) ||
      __builtin_mul_overflow(slots, pagesPerSlot, &entryCount) || entryCount > kMostEntries ||
      !memory.allocate(poolBytes) || !entries.allocate(entryCount * sizeof(int32_t)) ||
      !counts.allocate(pageCount * sizeof(int32_t)) || !freed.allocate(pageCount * sizeof(int32_t)))
    return false;
  if (entryCount)
    memset(entries.data(), 0xFF, entries.bytes()); // -1 everywhere
  pages = pageCount;
  bytes = pageBytes;
  positionsPerPage = positions;
  perSlot = pagesPerSlot;
  return true;
}

int32_t KvPool::take() {
  int32_t page = -1;
  if (freedCount)
    page = numbers(freed)[--freedCount];
  else if (neverUsed < pages)
    page = static_cast<int32_t>(neverUsed++);
  if (page >= 0)
    numbers(counts)[page] = 1;
  return page;
}

void KvPool::release(int32_t &page) {
  if (--numbers(counts)[page] == 0)
    numbers(freed)[freedCount++] = page;
  page = -1;
}

bool KvPool::prepare(int64_t slot, int64_t begin, int64_t end) {
  if (begin >= end || !perSlot)
    return true;
  for (int64_t i = begin / positionsPerPage; i <= (end - 1) / positionsPerPage; ++i) {
    int32_t *page = entry(slot, i);
    if (*page >= 0 && numbers(counts)[*page] == 1)
      continue;
    int32_t fresh = take();
    if (fresh < 0)
      return false;
    if (*page >= 0) {
      memcpy(data() + fresh * bytes, data() + *page * bytes, bytes);
      release(*page);
    }
    *page = fresh;
  }
  return true;
}

void KvPool::truncate(int64_t slot, int64_t length) {
  for (int64_t i = (length + positionsPerPage - 1) / positionsPerPage; i < perSlot; ++i) {
    int32_t *page = entry(slot, i);
    if (*page < 0)
      break; // a slot's pages have no gaps
    release(*page);
  }
}

void KvPool::repeatFirst(int64_t slot, int64_t begin, int64_t end) {
  if (begin >= end || !perSlot)
    return;
  const uint8_t *first = data() + *entry(slot, 0) * bytes;
  for (int64_t i = begin / positionsPerPage; i <= (end - 1) / positionsPerPage; ++i)
    memcpy(data() + *entry(slot, i) * bytes, first, bytes);
}

void KvPool::share(int64_t from, int64_t to) {
  for (int64_t i = 0; i < perSlot; ++i) {
    int32_t page = *entry(from, i);
    if (page < 0)
      break;
    ++numbers(counts)[page];
    *entry(to, i) = page;
  }
}

} // namespace moire
