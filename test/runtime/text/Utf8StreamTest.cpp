#include "runtime/text/Utf8Stream.h"

#include <gtest/gtest.h>

using namespace moire;

/// Feeds `bytes` in pieces of `size` and flushes.
static std::string stream(std::string_view bytes, size_t size) {
  Utf8Stream utf8;
  std::string text;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(size, bytes.size())))
    utf8.feed(bytes.substr(0, size), text);
  utf8.flush(text);
  return text;
}

TEST(Utf8Stream, GivesTheSameTextHoweverItIsCut) {
  const std::string text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x99\x82z\xF4\x8F\xBF\xBF";
  for (size_t size = 1; size <= text.size(); ++size)
    EXPECT_EQ(stream(text, size), text) << size;
}

TEST(Utf8Stream, HoldsBackAnIncompleteCharacter) {
  Utf8Stream utf8;
  std::string text;
  utf8.feed("x\xF0\x9F", text);
  EXPECT_EQ(text, "x");
  utf8.feed("\x99", text);
  EXPECT_EQ(text, "x");
  utf8.feed("\x82y", text);
  EXPECT_EQ(text, "x\xF0\x9F\x99\x82y");
}

TEST(Utf8Stream, ReplacesBrokenBytesAtOnce) {
  Utf8Stream utf8;
  std::string text;
  utf8.feed("\xC0", text); // never part of a character
  EXPECT_EQ(text, "\xEF\xBF\xBD");
  utf8.feed("\xE2\x82", text);
  EXPECT_EQ(text, "\xEF\xBF\xBD");
  utf8.feed("A", text); // breaks the one before
  EXPECT_EQ(text, "\xEF\xBF\xBD\xEF\xBF\xBD"
                  "A");
}

TEST(Utf8Stream, FlushReplacesWhatWaitsAndStartsAnew) {
  Utf8Stream utf8;
  std::string text;
  utf8.feed("\xE2\x82", text);
  utf8.flush(text);
  EXPECT_EQ(text, "\xEF\xBF\xBD");
  utf8.flush(text);
  utf8.feed("\xAC", text);
  EXPECT_EQ(text, "\xEF\xBF\xBD\xEF\xBF\xBD");
}

// The examples of the Unicode Standard, tables 3-8 to 3-11: F stands for U+FFFD.
TEST(Utf8Stream, ReplacesMaximalSubparts) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "FFFFFFFFA"}, // overlong forms
      {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "FFFFFFFFA"}, // surrogates
      {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "FFFFFAFFB"}, // above U+10FFFF
      {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "FFFFA"},     // truncated
  };
  for (const auto &[bytes, marks] : cases) {
    std::string expected;
    for (char mark : marks)
      expected += mark == 'F' ? "\xEF\xBF\xBD" : std::string(1, mark);
    for (size_t size = 1; size <= bytes.size(); ++size)
      EXPECT_EQ(stream(bytes, size), expected) << marks << " in pieces of " << size;
  }
}
