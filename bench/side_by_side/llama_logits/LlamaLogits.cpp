// What llama.cpp predicts: llama-logits MODEL IDS OUT THREADS
//
// Each line of IDS holds the token ids of a window of a text, separated by blanks. OUT becomes a
// safetensors file like that of a compiled program's `--perplexity --logits`: `logits` [rows,
// vocabulary], float32, of every token but the last of each window. Everything else is llama.cpp's
// default; so keys and values are f16.

#include "llama.h"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

using Window = std::vector<llama_token>;

static int fail(const std::string &what) {
  fprintf(stderr, "llama-logits: %s\n", what.c_str());
  return 1;
}

static void sayErrors(ggml_log_level level, const char *text, void *) {
  if (level == GGML_LOG_LEVEL_ERROR)
    fputs(text, stderr);
}

static std::vector<Window> readWindows(const char *path) {
  std::vector<Window> windows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Window window;
    for (llama_token id; words >> id;)
      window.push_back(id);
    windows.push_back(window);
  }
  return windows;
}

static void writeHeader(std::ofstream &out, int64_t rows, int64_t columns) {
  const std::string shape = std::to_string(rows) + "," + std::to_string(columns);
  std::string text = R"({"logits":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[0,)" +
                     std::to_string(rows * columns * int64_t(sizeof(float))) + "]}}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  out.write(reinterpret_cast<const char *>(&length), sizeof length);
  out.write(text.data(), std::streamsize(length));
}

/// Writes the logits of all tokens of a window but the last.
static bool readWindow(llama_context *context, llama_batch &batch, const Window &window,
                       int32_t vocabulary, std::ofstream &out) {
  llama_memory_clear(llama_get_memory(context), true);
  const auto count = int32_t(window.size()) - 1;
  const auto most = int32_t(llama_n_batch(context));
  for (int32_t done = 0; done < count; done += batch.n_tokens) {
    batch.n_tokens = std::min(most, count - done);
    for (int32_t i = 0; i < batch.n_tokens; ++i) {
      batch.token[i] = window[size_t(done + i)];
      batch.pos[i] = done + i;
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    if (llama_decode(context, batch))
      return false;
    for (int32_t i = 0; i < batch.n_tokens; ++i)
      out.write(reinterpret_cast<const char *>(llama_get_logits_ith(context, i)),
                std::streamsize(vocabulary) * std::streamsize(sizeof(float)));
  }
  return true;
}

int main(int argc, char **argv) {
  if (argc != 5)
    return fail("usage: llama-logits MODEL IDS OUT THREADS");
  const std::vector<Window> windows = readWindows(argv[2]);
  size_t longest = 0, rows = 0;
  for (const Window &window : windows) {
    if (window.empty())
      return fail(std::string(argv[2]) + " has a line without token ids");
    longest = std::max(longest, window.size());
    rows += window.size() - 1;
  }
  if (!rows)
    return fail(std::string(argv[2]) + " has nothing to predict");

  llama_log_set(sayErrors, nullptr);
  llama_backend_init();
  llama_model *model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (!model)
    return fail(std::string("cannot load ") + argv[1]);
  llama_context_params wanted = llama_context_default_params();
  wanted.n_ctx = uint32_t(longest);
  wanted.n_threads = wanted.n_threads_batch = atoi(argv[4]);
  llama_context *context = llama_init_from_model(model, wanted);
  if (!context)
    return fail("cannot create a context of " + std::to_string(longest) + " tokens");

  const int32_t vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
  std::ofstream out(argv[3], std::ios::binary);
  writeHeader(out, int64_t(rows), vocabulary);
  llama_batch batch = llama_batch_init(int32_t(llama_n_batch(context)), 0, 1);
  for (const Window &window : windows)
    if (!readWindow(context, batch, window, vocabulary, out))
      return fail("llama_decode failed");
  out.close();
  return out ? 0 : fail(std::string("cannot write ") + argv[3]);
}
