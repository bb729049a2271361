// Tells the kinds of containers apart and says what a user probably meant when it is none of them.

#include "frontends/weights/Checks.h"
#include "frontends/weights/Config.h"
#include "frontends/weights/Gguf.h"
#include "frontends/weights/Safetensors.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include <algorithm>
#include <filesystem>

using namespace moire;
using llvm::StringRef;
using llvm::Twine;

namespace fs = std::filesystem;

static bool exists(const std::string &path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Names of the folder's entries that end in one of `suffixes`, sorted.
static std::vector<std::string> entriesEndingIn(const std::string &folder,
                                                std::initializer_list<StringRef> suffixes) {
  std::vector<std::string> names;
  std::error_code code;
  for (fs::directory_iterator entry(folder, code), end; !code && entry != end;
       entry.increment(code)) {
    std::string name = entry->path().filename().string();
    if (llvm::any_of(suffixes, [&](StringRef suffix) { return StringRef(name).ends_with(suffix); }))
      names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

/// "a.gguf, b.gguf and 3 more"
static std::string listOf(const std::vector<std::string> &names) {
  constexpr size_t shown = 4;
  std::string text;
  for (size_t i = 0; i < names.size() && i < shown; ++i)
    text += (i ? ", " : "") + names[i];
  if (names.size() > shown)
    text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

static constexpr const char *convertPickle =
    "weights pickled by PyTorch are programs, which Moire does not run; convert them to "
    "safetensors, for example with save_pretrained() of transformers";

static bool failWithoutConfig(const std::string &folder, ReadError &error) {
  std::vector<std::string> ggufs = entriesEndingIn(folder, {".gguf"});
  if (!ggufs.empty())
    return badInput(error, Twine(folder) +
                               ": is a folder without config.json; name the GGUF file " +
                               "in it: " + listOf(ggufs));
  return badInput(error, Twine(folder) +
                             ": is a folder without config.json; a Hugging Face folder " +
                             "holds config.json and model.safetensors");
}

static bool failWithoutWeights(const std::string &folder, ReadError &error) {
  std::vector<std::string> ggufs = entriesEndingIn(folder, {".gguf"});
  if (!ggufs.empty())
    return badInput(error,
                    Twine(folder) +
                        ": has no model.safetensors; name the GGUF file in it: " + listOf(ggufs));
  std::vector<std::string> shards = entriesEndingIn(folder, {".safetensors"});
  if (!shards.empty())
    return badInput(error, Twine(folder) + ": has " + listOf(shards) + ", but neither " +
                               "model.safetensors nor model.safetensors.index.json, which would " +
                               "say what belongs to the model");
  std::vector<std::string> pickles = entriesEndingIn(folder, {".bin", ".pt", ".pth", ".ckpt"});
  if (!pickles.empty())
    return unsupported(error, Twine(folder) + ": has no model.safetensors, only " +
                                  listOf(pickles) + ": " + convertPickle);
  return badInput(error, Twine(folder) + ": has no weights (model.safetensors, or shards with " +
                             "model.safetensors.index.json); config.json alone can be inspected " +
                             "by its own name, or compiled by it with --synthetic=SEED");
}

static bool readConfigFile(const std::string &path, decltype(&parseConfig) parse,
                           Container &container, ReadError &error) {
  std::shared_ptr<MappedFile> file = MappedFile::open(path, error);
  return file && parse(file->text(), path, container.metadata, error);
}

static bool readHuggingFaceFolder(const std::string &folder, Container &container,
                                  ReadError &error) {
  container.kind = Container::Kind::HuggingFace;
  const std::string prefix = StringRef(folder).ends_with("/") ? folder : folder + "/";
  const std::string config = prefix + "config.json";
  const std::string generationConfig = prefix + "generation_config.json";
  if (!exists(config))
    return failWithoutConfig(folder, error);
  if (!readConfigFile(config, parseConfig, container, error))
    return false;
  if (exists(generationConfig) &&
      !readConfigFile(generationConfig, parseGenerationConfig, container, error))
    return false;

  const std::string single = prefix + "model.safetensors";
  const std::string index = single + ".index.json";
  if (exists(single))
    return readSafetensorsFile(single, container.tensors, error);
  if (exists(index))
    return readSafetensorsShards(index, container.tensors, error);
  return failWithoutWeights(folder, error);
}

static bool readBareConfig(const MappedFile &file, Container &container, ReadError &error) {
  container.kind = Container::Kind::HuggingFace;
  if (!parseConfig(file.text(), file.path(), container.metadata, error))
    return false;
  auto first = container.metadata.lower_bound("weight_map.");
  if (first != container.metadata.end() && first->first.starts_with("weight_map."))
    return badInput(error, Twine(file.path()) + ": is the index of a model's weights; name the " +
                               "folder that it lies in");
  return true;
}

static bool readGgufFile(const std::shared_ptr<MappedFile> &file, Container &container,
                         ReadError &error) {
  container.kind = Container::Kind::Gguf;
  if (!parseGguf(file->bytes(), file->path(), container.metadata, container.tensors, error))
    return false;
  for (auto &[name, tensor] : container.tensors)
    tensor.file = file;
  return true;
}

/// `text` is the content of a file of no known kind.
static bool failUnrecognised(const std::string &path, StringRef text, ReadError &error) {
  if (text.empty())
    return badInput(error, Twine(path) + ": is empty");
  // Zip archives and bare pickles; ggml's formats before GGUF, their magic numbers little-endian.
  if (text.starts_with("PK\x03\x04") || text.starts_with("\x80\x02"))
    return unsupported(error, Twine(path) + ": " + convertPickle);
  if (text.starts_with("lmgg") || text.starts_with("fmgg") || text.starts_with("tjgg"))
    return unsupported(error, Twine(path) + ": is of a ggml format older than GGUF; convert the " +
                                  "original model with a current llama.cpp");
  if (text.size() > 8 && text[8] == '{')
    return badInput(error, Twine(path) + ": is a safetensors file, which does not say what model " +
                               "it belongs to; name the folder with its config.json");
  return badInput(error, Twine(path) + ": begins with " + quoted(text.substr(0, 8)) +
                             "; expected a GGUF file, a config.json or a Hugging Face folder");
}

bool moire::openContainer(const std::string &path, Container &container, ReadError &error) {
  container = {};
  container.path = path;
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return readHuggingFaceFolder(path, container, error);

  std::shared_ptr<MappedFile> file = MappedFile::open(path, error);
  if (!file || !checkIsFetched(*file, error))
    return false;
  StringRef text = file->text();
  if (text.starts_with("GGUF"))
    return readGgufFile(file, container, error);
  if (text.ltrim().starts_with("{"))
    return readBareConfig(*file, container, error);
  return failUnrecognised(path, text, error);
}
