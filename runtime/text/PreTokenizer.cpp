#include "runtime/text/PreTokenizer.h"

#include "runtime/text/UnicodeClasses.h"
#include "runtime/text/Utf8.h"

#include <algorithm>

using namespace moire;

namespace {

struct Character {
  CharacterClass kind;
  size_t bytes;
};

/// The first character of `text`, not empty. Bytes that are no UTF-8 count as characters of class
/// Other, so that any input is split somehow and none of its bytes is lost.
Character firstCharacter(std::string_view text) {
  const Utf8Character character = firstUtf8Character(text);
  if (character.form != Utf8Character::Whole)
    return {CharacterClass::Other, character.bytes};
  const uint32_t *end = characterClassRuns + characterClassRunCount;
  const uint32_t *run = std::upper_bound(characterClassRuns, end,
                                         static_cast<uint32_t>(character.codePoint) << 2 | 3) -
                        1;
  return {static_cast<CharacterClass>(*run & 3), character.bytes};
}

/// Bytes of the longest run of characters of class `kind` at the front of `text`.
size_t runLength(std::string_view text, CharacterClass kind) {
  size_t length = 0;
  while (length < text.size()) {
    const Character character = firstCharacter(text.substr(length));
    if (character.kind != kind)
      break;
    length += character.bytes;
  }
  return length;
}

/// 's|'t|'re|'ve|'m|'ll|'d
size_t contractionLength(std::string_view text) {
  for (std::string_view contraction : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(contraction))
      return contraction.size();
  return 0;
}

/// \s+(?!\S)|\s+ : a run of white space leaves its last character to the text that follows, unless
/// it is the whole run. `text` starts with white space.
size_t whiteSpaceLength(std::string_view text) {
  size_t length = 0, last = 0;
  while (length < text.size()) {
    const Character character = firstCharacter(text.substr(length));
    if (character.kind != CharacterClass::Space)
      return length > last ? length - last : length;
    last = character.bytes;
    length += character.bytes;
  }
  return length;
}

/// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
size_t splitGpt2(std::string_view text) {
  if (size_t length = contractionLength(text))
    return length;
  const size_t space = text.size() > 1 && text.front() == ' ' ? 1 : 0;
  const std::string_view word = text.substr(space);
  const CharacterClass kind = firstCharacter(word).kind;
  if (kind == CharacterClass::Space)
    return whiteSpaceLength(text);
  return space + runLength(word, kind);
}

/// \p{N} alone, or all up to the next one.
size_t splitDigits(std::string_view text) {
  size_t length = 0;
  while (length < text.size()) {
    const Character character = firstCharacter(text.substr(length));
    if (character.kind == CharacterClass::Number)
      return length == 0 ? character.bytes : length;
    length += character.bytes;
  }
  return length;
}

constexpr Splitter gpt2Steps[] = {splitGpt2};
constexpr Splitter digitsGpt2Steps[] = {splitDigits, splitGpt2};

/// Rows in the order of PreTokenizerKind.
constexpr std::span<const Splitter> table[] = {gpt2Steps, digitsGpt2Steps};

} // namespace

std::span<const Splitter> moire::preTokenizerSteps(uint32_t kind) {
  return kind < std::size(table) ? table[kind] : std::span<const Splitter>();
}
