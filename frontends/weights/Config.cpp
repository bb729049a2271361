#include "frontends/weights/Config.h"
#include "frontends/weights/Checks.h"
#include "frontends/weights/Json.h"
#include <limits>

using namespace moire;
using llvm::Twine;
using Metadata = std::map<std::string, MetadataValue>;

static MetadataValue toMetadata(const llvm::json::Value &value, const std::string &key,
                                Metadata &metadata);

/// What is written as an integer and fits into int64 is one, everything else a double.
static MetadataValue numberToMetadata(const llvm::json::Value &value) {
  // getAsInteger alone would make integers of 10000.0 and, undefined, of 2^63.
  std::optional<uint64_t> natural = value.getAsUINT64();
  if (natural && *natural <= uint64_t(std::numeric_limits<int64_t>::max()))
    return {int64_t(*natural)};
  double number = *value.getAsNumber();
  std::optional<int64_t> negative = number < 0 ? value.getAsInteger() : std::nullopt;
  if (negative)
    return {*negative};
  return {number};
}

static void flatten(const llvm::json::Object &object, const std::string &prefix,
                    Metadata &metadata) {
  for (const auto &[name, value] : object) {
    std::string key = prefix + name.str();
    if (const llvm::json::Object *nested = value.getAsObject())
      flatten(*nested, key + ".", metadata);
    else
      metadata[key] = toMetadata(value, key, metadata);
  }
}

/// Objects inside a list are flattened into `metadata` under `key` and their index.
static MetadataValue toMetadata(const llvm::json::Value &value, const std::string &key,
                                Metadata &metadata) {
  switch (value.kind()) {
  case llvm::json::Value::Null:
    return {};
  case llvm::json::Value::Boolean:
    return {*value.getAsBoolean()};
  case llvm::json::Value::Number:
    return numberToMetadata(value);
  case llvm::json::Value::String:
    return {value.getAsString()->str()};
  case llvm::json::Value::Array: {
    MetadataValue::List list;
    const llvm::json::Array &array = *value.getAsArray();
    list.reserve(array.size());
    for (size_t i = 0; i < array.size(); ++i) {
      std::string elementKey;
      if (array[i].kind() >= llvm::json::Value::Array)
        elementKey = key + "." + std::to_string(i);
      list.push_back(toMetadata(array[i], elementKey, metadata));
    }
    return {std::move(list)};
  }
  case llvm::json::Value::Object:
    flatten(*value.getAsObject(), key + ".", metadata);
    return {};
  }
  return {};
}

/// Refuses what cannot be a config before time is spent on it.
static bool parseSmallObject(std::string_view text, const std::string &name,
                             llvm::json::Object &object, ReadError &error) {
  if (text.size() > maxConfigBytes)
    return badInput(error, Twine(name) + ": is " + Twine(text.size()) +
                               " bytes; a configuration is at most " + Twine(maxConfigBytes));
  return parseJsonObject(text, name, RepeatedNames::LastWins, object, error);
}

bool moire::parseConfig(std::string_view text, const std::string &name, Metadata &metadata,
                        ReadError &error) {
  llvm::json::Object object;
  if (!parseSmallObject(text, name, object, error))
    return false;
  flatten(object, "", metadata);
  return true;
}

bool moire::parseGenerationConfig(std::string_view text, const std::string &name,
                                  Metadata &metadata, ReadError &error) {
  llvm::json::Object object;
  if (!parseSmallObject(text, name, object, error))
    return false;
  const std::string key = "generation_config.eos_token_id";
  if (const llvm::json::Value *eos = object.get("eos_token_id"))
    metadata[key] = toMetadata(*eos, key, metadata);
  return true;
}
