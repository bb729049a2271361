#include "frontends/tokenizer/ByteSpelling.h"

#include <gtest/gtest.h>
#include <set>

using namespace moire;

TEST(ByteSpelling, GoesBothWaysForAllBytes) {
  std::set<std::string> spellings;
  for (int byte = 0; byte < 256; ++byte) {
    spellings.insert(spellByte(byte));
    std::string bytes;
    EXPECT_TRUE(unspellBytes(spellByte(byte), bytes));
    EXPECT_EQ(bytes, std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(spellings.size(), 256u);
}

TEST(ByteSpelling, IsGpt2s) {
  EXPECT_EQ(spellByte('a'), "a");
  EXPECT_EQ(spellByte(' '), "\xC4\xA0");  // U+0120
  EXPECT_EQ(spellByte('\n'), "\xC4\x8A"); // U+010A
  EXPECT_EQ(spellByte(0), "\xC4\x80");    // U+0100
  EXPECT_EQ(spellByte(0xAD), "\xC5\x83"); // U+0143, the last one
  EXPECT_EQ(spellByte(0xFF), "\xC3\xBF"); // U+00FF
}

TEST(ByteSpelling, RefusesOtherCharacters) {
  for (const char *other :
       {" ", "a b", "\n", "\xC5\x84", "\xE2\x96\x81", "\xC4", "\xFF", "\xC0\xA0"}) {
    std::string bytes = "before";
    EXPECT_FALSE(unspellBytes(other, bytes)) << other;
    EXPECT_EQ(bytes, "before");
  }
}
