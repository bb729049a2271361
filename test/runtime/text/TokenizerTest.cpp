#include "runtime/text/Tokenizer.h"

#include "test/runtime/text/SmallTokenizer.h"

#include <chrono>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace moire;

using Ids = std::vector<int32_t>;

TEST(Tokenizer, MergesLikeTheDefinition) {
  const SmallTokenizer small;
  ASSERT_GT(small.pairs.size(), 40u);
  std::mt19937 random(1);
  constexpr std::string_view letters = "abcehtnrosm";
  for (int i = 0; i < 500; ++i) {
    std::string word;
    for (int j = random() % 40 + 1; j > 0; --j)
      word += letters[random() % letters.size()];
    EXPECT_EQ(small.tokenizer.encode(word, false), small.merge(small.bytesOf(word))) << word;
  }
}

TEST(Tokenizer, DecodesWhatItEncoded) {
  const SmallTokenizer small;
  std::mt19937 random(2);
  for (int i = 0; i < 200; ++i) {
    std::string text;
    for (int j = random() % 100; j > 0; --j)
      text += static_cast<char>(random());
    const Ids ids = small.tokenizer.encode(text, false);
    EXPECT_EQ(small.tokenizer.decode(ids), text);
    for (int32_t id : ids)
      EXPECT_NE(id, small.start);
  }
}

TEST(Tokenizer, DropsBytesWithoutATokenAndMergesAcross) {
  const SmallTokenizer small("#");
  EXPECT_EQ(small.tokenizer.encode(" the", false).size(), 1u);
  EXPECT_EQ(small.tokenizer.encode("###", false), Ids());
  EXPECT_EQ(small.tokenizer.decode(small.tokenizer.encode("t#he", false)), "the");
  const SmallTokenizer noAccent("\xA9");
  EXPECT_EQ(noAccent.tokenizer.decode(noAccent.tokenizer.encode("\xC3\xA9", false)), "\xC3");
  const SmallTokenizer noH("h");
  EXPECT_EQ(noH.tokenizer.encode(" and", false).size(), 1u);
  EXPECT_EQ(noH.tokenizer.encode(" hahnhd", false), noH.tokenizer.encode(" and", false));
}

TEST(Tokenizer, RecognisesControlTokensOnRequest) {
  const SmallTokenizer small;
  const Tokenizer &tokenizer = small.tokenizer;
  EXPECT_EQ(tokenizer.encode("<|start|><|start|>up", true),
            (Ids{small.start, small.start, small.startup})); // BOS first, then the longest
  const Ids ordinary = tokenizer.encode("<|start|>", false);
  EXPECT_GT(ordinary.size(), 1u);
  EXPECT_EQ(tokenizer.decode(ordinary), "<|start|>");
  EXPECT_EQ(tokenizer.encode("<|start|", true).front(), small.start);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("<|start|", true), true), "<|start|");
  EXPECT_EQ(tokenizer.encode("", true), Ids{small.start});
  EXPECT_EQ(tokenizer.encode("", false), Ids());
}

TEST(Tokenizer, RecognisesWordsAlways) {
  const SmallTokenizer small;
  Ids expected = small.tokenizer.encode("the", false);
  expected.push_back(small.word);
  const Ids rest = small.tokenizer.encode("s", false);
  expected.insert(expected.end(), rest.begin(), rest.end());
  EXPECT_EQ(small.tokenizer.encode("the  words", false), expected);
}

TEST(Tokenizer, SkipsControlTokensOnRequest) {
  const SmallTokenizer small;
  const Ids ids = {small.start, 'a', small.word, small.startup};
  EXPECT_EQ(small.tokenizer.decode(ids), "<|start|>a  word<|start|>up");
  EXPECT_EQ(small.tokenizer.decode(ids, true), "a  word");
}

TEST(Tokenizer, AnswersQuestionsAboutTokens) {
  const SmallTokenizer small;
  const Tokenizer &tokenizer = small.tokenizer;
  EXPECT_EQ(tokenizer.vocabSize(), static_cast<int32_t>(small.source.tokens.size()));
  EXPECT_EQ(tokenizer.find("<|start|>"), small.start);
  EXPECT_EQ(tokenizer.find("a"), 'a');
  EXPECT_EQ(tokenizer.find("\xFF"), 255);
  EXPECT_EQ(tokenizer.find("nothing like that"), -1);
  EXPECT_EQ(tokenizer.bos(), small.start);
  EXPECT_TRUE(tokenizer.isEos(small.startup));
  EXPECT_FALSE(tokenizer.isEos(small.start));
  EXPECT_TRUE(tokenizer.isSpecial(small.start));
  EXPECT_FALSE(tokenizer.isSpecial(small.word));
  for (int32_t id : {-1, tokenizer.vocabSize(), INT32_MAX, INT32_MIN}) {
    std::string bytes;
    tokenizer.decode(id, bytes);
    EXPECT_EQ(bytes, "");
    EXPECT_FALSE(tokenizer.isSpecial(id));
  }
}

// The square of such a length would take minutes.
TEST(Tokenizer, EncodesLongWordsFast) {
  const SmallTokenizer small;
  for (const std::string &word : {std::string(1 << 18, 'a'), std::string(1 << 18, ' '),
                                  std::string(1 << 18, '<'), std::string(1 << 18, '7')}) {
    const auto begin = std::chrono::steady_clock::now();
    const Ids ids = small.tokenizer.encode(word, false);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(small.tokenizer.decode(ids), word);
    EXPECT_LT(seconds.count(), 20) << word[0]; // some 0.1 s without sanitizers
  }
}

TEST(TokenizerSection, RefusesAnEmptyOne) {
  Tokenizer tokenizer;
  std::string error;
  EXPECT_FALSE(Tokenizer::load({}, tokenizer, error));
  EXPECT_NE(error.find("without a tokenizer"), std::string::npos);
}

// Each field of the header, each made wrong.
TEST(TokenizerSection, RefusesWrongHeaders) {
  const SmallTokenizer small;
  auto refused = [&](auto change) {
    std::vector<uint8_t> section = small.section;
    TokenizerSectionHeader header;
    std::memcpy(&header, section.data(), sizeof(header));
    change(header);
    std::memcpy(section.data(), &header, sizeof(header));
    Tokenizer tokenizer;
    std::string error;
    return !Tokenizer::load(section, tokenizer, error) && !error.empty();
  };
  using Header = TokenizerSectionHeader;
  EXPECT_FALSE(refused([](Header &) {}));
  EXPECT_TRUE(refused([](Header &h) { h.magic[0] = 'm'; }));
  EXPECT_TRUE(refused([](Header &h) { h.version = 2; }));
  EXPECT_TRUE(refused([](Header &h) { h.pre_tokenizer = 99; }));
  EXPECT_TRUE(refused([](Header &h) { h.vocab = 0; }));
  EXPECT_TRUE(refused([](Header &h) { h.vocab = UINT32_MAX; }));
  EXPECT_TRUE(refused([](Header &h) { h.vocab += 1; }));
  EXPECT_TRUE(refused([](Header &h) { h.vocab -= 100; }));
  EXPECT_TRUE(refused([](Header &h) { h.merge_count = UINT32_MAX; }));
  EXPECT_TRUE(refused([](Header &h) { h.merge_count -= 1; }));
  EXPECT_TRUE(refused([](Header &h) { h.added_count = h.vocab + 1; }));
  EXPECT_TRUE(refused([](Header &h) { h.eos_count = UINT32_MAX; }));
  EXPECT_TRUE(refused([](Header &h) { h.bos = static_cast<int32_t>(h.vocab); }));
  EXPECT_TRUE(refused([](Header &h) { h.bos = -2; }));
  EXPECT_TRUE(refused([](Header &h) { h.data_bytes = UINT64_MAX; }));
  for (uint64_t Header::*offset :
       {&Header::eos, &Header::offsets, &Header::data, &Header::kinds, &Header::byte_tokens,
        &Header::merge_rows, &Header::merges, &Header::ordinary, &Header::added}) {
    EXPECT_TRUE(refused([&](Header &h) { h.*offset = UINT64_MAX - 7; }));
    EXPECT_TRUE(refused([&](Header &h) { h.*offset += 4; }));
  }
}

// Every truncation and many random changes: whatever still loads can be used without a wrong read.
TEST(TokenizerSection, SurvivesDamage) {
  const SmallTokenizer small;
  Tokenizer tokenizer;
  std::string error;
  for (size_t size = 0; size < small.section.size(); size += 1 + size / 64) {
    const std::vector<uint8_t> part(small.section.begin(), small.section.begin() + size);
    EXPECT_FALSE(Tokenizer::load(part, tokenizer, error)) << size;
  }
  std::mt19937 random(3);
  size_t loaded = 0;
  for (int i = 0; i < 3000; ++i) {
    std::vector<uint8_t> section = small.section;
    for (int j = random() % 4; j >= 0; --j)
      section[random() % section.size()] = static_cast<uint8_t>(random());
    if (!Tokenizer::load(section, tokenizer, error))
      continue;
    ++loaded;
    const Ids ids = tokenizer.encode("<|start|>the other thatch 1212  words \xE2\x82\xAC", true);
    tokenizer.decode(ids);
    tokenizer.find("the");
  }
  EXPECT_GT(loaded, 100u);
}
