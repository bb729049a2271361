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

/// The split pattern of table row `kind` (PreTokenizerKind): each step cuts the pieces of the step
/// before and sees nothing of the text beside its piece. Empty when there is no such row.
std::span<const Splitter> preTokenizerSteps(uint32_t kind);

} // namespace moire

#endif
