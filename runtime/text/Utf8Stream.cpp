#include "runtime/text/Utf8Stream.h"

#include "runtime/text/Utf8.h"

using namespace moire;

static constexpr std::string_view replacement = "\xEF\xBF\xBD"; // U+FFFD

void Utf8Stream::feed(std::string_view bytes, std::string &text) {
  // The waiting bytes are a proper prefix of a character: they take one byte at a time until the
  // character is whole or broken, which a fourth byte decides at the latest.
  while (count > 0 && !bytes.empty()) {
    waiting[count] = bytes.front();
    const Utf8Character character = firstUtf8Character({waiting, count + 1});
    if (character.form == Utf8Character::Ill) {
      text += replacement; // the new byte starts something else
      count = 0;
      break;
    }
    bytes.remove_prefix(1);
    ++count;
    if (character.form == Utf8Character::Whole) {
      text.append(waiting, count);
      count = 0;
    }
  }

  while (!bytes.empty()) {
    const Utf8Character character = firstUtf8Character(bytes);
    if (character.form == Utf8Character::Incomplete) {
      count = bytes.copy(waiting, sizeof(waiting));
      return;
    }
    if (character.form == Utf8Character::Whole)
      text += bytes.substr(0, character.bytes);
    else
      text += replacement;
    bytes.remove_prefix(character.bytes);
  }
}

void Utf8Stream::flush(std::string &text) {
  if (count > 0)
    text += replacement;
  count = 0;
}
