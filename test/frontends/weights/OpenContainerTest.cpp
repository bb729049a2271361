#include "test/frontends/weights/Matchers.h"
#include "test/frontends/weights/Samples.h"
#include "test/frontends/weights/TemporaryFolder.h"
#include <sys/stat.h>

using namespace moire;
using namespace moire::samples;

static const char *tinyConfig = R"({"model_type": "llama", "hidden_size": 96})";

static Container open(const std::string &path) {
  Container container;
  ReadError error;
  EXPECT_TRUE(openContainer(path, container, error)) << error.message;
  return container;
}

static ReadError refusal(const std::string &path) {
  Container container;
  ReadError error;
  EXPECT_FALSE(openContainer(path, container, error)) << path;
  return error;
}

/// The refusal must be of this kind and its message must hold all `parts`.
static void expectRefusal(const std::string &path, ReadError::Kind kind,
                          std::initializer_list<const char *> parts) {
  ReadError error = refusal(path);
  EXPECT_EQ(error.kind, kind) << error.message;
  for (const char *part : parts)
    EXPECT_NE(error.message.find(part), std::string::npos)
        << "expected: " << part << "\nfound:    " << error.message;
}

static constexpr auto badInput = ReadError::Kind::BadInput;
static constexpr auto unsupported = ReadError::Kind::Unsupported;

TEST(OpenContainer, ReadsAFolder) {
  TemporaryFolder folder;
  folder.write("config.json", tinyConfig);
  folder.write("generation_config.json", R"({"eos_token_id": 5})");
  folder.write("model.safetensors", tinySafetensors());
  for (const std::string &path : {folder.path(), folder / ""}) {
    Container container = open(path);
    EXPECT_EQ(container.kind, Container::Kind::HuggingFace);
    EXPECT_EQ(container.path, path);
    EXPECT_EQ(metadataAt<int64_t>(container.metadata, "hidden_size"), 96);
    EXPECT_EQ(metadataAt<int64_t>(container.metadata, "generation_config.eos_token_id"), 5);
    ASSERT_EQ(container.tensors.size(), 3u);
    EXPECT_EQ(container.tensors.at("b").data()[7], 1);
  }
}

TEST(OpenContainer, ReadsShardsAndOnlyWhatTheIndexLists) {
  TemporaryFolder folder;
  folder.write("config.json", tinyConfig);
  folder.write("model-1.safetensors", tinySafetensors());
  folder.write("model-2.safetensors",
               safetensors(R"({"d":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})", "DDDD"));
  folder.write("model.safetensors.index.json",
               R"({"weight_map":{"a":"model-1.safetensors","c":"model-1.safetensors",)"
               R"("d":"model-2.safetensors"}})");
  Container container = open(folder.path());
  ASSERT_EQ(container.tensors.size(), 3u);
  EXPECT_FALSE(container.tensors.count("b"));
  EXPECT_EQ(container.tensors.at("d").data()[0], 'D');
  EXPECT_EQ(container.tensors.at("a").file, container.tensors.at("c").file);
}

TEST(OpenContainer, ReadsABareConfig) {
  TemporaryFolder folder;
  folder.write("any-name", std::string("\n ") + tinyConfig);
  Container container = open(folder / "any-name");
  EXPECT_EQ(container.kind, Container::Kind::HuggingFace);
  EXPECT_EQ(metadataAt<std::string>(container.metadata, "model_type"), "llama");
  EXPECT_TRUE(container.tensors.empty());
}

TEST(OpenContainer, ReadsGgufWhateverItsName) {
  TemporaryFolder folder;
  folder.write("any-name", tinyGguf().build());
  Container container = open(folder / "any-name");
  EXPECT_EQ(container.kind, Container::Kind::Gguf);
  ASSERT_EQ(container.tensors.size(), 2u);
  EXPECT_EQ(container.tensors.at("a").data().size(), 24u);
}

TEST(OpenContainer, SaysWhatAFolderLacks) {
  TemporaryFolder folder;
  expectRefusal(folder.path(), badInput, {"without config.json", "model.safetensors"});
  folder.write("m.Q4_0.gguf", "GGUF");
  expectRefusal(folder.path(), badInput, {"without config.json", "m.Q4_0.gguf"});
  folder.write("config.json", tinyConfig);
  expectRefusal(folder.path(), badInput, {"no model.safetensors", "m.Q4_0.gguf"});

  TemporaryFolder bare;
  bare.write("config.json", tinyConfig);
  expectRefusal(bare.path(), badInput, {"has no weights", "inspected"});
  bare.write("pytorch_model.bin", "PK");
  expectRefusal(bare.path(), unsupported, {"pytorch_model.bin", "convert", "safetensors"});
  bare.write("model-00001-of-00002.safetensors", "");
  expectRefusal(bare.path(), badInput,
                {"model-00001-of-00002.safetensors", "model.safetensors.index.json"});
}

TEST(OpenContainer, SaysWhatIsWrongInAFolder) {
  TemporaryFolder folder;
  folder.write("config.json", "{");
  folder.write("model.safetensors", tinySafetensors());
  expectRefusal(folder.path(), badInput, {"config.json", "no valid JSON"});
  folder.write("config.json", tinyConfig);
  folder.write("generation_config.json", "[]");
  expectRefusal(folder.path(), badInput, {"generation_config.json", "a JSON object"});
  folder.write("generation_config.json", "{}");
  folder.write("model.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\n");
  expectRefusal(folder.path(), badInput, {"model.safetensors", "git lfs pull"});
  folder.write("model.safetensors", tinySafetensors().substr(0, 60));
  expectRefusal(folder.path(), badInput, {"model.safetensors", "cut off"});
}

TEST(OpenContainer, SaysWhatIsWrongWithShards) {
  TemporaryFolder folder;
  folder.write("config.json", tinyConfig);
  folder.write("model.safetensors.index.json", R"({"weight_map":{"a":"model-1.safetensors"}})");
  expectRefusal(folder.path(), badInput, {"model-1.safetensors", "No such file"});
  folder.write("model-1.safetensors", safetensors("{}", ""));
  expectRefusal(folder.path(), badInput, {"index.json", "\"a\"", "do not belong together"});
}

TEST(OpenContainer, RecognisesWhatItDoesNotRead) {
  TemporaryFolder folder;
  const struct {
    std::string content;
    ReadError::Kind kind;
    const char *message;
  } files[] = {
      {"", badInput, "is empty"},
      {"PK\x03\x04 zip", unsupported, "convert them to safetensors"},
      {"\x80\x02}q", unsupported, "convert them to safetensors"},
      {"tjgg\x01", unsupported, "older than GGUF"},
      {tinySafetensors(), badInput, "name the folder"},
      {R"({"weight_map": {"a": "b"}})", badInput, "name the folder"},
      {"version https://git-lfs.github.com/spec/v1\n", badInput, "git lfs pull"},
      {"plain text", badInput, "begins with \"plain te\""},
      {"GGUF", badInput, "cut off"},
  };
  for (const auto &[content, kind, message] : files) {
    folder.write("file", content);
    expectRefusal(folder / "file", kind, {"file", message});
  }
}

TEST(OpenContainer, RefusesWhatIsNoFile) {
  TemporaryFolder folder;
  expectRefusal(folder / "nothing", badInput, {"nothing", "No such file"});
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  expectRefusal(folder / "pipe", badInput, {"not a regular file"});
  expectRefusal("", badInput, {"No such file"});
}
