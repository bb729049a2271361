// One UTF-8 character at a time, from bytes that may be anything.

#ifndef MOIRE_RUNTIME_TEXT_UTF8_H
#define MOIRE_RUNTIME_TEXT_UTF8_H

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace moire {

/// What stands at the front of some bytes.
struct Utf8Character {
  enum Form : uint8_t {
    Whole,      // a well-formed character
    Incomplete, // the bytes end before it does
    Ill,        // no character starts like this
  };
  Form form;
  uint8_t bytes;      // of the character; Incomplete, Ill: of the longest part that could start one
  char32_t codePoint; // Whole only
};

/// The first character of `bytes`, which is not empty; `Utf8Character::bytes` is at least 1.
/// Overlong forms, surrogates and values above U+10FFFF are Ill (the Unicode Standard, table 3-7).
Utf8Character firstUtf8Character(std::string_view bytes);

} // namespace moire

#endif
