#include "frontends/tokenizer/TokenizerImport.h"
#include "runtime/text/Tokenizer.h"
#include "test/frontends/weights/TemporaryFolder.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace moire;

namespace {

using Ids = std::vector<int32_t>;

constexpr const char *model = R"("model": {"type": "BPE",
    "vocab": {"a": 0, "b": 1, "Ġ": 2, "ab": 3, "Ġab": 4, "1": 6}, "merges": ["a b", ["Ġ", "ab"]]})";
constexpr const char *added = R"("added_tokens": [
    {"id": 5, "content": "<s>", "special": true}, {"id": 9, "content": "b b", "special": false}])";
constexpr const char *byteLevel =
    R"("pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false})";

/// A folder with a tokenizer.json of these members.
struct Folder : TemporaryFolder {
  explicit Folder(std::initializer_list<std::string> members) {
    std::string text;
    for (const std::string &member : members)
      text += (text.empty() ? "{" : ", ") + member;
    write("tokenizer.json", text + "}");
    container.kind = Container::Kind::HuggingFace;
    container.path = path();
  }

  /// Imports; the tokenizer, if any, is in `tokenizer`.
  bool import() {
    const bool done = importTokenizer(container, imported, error);
    std::string message;
    if (done && !imported.section.empty())
      EXPECT_TRUE(Tokenizer::load(imported.section, tokenizer, message)) << message;
    return done;
  }
  bool says(const char *part) const { return error.message.find(part) != std::string::npos; }

  Container container;
  ImportedTokenizer imported;
  Tokenizer tokenizer;
  ReadError error;
};

TEST(HuggingFaceTokenizer, ReadsTokensMergesAndAddedTokens) {
  Folder folder({model, added, byteLevel});
  ASSERT_TRUE(folder.import()) << folder.error.message;
  EXPECT_EQ(folder.tokenizer.encode("ab abb b", false), (Ids{3, 4, 9}));
  EXPECT_EQ(folder.tokenizer.encode("<s>a", true), (Ids{5, 0}));
  EXPECT_EQ(folder.tokenizer.encode("11", false), (Ids{6, 6}));
  EXPECT_EQ(folder.tokenizer.vocabSize(), 10);
  EXPECT_EQ(folder.tokenizer.decode(Ids{7, 8, 9}), "b b"); // 7 and 8 are gaps
}

TEST(HuggingFaceTokenizer, IsFoundBesideABareConfig) {
  Folder folder({model, added, byteLevel});
  folder.write("config.json", "{}");
  folder.container.path = folder / "config.json";
  ASSERT_TRUE(folder.import()) << folder.error.message;
  EXPECT_EQ(folder.tokenizer.vocabSize(), 10);
}

TEST(HuggingFaceTokenizer, NoTokenizerIsNoError) {
  Folder folder({});
  std::filesystem::remove(folder / "tokenizer.json");
  ASSERT_TRUE(folder.import()) << folder.error.message;
  EXPECT_TRUE(folder.imported.section.empty());
}

TEST(HuggingFaceTokenizer, KnowsTheFormsOfItsPatterns) {
  const std::string gpt2 =
      R"({"type": "Split", "pattern": {"Regex": "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated", "invert": false})";
  const std::string bytes =
      R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": false})";
  const std::string both = R"({"type": "ByteLevel", "add_prefix_space": false, "use_regex": true})";
  const std::string digits = R"({"type": "Digits", "individual_digits": true})";
  const std::string split =
      R"({"type": "Split", "pattern": {"Regex": "\\p{N}"}, "behavior": "Isolated", "invert": false})";
  const auto pattern = [](const std::string &pieces) {
    Folder folder({model, added,
                   R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [)" + pieces + "]}"});
    EXPECT_TRUE(folder.import()) << folder.error.message;
    TokenizerSectionHeader header;
    std::memcpy(&header, folder.imported.section.data(), sizeof(header));
    return static_cast<PreTokenizerKind>(header.pre_tokenizer);
  };
  EXPECT_EQ(pattern(both), PreTokenizerKind::Gpt2);
  EXPECT_EQ(pattern(gpt2 + "," + bytes), PreTokenizerKind::Gpt2);
  EXPECT_EQ(pattern(digits + "," + both), PreTokenizerKind::DigitsGpt2);
  EXPECT_EQ(pattern(split + "," + gpt2 + "," + bytes), PreTokenizerKind::DigitsGpt2);
}

TEST(HuggingFaceTokenizer, PutsBosFirstByTheTemplate) {
  Folder folder({model, added, byteLevel,
                 R"("post_processor": {"type": "TemplateProcessing", "single": [
                    {"SpecialToken": {"id": "<s>", "type_id": 0}},
                    {"Sequence": {"id": "A", "type_id": 0}}]})"});
  ASSERT_TRUE(folder.import()) << folder.error.message;
  EXPECT_EQ(folder.tokenizer.encode("a", true), (Ids{5, 0}));
  EXPECT_EQ(folder.tokenizer.encode("a", false), (Ids{0}));
}

TEST(HuggingFaceTokenizer, PutsBosFirstWhereTheConfigAsksForIt) {
  Folder folder({model, added, byteLevel});
  folder.write("tokenizer_config.json", R"({"bos_token": "<s>", "add_bos_token": true})");
  ASSERT_TRUE(folder.import()) << folder.error.message;
  EXPECT_EQ(folder.tokenizer.encode("a", true), (Ids{5, 0}));
  EXPECT_EQ(folder.tokenizer.encode("a", false), (Ids{0}));

  folder.write("tokenizer_config.json", R"({"bos_token": "<t>", "add_bos_token": true})");
  EXPECT_FALSE(folder.import());
  EXPECT_TRUE(folder.says("\"<t>\"")) << folder.error.message;
}

TEST(HuggingFaceTokenizer, CollectsEndTokensFromAllFiles) {
  Folder folder({model, added, byteLevel});
  folder.write("tokenizer_config.json", R"({"eos_token": {"content": "<s>"}, "bos_token": "b b"})");
  folder.container.metadata["eos_token_id"] = {int64_t(3)};
  folder.container.metadata["generation_config.eos_token_id"] = {
      MetadataValue::List{{int64_t(4)}, {int64_t(3)}, {int64_t(1000)}}};
  ASSERT_TRUE(folder.import()) << folder.error.message;
  const auto eos = folder.tokenizer.eos();
  EXPECT_EQ(Ids(eos.begin(), eos.end()), (Ids{5, 3, 4}));
  EXPECT_EQ(folder.tokenizer.bos(), 9);
  EXPECT_EQ(folder.tokenizer.encode("a", true), (Ids{0})); // named, but not asked for
}

TEST(HuggingFaceTokenizer, FindsTheChatTemplateInItsPlaces) {
  const auto system = [](const char *file, const char *content) {
    Folder folder({model, byteLevel});
    folder.write(file, content);
    EXPECT_TRUE(folder.import()) << folder.error.message;
    return folder.imported.chat.default_system;
  };
  EXPECT_EQ(
      system("tokenizer_config.json", R"({"chat_template": "'<|im_start|>system\nA<|im_end|>'"})"),
      "A");
  EXPECT_EQ(system("tokenizer_config.json",
                   R"({"chat_template": [{"name": "rag", "template": ""}, {"name": "default",
                      "template": "'<|im_start|>system\nB<|im_end|>'"}]})"),
            "B");
  EXPECT_EQ(system("chat_template.jinja", "'<|im_start|>system\nC<|im_end|>'"), "C");
}

TEST(HuggingFaceTokenizer, ListsAllThatIsUnsupported) {
  Folder folder({R"("model": {"type": "Unigram", "byte_fallback": true, "ignore_merges": true,
                    "end_of_word_suffix": "</w>", "dropout": 0.1, "vocab": {}, "merges": []})",
                 R"("normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
                    {"type": "Lowercase"}]})",
                 R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [
                    {"type": "Split", "pattern": {"Regex": "x+"}, "behavior": "Isolated"},
                    {"type": "Metaspace"}]})",
                 R"("decoder": {"type": "WordPiece"})",
                 R"("post_processor": {"type": "BertProcessing"})",
                 R"("added_tokens": [{"id": 0, "content": "<m>", "lstrip": true}])"});
  EXPECT_FALSE(folder.import());
  EXPECT_EQ(folder.error.kind, ReadError::Kind::Unsupported);
  for (const char *part :
       {"tokenizer.json", "Unigram", "byte_fallback", "ignore_merges", "</w>", "dropout", "NFC",
        "Lowercase", "x+", "Metaspace", "WordPiece", "BertProcessing", "lstrip"})
    EXPECT_TRUE(folder.says(part)) << part << " in: " << folder.error.message;
}

TEST(HuggingFaceTokenizer, RefusesPiecesInAnotherForm) {
  for (const char *piece :
       {R"("pre_tokenizer": null)",
        R"("pre_tokenizer": {"type": "Digits", "individual_digits": true})",
        R"("pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": true})",
        R"("pre_tokenizer": {"type": "ByteLevel", "use_regex": false})",
        R"("pre_tokenizer": {"type": "Sequence"})", R"("pre_tokenizer": 3)",
        R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [1]})",
        R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"},
           {"type": "Digits", "individual_digits": true}]})",
        R"("pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"},
           {"type": "Digits"}]})"}) {
    Folder folder({model, added, piece});
    EXPECT_FALSE(folder.import()) << piece;
    EXPECT_EQ(folder.error.kind, ReadError::Kind::Unsupported) << folder.error.message;
  }
  Folder template_({model, added, byteLevel,
                    R"("post_processor": {"type": "TemplateProcessing", "single": [
                       {"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<s>"}}]})"});
  EXPECT_FALSE(template_.import());
  EXPECT_EQ(template_.error.kind, ReadError::Kind::Unsupported);
  // Harmless with a token for every byte, which this vocabulary lacks.
  Folder unknown({R"("model": {"type": "BPE", "unk_token": "a", "vocab": {"a": 0}, "merges": []})",
                  byteLevel});
  EXPECT_FALSE(unknown.import());
  EXPECT_TRUE(unknown.says("unk_token")) << unknown.error.message;
}

TEST(HuggingFaceTokenizer, RefusesWhatIsMalformed) {
  const std::pair<const char *, const char *> cases[] = {
      {R"("model": {"type": "BPE", "vocab": {"a": 0}})", "missing"},
      {R"("model": {"type": "BPE", "merges": []})", "is missing"},
      {R"("model": {"type": "BPE", "vocab": {}, "merges": []})", "empty"},
      {R"("model": {"type": "BPE", "vocab": {"a": -1}, "merges": []})", "no id"},
      {R"("model": {"type": "BPE", "vocab": {"a": "x"}, "merges": []})", "no id"},
      {R"("model": {"type": "BPE", "vocab": {"a": 2000000000}, "merges": []})", "impossible"},
      {R"("model": {"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []})", "same id 0"},
      {R"("model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a a"]})", "no token \"aa\""},
      {R"("model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a"]})", "no token \"\""},
      {R"("model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a"]]})", "merges[0]"},
      {R"("model": {"type": "BPE", "vocab": {"a": 0}, "merges": [3]})", "merges[0]"},
  };
  for (const auto &[text, part] : cases) {
    Folder folder({text, byteLevel});
    EXPECT_FALSE(folder.import()) << text;
    EXPECT_EQ(folder.error.kind, ReadError::Kind::BadInput) << folder.error.message;
    EXPECT_TRUE(folder.says(part)) << part << " in: " << folder.error.message;
  }
  Folder content({model, byteLevel, R"("added_tokens": [{"id": 1}])"});
  EXPECT_FALSE(content.import());
  EXPECT_TRUE(content.says("no content")) << content.error.message;
  Folder bos({model, byteLevel, R"("post_processor": {"type": "TemplateProcessing", "single": [
              {"SpecialToken": {"id": "<x>"}}, {"Sequence": {"id": "A"}}]})"});
  EXPECT_FALSE(bos.import());
  EXPECT_TRUE(bos.says("\"<x>\"")) << bos.error.message;
  Folder json({});
  json.write("tokenizer.json", "{\"a\": " + std::string(100000, '['));
  EXPECT_FALSE(json.import());
  EXPECT_EQ(json.error.kind, ReadError::Kind::BadInput);
}

} // namespace
