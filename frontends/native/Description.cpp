#include "frontends/native/Parser.h"

#include <cerrno>
#include <cstring>
#include <fstream>

using namespace moire;

std::string_view moire::containerWord(Container::Kind kind) {
  return kind == Container::Kind::Gguf ? "gguf" : "huggingface";
}

const ConfigEntry *Description::findConfig(std::string_view name) const {
  for (const ConfigEntry &entry : config)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

const Part *Description::findPart(std::string_view name) const {
  for (const Part &part : parts)
    if (part.name == name)
      return &part;
  return nullptr;
}

const WeightsSection *Description::findWeights(Container::Kind container) const {
  for (const WeightsSection &section : weights)
    if (section.container == container)
      return &section;
  return nullptr;
}

const WeightEntry &Description::shapeLine(const WeightEntry &entry) const {
  if (entry.shape.empty())
    for (const WeightsSection &section : weights)
      for (const WeightEntry &other : section.entries)
        if (other.name == entry.name && !other.shape.empty())
          return other;
  return entry;
}

std::unique_ptr<Description> moire::parseDescription(std::string path, std::string text,
                                                     ReadError &error) {
  auto description = std::make_unique<Description>();
  description->source = {std::move(path), std::move(text)};
  Diagnostics diagnostics(description->source);
  if (description->source.text.size() > maxDescriptionBytes) {
    diagnostics.error({}, "larger than a description can be (64 KiB)");
  } else {
    parseText(*description, diagnostics);
    if (diagnostics.ok())
      checkNames(*description, diagnostics);
  }
  if (diagnostics.ok())
    return description;
  error = diagnostics.report();
  return nullptr;
}

std::unique_ptr<Description> moire::readDescription(const std::string &path, ReadError &error) {
  std::ifstream file(path, std::ios::binary);
  std::string text(maxDescriptionBytes + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    error.kind = errno == ENOENT ? ReadError::Kind::BadInput : ReadError::Kind::Io;
    error.message = path + ": cannot be read as a model description: " + std::strerror(errno);
    return nullptr;
  }
  text.resize(static_cast<size_t>(file.gcount()));
  return parseDescription(path, std::move(text), error);
}
