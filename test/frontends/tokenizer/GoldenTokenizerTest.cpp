// The ids that other implementations give, on two published vocabularies. The vocabularies are too
// large for the repository: scripts/setup fetches them into the cache folder.

#include "frontends/tokenizer/TokenizerImport.h"
#include "frontends/weights/Json.h"
#include "runtime/text/Tokenizer.h"
#include "runtime/text/Utf8Stream.h"
#include "test/frontends/weights/TemporaryFolder.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace moire;

namespace {

struct Vocabulary {
  const char *name; // of the strings, NAME.jsonl
  const char *file; // in the cache folder
  bool digits_first;
};

class GoldenTokenizer : public testing::TestWithParam<Vocabulary> {
protected:
  void SetUp() override {
    const std::string path = modelsFolder() + "/" + GetParam().file;
    if (!std::filesystem::exists(path))
      GTEST_SKIP() << path << " is not there; scripts/fetch-model fetches it";
    ReadError error;
    ASSERT_TRUE(openContainer(path, container, error)) << error.message;
  }

  static std::string modelsFolder() {
    auto variable = [](const char *name) {
      const char *value = std::getenv(name);
      return std::string(value ? value : "");
    };
    if (const std::string cache = variable("MOIRE_CACHE"); !cache.empty())
      return cache + "/models";
    if (const std::string cache = variable("XDG_CACHE_HOME"); !cache.empty())
      return cache + "/moire/models";
    return variable("HOME") + "/.cache/moire/models";
  }

  void compareAll(const Container &container) const;
  const MetadataValue::List &list(const char *key) const {
    return std::get<MetadataValue::List>(container.metadata.at(key).value);
  }
  llvm::json::Object huggingFaceForm(bool pairs) const;

  Container container;
};

std::vector<int32_t> idsOf(const llvm::json::Array &array) {
  std::vector<int32_t> ids;
  for (const llvm::json::Value &id : array)
    ids.push_back(id.getAsInteger().value());
  return ids;
}

/// Imports the tokenizer of `container` and compares it on all strings.
void GoldenTokenizer::compareAll(const Container &container) const {
  ImportedTokenizer imported;
  ReadError error;
  ASSERT_TRUE(importTokenizer(container, imported, error)) << error.message;
  Tokenizer tokenizer;
  std::string message;
  ASSERT_TRUE(Tokenizer::load(imported.section, tokenizer, message)) << message;

  std::ifstream strings(std::string(MOIRE_GOLDEN_DIR) + "/tokenizers/" + GetParam().name +
                        ".jsonl");
  int count = 0;
  for (std::string line; std::getline(strings, line); ++count) {
    llvm::json::Object golden;
    ASSERT_TRUE(parseJsonObject(line, "strings", RepeatedNames::Refuse, golden, error))
        << error.message;
    const std::string text = golden.getString("text").value().str();
    const llvm::json::Array &plain = *golden.getArray("ids");
    const std::vector<int32_t> ids = tokenizer.encode(text, false);
    EXPECT_EQ(ids, idsOf(plain)) << text;
    const llvm::json::Array *special = golden.getArray("special_ids");
    EXPECT_EQ(tokenizer.encode(text, true), idsOf(special ? *special : plain)) << text;

    Utf8Stream utf8;
    std::string decoded, bytes;
    for (int32_t id : ids) {
      bytes.clear();
      tokenizer.decode(id, bytes);
      utf8.feed(bytes, decoded);
    }
    utf8.flush(decoded);
    EXPECT_EQ(decoded, golden.getString("decoded").value_or(text).str());
  }
  EXPECT_EQ(count, 300);
}

/// The same tokenizer as a tokenizer.json, merges as pairs or in one string.
llvm::json::Object GoldenTokenizer::huggingFaceForm(bool pairs) const {
  using llvm::json::Array;
  using llvm::json::Object;
  Object vocab;
  Array added, merges;
  const MetadataValue::List &tokens = list("tokenizer.ggml.tokens");
  const MetadataValue::List &types = list("tokenizer.ggml.token_type");
  for (size_t id = 0; id < tokens.size(); ++id) {
    const auto &spelling = std::get<std::string>(tokens[id].value);
    vocab[spelling] = id;
    if (std::get<int64_t>(types[id].value) == 3)
      added.push_back(Object{{"id", id}, {"content", spelling}, {"special", true}});
  }
  for (const MetadataValue &merge : list("tokenizer.ggml.merges")) {
    const llvm::StringRef text = std::get<std::string>(merge.value);
    if (const auto [left, right] = text.split(' '); pairs)
      merges.push_back(Array{left, right});
    else
      merges.push_back(text);
  }
  Array steps;
  if (GetParam().digits_first)
    steps.push_back(Object{{"type", "Digits"}, {"individual_digits", true}});
  steps.push_back(Object{{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}});
  return Object{
      {"version", "1.0"},
      {"added_tokens", std::move(added)},
      {"normalizer", nullptr},
      {"pre_tokenizer", Object{{"type", "Sequence"}, {"pretokenizers", std::move(steps)}}},
      {"post_processor", nullptr},
      {"decoder", Object{{"type", "ByteLevel"}}},
      {"model",
       Object{{"type", "BPE"}, {"vocab", std::move(vocab)}, {"merges", std::move(merges)}}}};
}

TEST_P(GoldenTokenizer, FromGguf) { compareAll(container); }

TEST_P(GoldenTokenizer, FromTokenizerJson) {
  for (bool pairs : {false, true}) {
    const TemporaryFolder folder;
    std::string text;
    llvm::raw_string_ostream(text) << llvm::json::Value(huggingFaceForm(pairs));
    folder.write("tokenizer.json", text);
    folder.write("config.json", "{}");
    Container huggingFace;
    huggingFace.kind = Container::Kind::HuggingFace;
    huggingFace.path = folder.path();
    compareAll(huggingFace);
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, GoldenTokenizer,
                         testing::Values(Vocabulary{"smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf",
                                                    true},
                                         Vocabulary{"gpt2", "ggml-vocab-gpt-2.gguf", false}),
                         [](const auto &vocabulary) { return std::string(vocabulary.param.name); });

} // namespace
