// The readers behind importTokenizer, one a container.

#ifndef MOIRE_FRONTENDS_TOKENIZER_READERS_H
#define MOIRE_FRONTENDS_TOKENIZER_READERS_H

#include "frontends/tokenizer/TokenizerImport.h"
#include "frontends/tokenizer/TokenizerSource.h"

#include "llvm/Support/JSON.h"

namespace moire {

/// All that a reader meets and does not know, to be reported at once.
using Unknowns = std::vector<std::string>;
/// Fills in `error` with the whole list and returns false.
bool unsupportedTokenizer(const std::string &file, const Unknowns &unknowns, ReadError &error);

/// A GGUF file's tokenizer; `source` and `chatTemplate` are views of `container`. Leaves `source`
/// without tokens if the file has no tokenizer.
bool readGgufTokenizer(const Container &container, TokenizerSource &source,
                       std::string_view &chatTemplate, ReadError &error);

/// The files of a Hugging Face folder that say something about text.
struct HuggingFaceFiles {
  std::string path;             // of tokenizer.json
  llvm::json::Object tokenizer; // tokenizer.json
  llvm::json::Object config;    // tokenizer_config.json
  std::string chat_template;    // chat_template.jinja
};
/// Reads the files beside `container`'s config.json. A file that is not there stays empty.
bool readHuggingFaceFiles(const Container &container, HuggingFaceFiles &files, ReadError &error);

/// A Hugging Face tokenizer, like the above; views of `files`.
bool readHuggingFaceTokenizer(const Container &container, const HuggingFaceFiles &files,
                              TokenizerSource &source, std::string_view &chatTemplate,
                              ReadError &error);

/// What stands around the model in tokenizer.json: normalizer, pre_tokenizer, decoder and
/// post_processor. Fills in `pre_tokenizer`, and `bosSpelling` with the token that comes first.
void readHuggingFacePipeline(const llvm::json::Object &tokenizer, TokenizerSource &source,
                             std::string_view &bosSpelling, Unknowns &unknowns);

/// The metadata value of `key` if it is there and a T, otherwise null.
template <typename T> const T *metadataOf(const Container &container, const std::string &key) {
  const auto entry = container.metadata.find(key);
  return entry == container.metadata.end() ? nullptr : std::get_if<T>(&entry->second.value);
}

/// Adds `id` to the end tokens unless it is one already. An id that is no token of this vocabulary
/// is left out: such a token never comes.
void addEndToken(int64_t id, TokenizerSource &source);
/// The same with the metadata value of `key`, an integer or a list of them, if it is there.
void addEndTokens(const Container &container, const std::string &key, TokenizerSource &source);

} // namespace moire

#endif
