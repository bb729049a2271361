#include "runtime/text/Utf8.h"

using namespace moire;

Utf8Character moire::firstUtf8Character(std::string_view bytes) {
  auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  const uint8_t lead = at(0);
  if (lead < 0x80)
    return {Utf8Character::Whole, 1, lead};

  // The second byte's range is narrower after some lead bytes: that excludes overlong forms,
  // surrogates and what lies above U+10FFFF.
  uint8_t length, low = 0x80, high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    length = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    length = 3;
    if (lead == 0xE0)
      low = 0xA0;
    if (lead == 0xED)
      high = 0x9F;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    length = 4;
    if (lead == 0xF0)
      low = 0x90;
    if (lead == 0xF4)
      high = 0x8F;
  } else {
    return {Utf8Character::Ill, 1, 0};
  }

  char32_t codePoint = lead & (0x7F >> length);
  for (uint8_t i = 1; i < length; ++i) {
    if (i == bytes.size())
      return {Utf8Character::Incomplete, i, 0};
    if (at(i) < low || at(i) > high)
      return {Utf8Character::Ill, i, 0};
    codePoint = codePoint << 6 | (at(i) & 0x3F);
    low = 0x80;
    high = 0xBF;
  }
  return {Utf8Character::Whole, length, codePoint};
}
