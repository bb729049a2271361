// make_corpus FOLDER: writes the inputs from which the fuzzers start, a folder for each.

#include "test/frontends/weights/Samples.h"
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
          R"("eos_token_id":[1,2],"s":"\ud83d\ude00\\\"","t":true})");
  if (!written)
    std::fprintf(stderr, "make_corpus: cannot write below %s\n", argv[1]);
  return written ? 0 : 1;
}
