#include "frontends/tokenizer/Readers.h"
#include "frontends/weights/Checks.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace moire;

namespace {

/// llama.cpp's names of split patterns (src/llama-vocab.cpp). Files from before the names had none
/// or "default"; their models split like GPT-2.
struct NamedPattern {
  std::string_view name;
  PreTokenizerKind kind;
};
constexpr NamedPattern patterns[] = {
    {"", PreTokenizerKind::Gpt2},
    {"default", PreTokenizerKind::Gpt2},
    {"gpt-2", PreTokenizerKind::Gpt2},
    {"jais", PreTokenizerKind::Gpt2},
    {"mpt", PreTokenizerKind::Gpt2},
    {"olmo", PreTokenizerKind::Gpt2},
    {"phi-2", PreTokenizerKind::Gpt2},
    {"codeshell", PreTokenizerKind::DigitsGpt2},
    {"refact", PreTokenizerKind::DigitsGpt2},
    {"smollm", PreTokenizerKind::DigitsGpt2},
    {"starcoder", PreTokenizerKind::DigitsGpt2},
};

/// ggml's token types (include/llama.h, llama_token_type): what is neither listed here is ordinary.
TokenKind tokenKind(int64_t type) {
  switch (type) {
  case 2: // unknown
  case 3: // control
    return TokenKind::Control;
  case 4: // user defined
    return TokenKind::Word;
  default:
    return TokenKind::Ordinary;
  }
}

/// Reads the list `key`: `use` takes each element as a T. Absent lists are empty.
template <typename T, typename Use>
bool readList(const Container &container, const std::string &key, Use use, ReadError &error) {
  if (!container.metadata.count(key))
    return true;
  const auto *list = metadataOf<MetadataValue::List>(container, key);
  if (!list)
    return badInput(error, llvm::Twine(container.path) + ": " + key + " is no list");
  for (const auto &[i, element] : llvm::enumerate(*list)) {
    const T *value = std::get_if<T>(&element.value);
    if (!value || !use(i, *value))
      return badInput(error, llvm::Twine(container.path) + ": " + key + "[" + llvm::Twine(i) +
                                 "] is not as expected");
  }
  return true;
}

int32_t readId(const Container &container, const std::string &key, const TokenizerSource &source) {
  const auto *id = metadataOf<int64_t>(container, key);
  const auto vocab = static_cast<int64_t>(source.tokens.size());
  return id && *id >= 0 && *id < vocab ? static_cast<int32_t>(*id) : -1;
}

bool isTrue(const Container &container, const std::string &key) {
  const bool *value = metadataOf<bool>(container, key);
  return value && *value;
}

} // namespace

bool moire::readGgufTokenizer(const Container &container, TokenizerSource &source,
                              std::string_view &chatTemplate, ReadError &error) {
  auto text = [&](const std::string &key) -> std::string_view {
    const std::string *value = metadataOf<std::string>(container, key);
    return value ? std::string_view(*value) : std::string_view();
  };
  const std::string_view model = text("tokenizer.ggml.model"), pre = text("tokenizer.ggml.pre");
  chatTemplate = text("tokenizer.chat_template");
  if (model.empty() || model == "no_vocab" || model == "none")
    return true;

  Unknowns unknowns;
  if (model != "gpt2")
    unknowns.push_back("tokenizer.ggml.model = " + quoted(model) + " (known: \"gpt2\")");
  const auto *pattern =
      llvm::find_if(patterns, [&](const NamedPattern &pattern) { return pattern.name == pre; });
  if (pattern != std::end(patterns))
    source.pre_tokenizer = pattern->kind;
  else if (model == "gpt2")
    unknowns.push_back("tokenizer.ggml.pre = " + quoted(pre) +
                       " (known: \"gpt-2\" and \"smollm\" and what splits like them)");
  if (isTrue(container, "tokenizer.ggml.add_eos_token"))
    unknowns.push_back("tokenizer.ggml.add_eos_token = true");
  if (!unknowns.empty())
    return unsupportedTokenizer(container.path, unknowns, error);

  auto addToken = [&](size_t, const std::string &token) {
    source.tokens.push_back({token});
    return true;
  };
  auto setKind = [&](size_t i, int64_t type) {
    if (i >= source.tokens.size())
      return false;
    source.tokens[i].kind = tokenKind(type);
    return true;
  };
  auto addMerge = [&](size_t, std::string_view merge) {
    const size_t space = merge.find(' ', 1);
    if (space == merge.npos)
      return false;
    source.merges.push_back({merge.substr(0, space), merge.substr(space + 1)});
    return true;
  };
  if (!readList<std::string>(container, "tokenizer.ggml.tokens", addToken, error) ||
      !readList<int64_t>(container, "tokenizer.ggml.token_type", setKind, error) ||
      !readList<std::string>(container, "tokenizer.ggml.merges", addMerge, error))
    return false;
  if (source.tokens.empty())
    return badInput(error, llvm::Twine(container.path) + ": tokenizer.ggml.tokens is missing");

  source.bos = readId(container, "tokenizer.ggml.bos_token_id", source);
  source.add_bos = isTrue(container, "tokenizer.ggml.add_bos_token");
  for (const char *key : {"eos", "eot", "eom"})
    addEndTokens(container, std::string("tokenizer.ggml.") + key + "_token_id", source);
  return true;
}
