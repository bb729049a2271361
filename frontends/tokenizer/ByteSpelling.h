// GPT-2's spelling of bytes as printable characters.

#ifndef MOIRE_FRONTENDS_TOKENIZER_BYTESPELLING_H
#define MOIRE_FRONTENDS_TOKENIZER_BYTESPELLING_H

#include <cstdint>
#include <string>
#include <string_view>

namespace moire {

/// The character (UTF-8) that stands for `byte`: itself where Latin-1 has a printable character,
/// otherwise the next free one from U+0100 on (`bytes_to_unicode` in GPT-2's encoder.py).
std::string spellByte(uint8_t byte);

/// Appends the bytes that `spelling` stands for to `bytes`. Returns false, with `bytes` as it was,
/// if a character stands for no byte.
bool unspellBytes(std::string_view spelling, std::string &bytes);

} // namespace moire

#endif
