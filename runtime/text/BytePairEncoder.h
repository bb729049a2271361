// Byte-pair merging of one word.

#ifndef MOIRE_RUNTIME_TEXT_BYTEPAIRENCODER_H
#define MOIRE_RUNTIME_TEXT_BYTEPAIRENCODER_H

#include "runtime/text/TokenizerSection.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace moire {

/// Merges the bytes of a word into tokens: always the pair of the lowest rank, the leftmost among
/// equals, until no pair of neighbours has a merge (Sennrich et al. 2016, in the form of GPT-2).
/// Takes O(n log n) for n bytes. An object keeps its buffers from word to word.
class BytePairEncoder {
public:
  /// Views of the checked arrays of a tokenizer section: `byteTokens` [256], `rows` [vocab + 1].
  BytePairEncoder(std::span<const int32_t> byteTokens, std::span<const uint32_t> rows,
                  std::span<const TokenizerMerge> merges)
      : byteTokens(byteTokens), rows(rows), merges(merges) {}

  /// Appends the ids of `word` to `ids`. Bytes without a token vanish first: their neighbours may
  /// merge.
  void encode(std::string_view word, std::vector<int32_t> &ids);

private:
  static constexpr size_t none = SIZE_MAX;
  struct Symbol {
    int32_t token; // -1: merged into its left neighbour
    size_t previous, next;
  };
  struct Pair {
    const TokenizerMerge *merge;
    int32_t leftToken;
    size_t left; // index of the symbol
  };

  const TokenizerMerge *findMerge(int32_t left, int32_t right) const;
  void pushPair(size_t left);

  std::span<const int32_t> byteTokens;
  std::span<const uint32_t> rows;
  std::span<const TokenizerMerge> merges;
  std::vector<Symbol> symbols;
  std::vector<Pair> heap;
};

} // namespace moire

#endif
