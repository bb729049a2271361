// Cutting text into the pieces inside which BPE merges: the split patterns, by hand.

#ifndef MOIRE_RUNTIME_TEXT_PRETOKENIZER_H
#define MOIRE_RUNTIME_TEXT_PRETOKENIZER_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace moire {

/// The length in bytes of the first piece of `text`, which is not empty: 1 .. text.size().
using Splitter = size_t (*)(std::string_view text);

/// A split pattern as models name it: each step cuts the pieces of the step before, seeing nothing
/// of the text beside its piece.
struct PreTokenizer {
  std::string_view name; // "gpt-2"
  std::span<const Splitter> steps;
};

/// Rows of the table of patterns. The numbers are part of the tokenizer section: append only.
enum class PreTokenizerKind : uint32_t {
  Gpt2 = 0,       // GPT-2's regex
  DigitsGpt2 = 1, // each digit by itself, then GPT-2's regex (SmolLM, StarCoder)
};

/// The table row of `kind`, or null when there is no such row.
const PreTokenizer *preTokenizer(uint32_t kind);

} // namespace moire

#endif
