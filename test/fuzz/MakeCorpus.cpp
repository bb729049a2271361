// make_corpus FOLDER: writes the inputs from which the fuzzers start, a folder for each.

#include "test/frontends/weights/Samples.h"
#include "test/runtime/text/SmallTokenizer.h"
#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace moire::samples;

static bool write(const std::filesystem::path &path, const std::string &content) {
  std::error_code code;
  std::filesystem::create_directories(path.parent_path(), code);
  std::ofstream file(path, std::ios::binary);
  file << content;
  return !code && file.flush().good();
}

int main(int argc, char **argv) {
  if (argc != 2) {
    std::fputs("usage: make_corpus FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  const std::string file = tinySafetensors();
  const moire::SmallTokenizer tokenizer;
  const bool written =
      write(folder / "gguf/v2", tinyGguf(2).build()) &&
      write(folder / "gguf/v3", tinyGguf(3).build()) &&
      write(folder / "gguf/alignment", tinyGguf()
                                           .add("general.alignment", ggufU32, raw(uint32_t(64)))
                                           .add("split.count", ggufU16, raw(uint16_t(1)))
                                           .build()) &&
      write(folder / "gguf/unread", Gguf().addTensor("a", {256}, ggmlQ4_K, 0).build()) &&
      write(folder / "safetensors/file", file) &&
      write(folder / "safetensors/header", file.substr(8, file.size() - 8 - 40)) &&
      write(folder / "safetensors/index",
            R"({"metadata":{},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})") &&
      write(
          folder / "config/config",
          R"({"model_type":"llama","rope_scaling":{"type":"linear","factor":4.0},"a":[1,{"b":-2}],)"
          R"("x":[NaN,-Infinity,1e5,9223372036854775808,-9223372036854775808],"rope_scaling":null,)"
          R"("eos_token_id":[1,2],"s":"\ud83d\ude00\\\"","t":true})") &&
      write(
          folder / "tokenizer_json/gpt2",
          R"({"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"Ġab":4},"merges":["a b",)"
          R"(["Ġ","ab"]],"unk_token":null},"added_tokens":[{"id":5,"content":"<s>","special":true)"
          R"(}],"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Digits",)"
          R"("individual_digits":true},{"type":"ByteLevel"}]},"decoder":{"type":"ByteLevel"},)"
          R"("post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>")"
          R"(}},{"Sequence":{"id":"A"}}]}})") &&
      write(folder / "tokenizer_section/small",
            std::string(tokenizer.section.begin(), tokenizer.section.end())) &&
      write(folder / "tokenizer_text/mixed",
            "\3 the other's <|start|>up\n\n 12  words \xC3\xA9 \xFF");
  if (!written)
    std::fprintf(stderr, "make_corpus: cannot write below %s\n", argv[1]);
  return written ? 0 : 1;
}
