#include "frontends/tokenizer/TokenizerImport.h"
#include "runtime/text/Tokenizer.h"

#include <gtest/gtest.h>

using namespace moire;

namespace {

MetadataValue text(std::string value) { return {std::move(value)}; }
MetadataValue integer(int64_t value) { return {value}; }
MetadataValue list(std::vector<MetadataValue> values) { return {std::move(values)}; }

/// A file with seven tokens: a, b, space, "ab", " ab", an end token and a word with a space.
Container smallGguf() {
  Container container;
  container.kind = Container::Kind::Gguf;
  container.path = "small.gguf";
  auto &metadata = container.metadata;
  metadata["tokenizer.ggml.model"] = text("gpt2");
  metadata["tokenizer.ggml.pre"] = text("smollm");
  metadata["tokenizer.ggml.tokens"] = list({text("a"), text("b"), text("\xC4\xA0"), text("ab"),
                                            text("\xC4\xA0"
                                                 "ab"),
                                            text("<|endoftext|>"), text("b b")});
  metadata["tokenizer.ggml.token_type"] =
      list({integer(1), integer(1), integer(1), integer(1), integer(1), integer(3), integer(4)});
  metadata["tokenizer.ggml.merges"] = list({text("a b"), text("\xC4\xA0 ab")});
  metadata["tokenizer.ggml.eos_token_id"] = integer(0);
  return container;
}

struct Result {
  bool done;
  ImportedTokenizer imported;
  Tokenizer tokenizer;
  ReadError error;
};

Result import(const Container &container) {
  Result result;
  result.done = importTokenizer(container, result.imported, result.error);
  std::string message;
  if (!result.imported.section.empty())
    EXPECT_TRUE(Tokenizer::load(result.imported.section, result.tokenizer, message)) << message;
  return result;
}

using Ids = std::vector<int32_t>;

TEST(GgufTokenizer, ReadsTokensMergesAndKinds) {
  const Result result = import(smallGguf());
  ASSERT_TRUE(result.done) << result.error.message;
  EXPECT_EQ(result.tokenizer.encode("ab abb b", false), (Ids{3, 4, 6}));
  EXPECT_EQ(result.tokenizer.encode("ab<|endoftext|>", true), (Ids{3, 5}));
  EXPECT_EQ(result.tokenizer.encode("<|endoftext|>", false), Ids()); // none of its bytes
  EXPECT_EQ(result.tokenizer.bos(), -1);
  EXPECT_EQ(result.imported.chat.kind, ChatForm::None);
}

TEST(GgufTokenizer, CollectsEndTokens) {
  Container container = smallGguf();
  container.metadata["tokenizer.ggml.eot_token_id"] = integer(1);
  container.metadata["tokenizer.ggml.eom_token_id"] = integer(99); // no such token
  const Result result = import(container);
  ASSERT_TRUE(result.done) << result.error.message;
  const Ids eos(result.tokenizer.eos().begin(), result.tokenizer.eos().end());
  EXPECT_EQ(eos, (Ids{0, 1, 5})); // the last one by its name
}

TEST(GgufTokenizer, PutsBosFirstWhereTheModelWantsIt) {
  Container container = smallGguf();
  container.metadata["tokenizer.ggml.bos_token_id"] = integer(5);
  EXPECT_EQ(import(container).tokenizer.encode("a", true), (Ids{0}));
  container.metadata["tokenizer.ggml.add_bos_token"] = {true};
  EXPECT_EQ(import(container).tokenizer.encode("a", true), (Ids{5, 0}));
  EXPECT_EQ(import(container).tokenizer.encode("a", false), (Ids{0}));
}

TEST(GgufTokenizer, FindsTheChatForm) {
  Container container = smallGguf();
  container.metadata["tokenizer.chat_template"] =
      text("'<|im_start|>system\nBe kind.<|im_end|>\n'");
  const Result result = import(container);
  EXPECT_EQ(result.imported.chat.kind, ChatForm::ChatMl);
  EXPECT_EQ(result.imported.chat.default_system, "Be kind.");
}

TEST(GgufTokenizer, NoTokenizerIsNoError) {
  Container container = smallGguf();
  container.metadata["tokenizer.ggml.model"] = text("no_vocab");
  EXPECT_TRUE(import(container).done);
  EXPECT_TRUE(import(container).imported.section.empty());
  container.metadata.clear();
  EXPECT_TRUE(import(container).done);
  EXPECT_TRUE(import(container).imported.section.empty());
}

TEST(GgufTokenizer, ListsAllThatIsUnsupported) {
  Container container = smallGguf();
  container.metadata["tokenizer.ggml.pre"] = text("tekken");
  container.metadata["tokenizer.ggml.add_eos_token"] = {true};
  const Result result = import(container);
  EXPECT_FALSE(result.done);
  EXPECT_EQ(result.error.kind, ReadError::Kind::Unsupported);
  for (const char *part : {"small.gguf", "tekken", "add_eos_token"})
    EXPECT_NE(result.error.message.find(part), std::string::npos) << result.error.message;

  container.metadata["tokenizer.ggml.model"] = text("llama");
  EXPECT_EQ(import(container).error.kind, ReadError::Kind::Unsupported);
}

TEST(GgufTokenizer, RefusesWhatIsMalformed) {
  const auto message = [](const char *key, MetadataValue value) {
    Container container = smallGguf();
    container.metadata[key] = std::move(value);
    const Result result = import(container);
    EXPECT_FALSE(result.done) << key;
    EXPECT_EQ(result.error.kind, ReadError::Kind::BadInput) << key;
    return result.error.message;
  };
  const auto names = [](const std::string &message, const char *part) {
    return message.find(part) != message.npos;
  };
  EXPECT_PRED2(names, message("tokenizer.ggml.tokens", integer(7)), "is no list");
  EXPECT_PRED2(names, message("tokenizer.ggml.tokens", list({integer(7)})), "tokens[0]");
  EXPECT_PRED2(names, message("tokenizer.ggml.token_type", list(std::vector(8, integer(1)))),
               "token_type[7]");
  EXPECT_PRED2(names, message("tokenizer.ggml.merges", list({text("ab")})), "merges[0]");
  EXPECT_PRED2(names, message("tokenizer.ggml.merges", list({text("a b"), text("b a")})),
               "there is no token \"ba\"");
  EXPECT_PRED2(names, message("tokenizer.ggml.merges", list({text("x b")})), "\"x\"");
}

TEST(GgufTokenizer, RefusesAModelWithoutTokens) {
  Container container = smallGguf();
  for (const char *key : {"tokens", "token_type", "merges"})
    container.metadata.erase(std::string("tokenizer.ggml.") + key);
  const Result result = import(container);
  EXPECT_FALSE(result.done);
  EXPECT_NE(result.error.message.find("tokens is missing"), std::string::npos);
}

TEST(GgufTokenizer, OfEqualMergesTheFirstCounts) {
  Container container = smallGguf();
  container.metadata["tokenizer.ggml.merges"] =
      list({text("a b"), text("\xC4\xA0 ab"), text("a b")});
  const Result result = import(container);
  ASSERT_TRUE(result.done) << result.error.message;
  EXPECT_EQ(result.tokenizer.encode(" ab", false), (Ids{4}));
}

} // namespace
