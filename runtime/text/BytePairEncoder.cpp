#include "runtime/text/BytePairEncoder.h"

#include <algorithm>

using namespace moire;

const TokenizerMerge *BytePairEncoder::findMerge(int32_t left, int32_t right) const {
  const auto row = merges.subspan(rows[left], rows[left + 1] - rows[left]);
  const auto merge = std::lower_bound(
      row.begin(), row.end(), right,
      [](const TokenizerMerge &merge, int32_t token) { return merge.right < token; });
  return merge != row.end() && merge->right == right ? &*merge : nullptr;
}

/// The heap's order: the best pair is on top.
static constexpr auto mergesLater = [](const auto &a, const auto &b) {
  return a.merge->rank != b.merge->rank ? a.merge->rank > b.merge->rank : a.left > b.left;
};

void BytePairEncoder::pushPair(size_t left) {
  const Symbol &symbol = symbols[left];
  if (symbol.next == none)
    return;
  if (const TokenizerMerge *merge = findMerge(symbol.token, symbols[symbol.next].token)) {
    heap.push_back({merge, symbol.token, left});
    std::push_heap(heap.begin(), heap.end(), mergesLater);
  }
}

void BytePairEncoder::encode(std::string_view word, std::vector<int32_t> &ids) {
  symbols.clear();
  heap.clear();
  for (char byte : word)
    if (const int32_t token = byteTokens[static_cast<uint8_t>(byte)]; token >= 0)
      symbols.push_back({token, symbols.size() - 1, symbols.size() + 1});
  if (symbols.empty())
    return;
  symbols.back().next = none; // the first one's `previous` wrapped around to `none`

  for (size_t i = 0; i < symbols.size(); ++i)
    pushPair(i);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), mergesLater);
    const Pair pair = heap.back();
    heap.pop_back();

    // A merge beside this pair may have changed it since it was pushed.
    Symbol &left = symbols[pair.left];
    if (left.token != pair.leftToken || left.next == none ||
        symbols[left.next].token != pair.merge->right)
      continue;

    Symbol &right = symbols[left.next];
    left.token = pair.merge->result;
    left.next = right.next;
    right.token = -1;
    if (left.next != none)
      symbols[left.next].previous = pair.left;
    if (left.previous != none)
      pushPair(left.previous);
    pushPair(pair.left);
  }

  for (size_t i = 0; i != none; i = symbols[i].next)
    ids.push_back(symbols[i].token);
}
