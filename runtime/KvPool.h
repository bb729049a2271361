// KV pages: which page of the pool holds which positions of which slot.
//
// A page holds `positions` consecutive positions of one sequence, all layers together. Pages are
// counted: a fork shares them, and a shared page is copied before someone writes to it. The pool is
// reserved whole and taken from the system as pages are first written.

#ifndef MOIRE_RUNTIME_KVPOOL_H
#define MOIRE_RUNTIME_KVPOOL_H

#include "runtime/Memory.h"

namespace moire {

class KvPool {
public:
  /// Reserves `pages` pages of `pageBytes` bytes and `positions` positions, and a table of `slots`
  /// x `pagesPerSlot` empty entries (at most 2^28). False when the memory is not to be had. Call
  /// once.
  bool create(int64_t pages, int64_t pageBytes, int64_t positions, int64_t slots,
              int64_t pagesPerSlot);

  /// Makes positions begin .. end-1 of a slot writable: missing pages are taken, shared ones
  /// copied. Everything before `begin` is there already. False when the pool is empty; pages taken
  /// until then stay with the slot: `truncate(slot, begin)` gives them back.
  bool prepare(int64_t slot, int64_t begin, int64_t end);

  /// Gives back the pages of a slot that hold only positions >= `length`.
  void truncate(int64_t slot, int64_t length);

  /// Copies the first page of a slot into each one that holds any of positions begin .. end-1, all
  /// of which `prepare` made writable.
  void repeatFirst(int64_t slot, int64_t begin, int64_t end);

  /// Lets slot `to`, which must be empty, share the pages of `from`.
  void share(int64_t from, int64_t to);

  uint8_t *data() const { return memory.data(); }
  const int32_t *table() const { return numbers(entries); } // [slots, pagesPerSlot], -1 = none
  int64_t pageCount() const { return pages; }
  int64_t freePages() const { return pages - neverUsed + freedCount; }

private:
  static int32_t *numbers(const LazyMemory &memory) {
    return reinterpret_cast<int32_t *>(memory.data());
  }
  int32_t *entry(int64_t slot, int64_t page) { return numbers(entries) + slot * perSlot + page; }
  int32_t take();
  void release(int32_t &page);

  LazyMemory memory;
  LazyMemory entries; // the table
  LazyMemory counts;  // [pages] slots that hold the page
  LazyMemory freed;   // [freedCount] used before and free now; the last one is reused first
  int64_t freedCount = 0;
  int64_t neverUsed = 0; // pages from here on were never taken
  int64_t pages = 0, bytes = 0, positionsPerPage = 1, perSlot = 0;
};

} // namespace moire

#endif
