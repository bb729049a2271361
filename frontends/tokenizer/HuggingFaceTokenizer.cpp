#include "frontends/tokenizer/ByteSpelling.h"
#include "frontends/tokenizer/Readers.h"
#include "frontends/weights/Checks.h"
#include "frontends/weights/Json.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <memory>

using namespace moire;
using llvm::StringRef;
using llvm::json::Array;
using llvm::json::Object;
using llvm::json::Value;

static std::string_view textOf(const MappedFile &file) {
  return {reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size()};
}

bool moire::readHuggingFaceFiles(const Container &container, HuggingFaceFiles &files,
                                 ReadError &error) {
  const StringRef folder = llvm::sys::fs::is_directory(container.path)
                               ? StringRef(container.path)
                               : llvm::sys::path::parent_path(container.path);
  auto pathOf = [&](StringRef name) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  };
  auto read = [&](const std::string &path, Object &object) {
    if (!llvm::sys::fs::exists(path))
      return true;
    const std::shared_ptr<MappedFile> file = MappedFile::open(path, error);
    return file && parseJsonObject(textOf(*file), path, RepeatedNames::LastWins, object, error);
  };
  files.path = pathOf("tokenizer.json");
  if (!read(files.path, files.tokenizer) || !read(pathOf("tokenizer_config.json"), files.config))
    return false;
  if (const std::string path = pathOf("chat_template.jinja"); llvm::sys::fs::exists(path)) {
    const std::shared_ptr<MappedFile> file = MappedFile::open(path, error);
    if (!file)
      return false;
    files.chat_template = textOf(*file);
  }
  return true;
}

namespace {

/// Reads the "model" and the "added_tokens" of a tokenizer.json.
class ModelReader {
public:
  ModelReader(const HuggingFaceFiles &files, TokenizerSource &source, ReadError &error)
      : files(files), source(source), error(error) {}

  /// What the model asks for that we do not know.
  void listUnknowns(Unknowns &unknowns) const;
  bool read();
  /// Whether bytes without a token become the unknown token instead of vanishing. After read().
  bool standsInForBytes() const;
  int32_t find(std::string_view spelling) const;

private:
  bool fail(const llvm::Twine &message) {
    return badInput(error, llvm::Twine(files.path) + ": " + message);
  }
  bool setToken(StringRef spelling, std::optional<int64_t> id, TokenKind kind);
  bool readMerge(size_t rank, const Value &merge);

  const HuggingFaceFiles &files;
  TokenizerSource &source;
  ReadError &error;
  size_t idLimit = 0;
};

void ModelReader::listUnknowns(Unknowns &unknowns) const {
  const Object *model = files.tokenizer.getObject("model");
  if (!model)
    return;
  // Old files have no type: those with merges are BPE.
  const StringRef type = model->getString("type").value_or(model->get("merges") ? "BPE" : "");
  if (type != "BPE")
    unknowns.push_back("model " + quoted(type));
  for (const char *key : {"byte_fallback", "ignore_merges"})
    if (model->getBoolean(key).value_or(false))
      unknowns.push_back(std::string("model.") + key + " = true");
  for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const auto affix = model->getString(key); affix && !affix->empty())
      unknowns.push_back(std::string("model.") + key + " = " + quoted(*affix));
  if (model->getNumber("dropout").value_or(0) != 0)
    unknowns.push_back("model.dropout");

  const Array *added = files.tokenizer.getArray("added_tokens");
  for (const char *key : {"lstrip", "rstrip", "single_word"}) {
    const auto asks = [&](const Value &token) {
      const Object *object = token.getAsObject();
      return object && object->getBoolean(key).value_or(false);
    };
    if (const size_t count = added ? llvm::count_if(*added, asks) : 0)
      unknowns.push_back(std::string("added_tokens with ") + key + " (" + std::to_string(count) +
                         " tokens)");
  }
}

bool ModelReader::setToken(StringRef spelling, std::optional<int64_t> id, TokenKind kind) {
  if (!id || *id < 0 || static_cast<size_t>(*id) >= idLimit)
    return fail("the token " + quoted(spelling) + " has no id, or an impossible one");
  if (source.tokens.size() <= static_cast<size_t>(*id))
    source.tokens.resize(*id + 1);
  TokenizerSource::Token &token = source.tokens[*id];
  if (!token.spelling.empty() && StringRef(token.spelling) != spelling)
    return fail("the tokens " + quoted(token.spelling) + " and " + quoted(spelling) +
                " have the same id " + llvm::Twine(*id));
  token = {spelling, kind};
  return true;
}

bool ModelReader::readMerge(size_t rank, const Value &merge) {
  if (const auto text = merge.getAsString()) { // "a b"
    const auto [left, right] = text->split(' ');
    source.merges.push_back({left, right});
    return true;
  }
  const Array *pair = merge.getAsArray(); // ["a", "b"]
  const auto left = pair && pair->size() == 2 ? (*pair)[0].getAsString() : std::nullopt;
  const auto right = pair && pair->size() == 2 ? (*pair)[1].getAsString() : std::nullopt;
  if (!left || !right)
    return fail("model.merges[" + llvm::Twine(rank) + "] is neither \"a b\" nor [\"a\", \"b\"]");
  source.merges.push_back({*left, *right});
  return true;
}

bool ModelReader::read() {
  const Object *model = files.tokenizer.getObject("model");
  const Object *vocab = model ? model->getObject("vocab") : nullptr;
  const Array *merges = model ? model->getArray("merges") : nullptr;
  const Array *added = files.tokenizer.getArray("added_tokens");
  if (!vocab || !merges || vocab->empty())
    return fail("model.vocab or model.merges is missing or empty");

  // Ids may have gaps, but not many more of them than there are tokens.
  idLimit = 4 * (vocab->size() + (added ? added->size() : 0)) + 65536;
  for (const auto &[spelling, id] : *vocab)
    if (!setToken(spelling, id.getAsInteger(), TokenKind::Ordinary))
      return false;
  if (added)
    for (const Value &value : *added) {
      const Object *token = value.getAsObject();
      const auto content = token ? token->getString("content") : std::nullopt;
      if (!content)
        return fail("an element of added_tokens has no content");
      const bool control = token->getBoolean("special").value_or(false);
      if (!setToken(*content, token->getInteger("id"),
                    control ? TokenKind::Control : TokenKind::Word))
        return false;
    }
  for (const auto &[rank, merge] : llvm::enumerate(*merges))
    if (!readMerge(rank, merge))
      return false;
  return true;
}

int32_t ModelReader::find(std::string_view spelling) const {
  const auto token =
      llvm::find_if(source.tokens, [&](const auto &token) { return token.spelling == spelling; });
  return token == source.tokens.end() || spelling.empty() ? -1 : token - source.tokens.begin();
}

bool ModelReader::standsInForBytes() const {
  if (!files.tokenizer.getObject("model")->getString("unk_token"))
    return false;
  const Object *vocab = files.tokenizer.getObject("model")->getObject("vocab");
  for (int byte = 0; byte < 256; ++byte)
    if (!vocab->get(spellByte(byte)))
      return true;
  return false;
}

/// A token of tokenizer_config.json: a string, or an object with its content.
std::string_view configToken(const Object &config, StringRef key) {
  if (const Object *token = config.getObject(key))
    return token->getString("content").value_or("");
  return config.getString(key).value_or("");
}

/// The chat template: its own file, a string, or the one called "default" of several.
std::string_view findChatTemplate(const HuggingFaceFiles &files) {
  if (!files.chat_template.empty())
    return files.chat_template;
  if (const Array *list = files.config.getArray("chat_template"))
    for (const Value &element : *list)
      if (const Object *named = element.getAsObject();
          named && named->getString("name") == "default")
        return named->getString("template").value_or("");
  return files.config.getString("chat_template").value_or("");
}

} // namespace

bool moire::readHuggingFaceTokenizer(const Container &container, const HuggingFaceFiles &files,
                                     TokenizerSource &source, std::string_view &chatTemplate,
                                     ReadError &error) {
  chatTemplate = findChatTemplate(files);
  if (files.tokenizer.empty())
    return true;

  ModelReader model(files, source, error);
  Unknowns unknowns;
  std::string_view first;
  model.listUnknowns(unknowns);
  readHuggingFacePipeline(files.tokenizer, source, first, unknowns);
  if (!unknowns.empty())
    return unsupportedTokenizer(files.path, unknowns, error);
  if (!model.read())
    return false;
  if (model.standsInForBytes())
    return unsupportedTokenizer(files.path, {"model.unk_token for bytes without a token"}, error);

  // A post_processor that puts BOS first says so; classes that make theirs when they are loaded
  // (Llama's, and with it DeepSeek's) go by add_bos_token.
  if (first.empty() && files.config.getBoolean("add_bos_token").value_or(false))
    first = configToken(files.config, "bos_token");
  source.add_bos = !first.empty();
  source.bos = model.find(source.add_bos ? first : configToken(files.config, "bos_token"));
  if (source.add_bos && source.bos < 0)
    return badInput(error, llvm::Twine(files.path) + ": the token " + quoted(first) +
                               " that comes first is not in the vocabulary");
  addEndToken(model.find(configToken(files.config, "eos_token")), source);
  addEndTokens(container, "eos_token_id", source);
  addEndTokens(container, "generation_config.eos_token_id", source);
  return true;
}
