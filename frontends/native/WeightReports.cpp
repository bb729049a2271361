// What is said of tensors that are missing, do not fit, or are read by nothing: all at once.

#include "frontends/native/WeightTable.h"

using namespace moire;

std::string moire::spelledLayers(const std::vector<int64_t> &layers) {
  if (layers.empty() || layers.front() < 0)
    return "";
  std::string text;
  for (size_t n = 0; n < layers.size();) {
    size_t end = n + 1;
    while (end < layers.size() && layers[end] == layers[end - 1] + 1)
      ++end;
    if (n)
      text += end == layers.size() ? " and " : ", ";
    text += std::to_string(layers[n]);
    if (end - n > 1)
      text += "-" + std::to_string(layers[end - 1]);
    n = end;
  }
  return (layers.size() > 1 ? "layers " : "layer ") + text;
}

/// Whether `name` is `pattern`, in which `*` stands for any text.
static bool matchesPattern(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*')
    ++p;
  return p == pattern.size();
}

void WeightTable::addMissing(const WeightUse &use, const std::string &first, int64_t count,
                             SourceRange at) {
  Missing &kind = missing.try_emplace(use.pattern, Missing{at, first, {}, 0}).first->second;
  kind.layers.push_back(use.layer);
  kind.count += count;
}

void WeightTable::addUnfit(const std::string &key, int64_t layer, SourceRange at,
                           bool isUnsupported, const std::string &message) {
  std::vector<int64_t> &layers =
      unfit.try_emplace(key, Unfit{at, isUnsupported, message, {}}).first->second.layers;
  if (layers.empty() || layers.back() != layer)
    layers.push_back(layer);
}

/// Whether `known` holds `name` with one of its numbers as "{e}".
bool WeightTable::isKnownExpert(const std::string &name) const {
  auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
  for (size_t begin = 0; begin < name.size(); ++begin) {
    size_t end = begin;
    while (end < name.size() && isDigit(name[end]))
      ++end;
    if (end > begin && known.count(name.substr(0, begin) + "{e}" + name.substr(end)))
      return true;
    begin = end;
  }
  return false;
}

std::vector<std::string_view> WeightTable::unreadTensors() const {
  std::vector<std::string_view> unread;
  for (const auto &[name, tensor] : container.tensors) {
    bool expected = read.count(name) || known.count(name) || isKnownExpert(name);
    for (const std::string &pattern : section->ignored)
      expected |= matchesPattern(pattern, name);
    if (!expected)
      unread.push_back(name);
  }
  return unread;
}

void WeightTable::reportMissing() {
  std::vector<std::string_view> unread;
  if (!missing.empty())
    unread = unreadTensors();
  for (const auto &[pattern, entry] : missing) {
    std::string message =
        "the tensor " + quote(entry.first) + " is missing in " + quote(container.path);
    if (entry.count > static_cast<int64_t>(entry.layers.size()))
      message += ", and so are " + std::to_string(entry.count - 1) + " more of its kind" +
                 (entry.layers.size() > 1 ? " in " + spelledLayers(entry.layers) : "");
    else if (entry.layers.size() > 1)
      message +=
          ", and so are those of " + spelledLayers({entry.layers.begin() + 1, entry.layers.end()});
    std::string nearest = nearestName(entry.first, unread);
    if (!nearest.empty())
      message += "; the nearest that nothing reads is " + quote(nearest);
    diagnostics.error(entry.at, std::move(message));
  }
  for (const auto &[key, entry] : unfit) {
    std::string message = entry.message;
    if (entry.layers.size() > 1)
      message +=
          " (the same in " + spelledLayers({entry.layers.begin() + 1, entry.layers.end()}) + ")";
    if (entry.is_unsupported)
      diagnostics.unsupported(entry.at, std::move(message));
    else
      diagnostics.error(entry.at, std::move(message));
  }
}

/// Tensors whose names differ in their numbers only are of one kind.
static std::string withoutNumbers(std::string_view name) {
  std::string kind;
  for (char c : name)
    if (c < '0' || c > '9')
      kind += c;
    else if (kind.empty() || kind.back() != '#')
      kind += '#';
  return kind;
}

void WeightTable::reportUnexpected() {
  struct Kind {
    std::string_view first;
    size_t others = 0;
  };
  std::map<std::string, Kind> kinds;
  for (std::string_view name : unreadTensors()) {
    auto [found, isNew] = kinds.try_emplace(withoutNumbers(name), Kind{name});
    found->second.others += !isNew;
  }
  if (kinds.empty())
    return;
  // Nearest to what is missing, otherwise to what is there.
  std::vector<std::string_view> candidates;
  for (const auto &[pattern, entry] : missing)
    candidates.push_back(entry.first);
  if (candidates.empty())
    candidates.assign(read.begin(), read.end());

  constexpr size_t mostShown = 30;
  std::string message =
      quote(container.path) + " has tensors that nothing in the description reads:";
  size_t shown = 0;
  for (const auto &[key, kind] : kinds) {
    if (shown++ == mostShown) {
      message += "\n    and " + std::to_string(kinds.size() - mostShown) + " more kinds";
      break;
    }
    message += "\n    " + quote(kind.first);
    if (kind.others)
      message += " and " + std::to_string(kind.others) + " more of its kind";
    std::string nearest = nearestName(kind.first, candidates);
    if (!nearest.empty())
      message += " (nearest: " + quote(nearest) + ")";
  }
  message += "\n  Buffers that the model does without are named with `ignore`.";
  diagnostics.error({}, std::move(message));
}
