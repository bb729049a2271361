#include "frontends/native/Library.h"
#include "frontends/native/Config.h"
#include "frontends/native/Parser.h"

using namespace moire;

/// What a container says about itself in the keys that descriptions match.
static std::string identity(const Container &container) {
  std::string text;
  for (const char *key : {"model_type", "architectures", "general.architecture"}) {
    auto found = container.metadata.find(key);
    if (found == container.metadata.end())
      continue;
    Value value = Value::of(found->second);
    if (value.isNone())
      continue;
    text += (text.empty() ? "" : ", ") + std::string(key) + " = ";
    if (value.kind == Value::Kind::List && !value.list->empty())
      value = Value::of(value.list->front());
    text += value.spelled();
  }
  return text.empty() ? "it does not say what it is" : text;
}

const Description *moire::pickDescription(const std::vector<const Description *> &candidates,
                                          const Container &container, ReadError &error) {
  for (bool fallback : {false, true}) {
    const Description *picked = nullptr;
    for (const Description *candidate : candidates) {
      if (!matches(*candidate, container, fallback))
        continue;
      if (picked) {
        error.kind = ReadError::Kind::BadInput;
        error.message = "two descriptions match " + quote(container.path) + " (" +
                        identity(container) + "): " + picked->source.path + " and " +
                        candidate->source.path + "; name one with --model-description";
        return nullptr;
      }
      picked = candidate;
    }
    if (picked)
      return picked;
  }
  error.kind = ReadError::Kind::Unsupported;
  error.message = "no description matches " + quote(container.path) + " (" + identity(container) +
                  "); described are:";
  for (const Description *candidate : candidates) {
    std::string miss = nearMiss(*candidate, container);
    error.message += " " + candidate->name + (miss.empty() ? "" : " (not with " + miss + ")");
  }
  error.message += ". Describe it in a file (docs/model-descriptions.md) and name that with "
                   "--model-description";
  return nullptr;
}

std::unique_ptr<Description> moire::findDescription(const Container &container,
                                                    const std::string &userFile, ReadError &error) {
  std::vector<std::unique_ptr<Description>> read;
  if (!userFile.empty()) {
    read.push_back(readDescription(userFile, error));
    if (!read.back())
      return nullptr;
  } else {
    for (const BuiltInDescription &builtIn : builtInDescriptions()) {
      read.push_back(parseDescription(builtIn.path, builtIn.text, error));
      if (!read.back())
        return nullptr;
    }
  }
  std::vector<const Description *> candidates;
  for (const auto &description : read)
    candidates.push_back(description.get());
  const Description *picked = pickDescription(candidates, container, error);
  if (!picked && !userFile.empty() && error.kind == ReadError::Kind::Unsupported) {
    error.kind = ReadError::Kind::BadInput;
    error.message = "the `match` lines of " + quote(userFile) + " do not hold for " +
                    quote(container.path) + " (" + identity(container) + ")";
  }
  for (auto &description : read)
    if (description.get() == picked)
      return std::move(description);
  return nullptr;
}
