#include "tools/driver/Metadata.h"

#include "tools/driver/Version.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

namespace moire::driver {

/// The last part of the path that the user named: where on the machine the model lay is nobody's
/// business.
static std::string sourceName(const std::string &path) {
  return llvm::sys::path::filename(llvm::StringRef(path).rtrim('/')).str();
}

std::string programName(llvm::StringRef model) {
  namespace path = llvm::sys::path;
  llvm::SmallString<128> full(model);
  if (llvm::sys::fs::make_absolute(full))
    return "model";
  path::remove_dots(full, /*remove_dot_dot=*/true);
  llvm::StringRef name = path::filename(full);
  if (name == "config.json")
    name = path::filename(path::parent_path(full));
  else if (!name.consume_back(".gguf"))
    name.consume_back(".json");
  return name == "/" ? "model" : name.str(); // the root has no name
}

static std::string modelName(const Container &container) {
  auto found = container.metadata.find("general.name");
  if (found != container.metadata.end())
    if (auto *name = std::get_if<std::string>(&found->second.value); name && !name->empty())
      return *name;
  return programName(container.path);
}

/// The ids that end an answer, as the model's configuration has them: one, or a list.
static llvm::json::Array endTokens(const Container &container) {
  llvm::json::Array ids;
  auto found = container.metadata.find(
      container.kind == Container::Kind::Gguf ? "tokenizer.ggml.eos_token_id" : "eos_token_id");
  if (found == container.metadata.end())
    return ids;
  auto add = [&](const MetadataValue &value) {
    if (auto *id = std::get_if<int64_t>(&value.value); id && *id >= 0 && *id <= INT32_MAX)
      ids.push_back(*id);
  };
  if (auto *list = std::get_if<MetadataValue::List>(&found->second.value))
    for (const MetadataValue &value : *list)
      add(value);
  else
    add(found->second);
  return ids;
}

/// As runtime/Metadata.h says.
static llvm::json::Array profileRegions(llvm::ArrayRef<ProfiledRegion> regions) {
  llvm::json::Array list;
  for (const ProfiledRegion &region : regions) {
    llvm::json::Object object{{"name", region.name}, {"in", region.function}};
    if (region.wait)
      object["wait"] = true;
    if (!region.arithmetic.empty())
      object["arithmetic"] = region.arithmetic;
    for (auto [key, member] : kRegionNumbers)
      if (int64_t number = region.*member)
        object[key] = number;
    list.push_back(std::move(object));
  }
  return list;
}

std::string metadataText(const CompileRequest &request, const Container &container,
                         const Model &model, const Summary &summary, const ChatForm &chat,
                         llvm::ArrayRef<int64_t> route, const CompiledModel &compiled) {
  llvm::json::Object weights;
  for (const auto &[type, bytes] : summary.bytes_of_type)
    weights[type] = bytes;
  llvm::json::Object object{
      {"name", modelName(container)},
      {"architecture", model.architecture},
      {"source", sourceName(container.path)},
      {"parameters", summary.parameters},
      {"type", summary.main_type},
      {"activations", request.options.activations},
      {"weights", std::move(weights)},
      {"kv_type", request.options.kvFormat()},
      {"work", llvm::cantFail(llvm::json::parse(toJson(compiled.work)))},
      {"eos", endTokens(container)},
      {"bos", nullptr}, // the tokenizer section says what a text starts with
      {"compiler", versionLine()},
      {"options", request.options.spelled()},
  };
  if (!route.empty())
    object["route"] = llvm::json::Array(route);
  if (!compiled.regions.empty())
    object["profile"] = profileRegions(compiled.regions);
  if (chat.kind == ChatForm::ChatMl) {
    object["chat"] = "chatml";
    object["system"] = chat.default_system;
  }
  return llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object))).str();
}

} // namespace moire::driver
