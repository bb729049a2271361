#include "frontends/tokenizer/TokenizerImport.h"

#include "frontends/tokenizer/Readers.h"
#include "frontends/weights/Checks.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace moire;

bool moire::unsupportedTokenizer(const std::string &file, const Unknowns &unknowns,
                                 ReadError &error) {
  return unsupported(error, llvm::Twine(file) +
                                ": this tokenizer is not supported: " + llvm::join(unknowns, "; "));
}

void moire::addEndToken(int64_t id, TokenizerSource &source) {
  if (id >= 0 && id < static_cast<int64_t>(source.tokens.size()) &&
      !llvm::is_contained(source.eos, id))
    source.eos.push_back(static_cast<int32_t>(id));
}

void moire::addEndTokens(const Container &container, const std::string &key,
                         TokenizerSource &source) {
  if (const auto *id = metadataOf<int64_t>(container, key))
    addEndToken(*id, source);
  if (const auto *list = metadataOf<MetadataValue::List>(container, key))
    for (const MetadataValue &element : *list)
      if (const auto *id = std::get_if<int64_t>(&element.value))
        addEndToken(*id, source);
}

/// Models with a chat form end a turn with one token and a document with another, and containers
/// often name only one of the two.
static void addWellKnownEndTokens(TokenizerSource &source) {
  static constexpr std::string_view ends[] = {"<|im_end|>", "<|endoftext|>", "<|eot_id|>",
                                              "<|end_of_text|>"};
  for (const auto &[id, token] : llvm::enumerate(source.tokens))
    if (token.kind == TokenKind::Control && llvm::is_contained(ends, token.spelling))
      addEndToken(id, source);
}

bool moire::importTokenizer(const Container &container, ImportedTokenizer &tokenizer,
                            ReadError &error) {
  TokenizerSource source;
  HuggingFaceFiles files;
  std::string_view chatTemplate;
  if (container.kind == Container::Kind::Gguf) {
    if (!readGgufTokenizer(container, source, chatTemplate, error))
      return false;
  } else if (!readHuggingFaceFiles(container, files, error) ||
             !readHuggingFaceTokenizer(container, files, source, chatTemplate, error)) {
    return false;
  }
  tokenizer = {};
  tokenizer.chat = recogniseChatForm(chatTemplate);
  if (source.tokens.empty())
    return true;
  addWellKnownEndTokens(source);
  return writeTokenizerSection(source, container.path, tokenizer.section, error);
}
