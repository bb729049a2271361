#include "runtime/text/PreTokenizer.h"

#include "runtime/text/TokenizerSection.h"

#include <gtest/gtest.h>

using namespace moire;

static void split(std::string_view text, std::span<const Splitter> steps, std::string &pieces) {
  if (steps.empty()) {
    pieces.append(text).append("|");
    return;
  }
  while (!text.empty()) {
    const size_t length = steps.front()(text);
    ASSERT_GE(length, 1u);
    ASSERT_LE(length, text.size());
    split(text.substr(0, length), steps.subspan(1), pieces);
    text.remove_prefix(length);
  }
}

/// The pieces of `text`, each with a bar behind it.
static std::string split(std::string_view text, PreTokenizerKind kind = PreTokenizerKind::Gpt2) {
  std::string pieces;
  split(text, preTokenizerSteps(static_cast<uint32_t>(kind)), pieces);
  return pieces;
}

TEST(PreTokenizer, CutsWordsWithTheSpaceBefore) {
  EXPECT_EQ(split("Hello world"), "Hello| world|");
  EXPECT_EQ(split("a1b22 33"), "a|1|b|22| 33|");
  EXPECT_EQ(split("x+=y; (z)"), "x|+=|y|;| (|z|)|");
}

TEST(PreTokenizer, CutsContractionsInLowerCaseOnly) {
  EXPECT_EQ(split("I'm we're they'll 'd"), "I|'m| we|'re| they|'ll| '|d|");
  EXPECT_EQ(split("'tis I'M"), "'t|is| I|'|M|");
  EXPECT_EQ(split("'"), "'|");
}

TEST(PreTokenizer, LeavesTheLastOfSeveralSpacesToTheWord) {
  EXPECT_EQ(split("a   b"), "a|  | b|");
  EXPECT_EQ(split("a \n b"), "a| \n| b|");
  EXPECT_EQ(split("a\nb"), "a|\n|b|");
  EXPECT_EQ(split("a\n\nb"), "a|\n|\n|b|");
  EXPECT_EQ(split("a   "), "a|   |");
  EXPECT_EQ(split(" "), " |");
  EXPECT_EQ(split("  "), "  |");
  EXPECT_EQ(split("\xE3\x80\x80\xE3\x80\x80x"), "\xE3\x80\x80|\xE3\x80\x80|x|"); // U+3000
}

TEST(PreTokenizer, KnowsUnicodeClasses) {
  EXPECT_EQ(split("\xC3\xA9t\xC3\xA9\xC2\xB2\xE2\x82\xAC"),
            "\xC3\xA9t\xC3\xA9|\xC2\xB2|\xE2\x82\xAC|");
  EXPECT_EQ(split("\xF0\xA0\x80\x80\xF0\x9D\x9F\x98"),
            "\xF0\xA0\x80\x80|\xF0\x9D\x9F\x98|");    // U+20000, U+1D7D8
  EXPECT_EQ(split("x\xCC\x81"), "x|\xCC\x81|");       // a combining mark is no letter
  EXPECT_EQ(split("\x1C\xC2\x85"), "\x1C|\xC2\x85|"); // U+001C is no white space, U+0085 is
}

TEST(PreTokenizer, KeepsBytesThatAreNoUtf8) {
  EXPECT_EQ(split("a\xFF\xE2\x82 b"), "a|\xFF\xE2\x82| b|");
}

TEST(PreTokenizer, CutsDigitsFirst) {
  EXPECT_EQ(split("in 2024, x  12", PreTokenizerKind::DigitsGpt2), "in| |2|0|2|4|,| x|  |1|2|");
  EXPECT_EQ(split("a'1s", PreTokenizerKind::DigitsGpt2), "a|'|1|s|");
}

TEST(PreTokenizer, HasNoOtherRows) {
  EXPECT_TRUE(preTokenizerSteps(2).empty());
  EXPECT_TRUE(preTokenizerSteps(UINT32_MAX).empty());
}
