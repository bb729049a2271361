#include "frontends/tokenizer/ByteSpelling.h"

#include <array>

using namespace moire;

namespace {

/// The spelling in both directions. Code points end below U+0144.
struct Spelling {
  std::array<uint16_t, 256> codePointOf = {};
  std::array<int16_t, 0x144> byteOf = {};

  constexpr Spelling() {
    for (int16_t &byte : byteOf)
      byte = -1;
    uint16_t next = 0x100;
    for (int byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
      codePointOf[byte] = printable ? byte : next++;
      byteOf[codePointOf[byte]] = byte;
    }
  }
};
constexpr Spelling table;

} // namespace

std::string moire::spellByte(uint8_t byte) {
  const uint16_t codePoint = table.codePointOf[byte];
  if (codePoint < 0x80)
    return std::string(1, static_cast<char>(codePoint));
  return {static_cast<char>(0xC0 | codePoint >> 6), static_cast<char>(0x80 | (codePoint & 0x3F))};
}

bool moire::unspellBytes(std::string_view spelling, std::string &bytes) {
  const size_t before = bytes.size();
  for (size_t i = 0; i < spelling.size(); ++i) {
    // All characters of the table have one or two bytes in UTF-8.
    const uint8_t lead = spelling[i];
    size_t codePoint = lead;
    if (lead >= 0x80) {
      const uint8_t next = i + 1 < spelling.size() ? spelling[++i] : 0;
      const bool wellFormed = lead >= 0xC2 && lead <= 0xDF && (next & 0xC0) == 0x80;
      codePoint = wellFormed ? (lead & 0x1F) << 6 | (next & 0x3F) : table.byteOf.size();
    }
    if (codePoint >= table.byteOf.size() || table.byteOf[codePoint] < 0) {
      bytes.resize(before);
      return false;
    }
    bytes += static_cast<char>(table.byteOf[codePoint]);
  }
  return true;
}
