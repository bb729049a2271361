#include "frontends/native/WeightTable.h"

#include <algorithm>

using namespace moire;

std::string moire::tensorName(const std::string &pattern, int64_t layer) {
  size_t open = pattern.find('{');
  size_t close = pattern.find('}', open);
  if (layer < 0 || open == std::string::npos || close == std::string::npos)
    return pattern;
  return pattern.substr(0, open) + std::to_string(layer) + pattern.substr(close + 1);
}

std::string moire::spelledShape(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t dimension : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(dimension);
  return "[" + text + "]";
}

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

/// `pattern` with "{i}" for the layer's number, whatever the description calls it.
static std::string withIndex(const std::string &pattern) {
  size_t open = pattern.find('{'), close = pattern.find('}', open);
  if (open == std::string::npos || close == std::string::npos)
    return pattern;
  return pattern.substr(0, open) + "{i}" + pattern.substr(close + 1);
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

WeightTable::WeightTable(const Description &description, const Container &container,
                         Weights weights, ConfigValues &config, Diagnostics &diagnostics)
    : description(description), container(container),
      section(description.findWeights(container.kind)),
      noTensors(weights == Weights::FromDescription && container.tensors.empty()), config(config),
      diagnostics(diagnostics) {
  for (const char *key : {"torch_dtype", "dtype"}) {
    auto found = container.metadata.find(key);
    const auto *type = found == container.metadata.end()
                           ? nullptr
                           : std::get_if<std::string>(&found->second.value);
    if (type && *type == "bfloat16")
      configType = StorageType::BF16;
    else if (type && *type == "float16")
      configType = StorageType::F16;
  }
}

const ResolvedWeight *WeightTable::resolve(const std::string &name, int64_t layer) {
  auto [found, isNew] = resolved.try_emplace({name, layer});
  if (isNew)
    found->second = make(name, layer);
  return found->second.get();
}

const WeightEntry *WeightTable::pickEntry(const std::string &name, int64_t layer) {
  const WeightEntry *picked = nullptr;
  bool failed = false;
  for (const WeightEntry &entry : section->entries) {
    if (entry.name != name)
      continue;
    // What another line would have taken is no surprise in the file.
    for (const WeightSource &source : entry.sources)
      if (!source.tensor.empty())
        known.insert(tensorName(source.tensor, layer));
    if (picked || failed)
      continue;
    if (!entry.condition) {
      picked = &entry;
      continue;
    }
    Value value = config.evaluateInLayer(*entry.condition, entry.index, layer);
    if (value.kind == Value::Kind::Bool) {
      picked = value.boolean ? &entry : nullptr;
    } else {
      failed = true;
      if (!value.isError())
        diagnostics.error(entry.condition->at, "expected a condition; found: " + value.spelled());
    }
  }
  if (!picked && !failed)
    diagnostics.error(section->at, "no line for `" + name + "` holds here");
  return picked;
}

bool WeightTable::evaluateShape(const WeightEntry &entry, int64_t layer,
                                std::vector<int64_t> &shape) {
  const WeightEntry *stated = &entry;
  // A weight has one shape, however many lines name it: whichever line states it speaks for all.
  for (const WeightsSection &other : description.weights)
    for (const WeightEntry &candidate : other.entries)
      if (stated->shape.empty() && candidate.name == entry.name && !candidate.shape.empty())
        stated = &candidate;
  if (stated->shape.empty()) {
    diagnostics.error(entry.at, "no line states the shape of `" + entry.name + "`");
    return false;
  }
  for (const ExprPtr &expr : stated->shape) {
    Value value = config.evaluateInLayer(*expr, stated->index, layer);
    shape.push_back(config.dimension(*expr, value));
  }
  return std::find(shape.begin(), shape.end(), 0) == shape.end();
}

std::unique_ptr<ResolvedWeight> WeightTable::make(const std::string &name, int64_t layer) {
  const WeightEntry *entry = pickEntry(name, layer);
  if (!entry)
    return nullptr;
  for (const WeightSource &source : entry->sources) {
    bool last = &source == &entry->sources.back();
    if (!source.weight.empty()) {
      // The same tensor under another name.
      const ResolvedWeight *other = resolve(source.weight, -1);
      return other ? std::make_unique<ResolvedWeight>(*other) : nullptr;
    }
    if (!last && !noTensors && !container.tensors.count(tensorName(source.tensor, layer)))
      continue;
    auto weight = std::make_unique<ResolvedWeight>();
    weight->use.name = name;
    weight->use.pattern = withIndex(source.tensor);
    weight->use.layer = layer;
    weight->use.at = source.at;
    if (!evaluateShape(*entry, layer, weight->use.shape))
      return nullptr;
    if (source.interleaved) {
      Value heads = config.evaluateInLayer(*source.interleaved, entry->index, layer);
      weight->use.interleaved_heads = config.dimension(*source.interleaved, heads);
      if (!weight->use.interleaved_heads)
        return nullptr;
      if (weight->use.shape[0] % (2 * weight->use.interleaved_heads) != 0) {
        diagnostics.error(source.interleaved->at, std::to_string(weight->use.shape[0]) +
                                                      " rows are not " + heads.spelled() +
                                                      " heads of an even size");
        return nullptr;
      }
    }
    if (!takeTensor(*weight, *entry, source.at))
      return nullptr;
    if (!weight->absent && entry->bias != WeightEntry::Bias::None)
      addBias(*weight, *entry);
    return weight;
  }
  return nullptr;
}

void WeightTable::addBias(ResolvedWeight &weight, const WeightEntry &entry) {
  auto bias = std::make_unique<ResolvedWeight>();
  bias->use = weight.use;
  bias->use.name += "_bias";
  constexpr size_t suffix = sizeof ".weight" - 1;
  bias->use.pattern.replace(bias->use.pattern.size() - suffix, suffix, ".bias");
  bias->use.shape.resize(1);
  bool needed = entry.bias == WeightEntry::Bias::Required;
  WeightEntry rule;
  rule.optional = !needed;
  if (takeTensor(*bias, rule, weight.use.at) && !bias->absent) {
    Id id(bias->use.name, bias->use.layer);
    weight.bias = (resolved[id] = std::move(bias)).get();
  }
}

bool WeightTable::takeTensor(ResolvedWeight &weight, const WeightEntry &entry, SourceRange at) {
  WeightUse &use = weight.use;
  if (noTensors) {
    use.type = configType;
    weight.absent = entry.optional;
    return true;
  }
  std::string name = tensorName(use.pattern, use.layer);
  auto found = container.tensors.find(name);
  if (found == container.tensors.end()) {
    if (entry.optional) {
      weight.absent = true;
      return true;
    }
    Missing &kind = missing.try_emplace(use.pattern, Missing{at, name, {}}).first->second;
    kind.layers.push_back(use.layer);
    return false;
  }
  const TensorEntry &tensor = found->second;
  read.insert(name);
  use.type = tensor.type;
  if (tensor.type > StorageType::Q8_0) {
    diagnostics.unsupported(at, "the tensor " + quote(name) + " is stored as " +
                                    std::string(storageTypeInfo(tensor.type).name) +
                                    ", which no weight can be");
    return false;
  }
  if (tensor.shape == use.shape)
    return true;
  std::string message = "the description expects " + spelledShape(use.shape) +
                        "; found: " + spelledShape(tensor.shape) + " in the tensor " + quote(name);
  std::string key = use.pattern + spelledShape(use.shape) + spelledShape(tensor.shape);
  misshapen.try_emplace(key, Misshapen{at, message, {}}).first->second.layers.push_back(use.layer);
  return false;
}

std::vector<std::string_view> WeightTable::unreadTensors() const {
  std::vector<std::string_view> unread;
  for (const auto &[name, tensor] : container.tensors) {
    bool expected = read.count(name) || known.count(name);
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
    if (entry.layers.size() > 1)
      message +=
          ", and so are those of " + spelledLayers({entry.layers.begin() + 1, entry.layers.end()});
    std::string nearest = nearestName(entry.first, unread);
    if (!nearest.empty())
      message += "; the nearest that nothing reads is " + quote(nearest);
    diagnostics.error(entry.at, std::move(message));
  }
  for (const auto &[key, entry] : misshapen)
    diagnostics.error(entry.at,
                      entry.layers.size() > 1
                          ? entry.message + " (the same in " +
                                spelledLayers({entry.layers.begin() + 1, entry.layers.end()}) + ")"
                          : entry.message);
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
