#include "frontends/native/WeightTable.h"
#include "frontends/weights/Dequantize.h"

#include <algorithm>

using namespace moire;

static void replaceFirst(std::string &text, std::string_view place, int64_t number) {
  if (size_t at = text.find(place); at != std::string::npos)
    text.replace(at, place.size(), std::to_string(number));
}

std::string moire::tensorName(const std::string &pattern, int64_t layer, int64_t expert) {
  std::string name = pattern;
  if (layer >= 0)
    replaceFirst(name, "{i}", layer);
  if (expert >= 0)
    replaceFirst(name, "{e}", expert);
  return name;
}

std::string moire::spelledShape(const std::vector<int64_t> &shape) {
  std::string text;
  for (int64_t dimension : shape)
    text += (text.empty() ? "" : ", ") + std::to_string(dimension);
  return "[" + text + "]";
}

/// The name of the tensor with "{i}" for the layer's number, whatever the description calls it.
static std::string patternOf(const WeightEntry &entry, const WeightSource &source) {
  std::string pattern = source.tensor, place = "{" + entry.index + "}";
  if (size_t at = pattern.find(place); !entry.index.empty() && at != std::string::npos)
    pattern.replace(at, place.size(), "{i}");
  return pattern;
}

static bool isOneAnExpert(const std::string &pattern) {
  return pattern.find("{e}") != std::string::npos;
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
        known.insert(tensorName(patternOf(entry, source), layer));
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
  const WeightEntry &stated = description.shapeLine(entry);
  if (stated.shape.empty()) {
    diagnostics.error(entry.at, "no line states the shape of `" + entry.name + "`");
    return false;
  }
  for (const ExprPtr &expr : stated.shape) {
    Value value = config.evaluateInLayer(*expr, stated.index, layer);
    shape.push_back(config.dimension(*expr, value));
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return false;
  // Sizes that counts of bytes and operations can be made of, also without a file that bounds them.
  constexpr int64_t most = int64_t(1) << 40;
  int64_t elements = 1;
  for (int64_t dimension : shape)
    elements = elements > most / dimension ? most + 1 : elements * dimension;
  if (elements <= most)
    return true;
  diagnostics.error(stated.at, "`" + entry.name + "` has the shape " + spelledShape(shape) +
                                   "; a weight has at most 2^40 elements");
  return false;
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
    std::string pattern = patternOf(*entry, source);
    if (!last && !noTensors && !container.tensors.count(tensorName(pattern, layer, 0)))
      continue;
    auto weight = std::make_unique<ResolvedWeight>();
    weight->use.name = name;
    weight->use.pattern = std::move(pattern);
    weight->use.layer = layer;
    weight->use.at = source.at;
    if (!evaluateShape(*entry, layer, weight->use.shape) ||
        !placeRows(*weight, *entry, source, layer) ||
        !takeTensors(*weight, entry->optional, source.at))
      return nullptr;
    if (!weight->absent && entry->bias != WeightEntry::Bias::None)
      addBias(*weight, *entry);
    return weight;
  }
  return nullptr;
}

/// Where the rows of the weight stand in its tensor.
bool WeightTable::placeRows(ResolvedWeight &weight, const WeightEntry &entry,
                            const WeightSource &source, int64_t layer) {
  WeightUse &use = weight.use;
  if (source.interleaved) {
    Value heads = config.evaluateInLayer(*source.interleaved, entry.index, layer);
    use.interleaved_heads = config.dimension(*source.interleaved, heads);
    if (!use.interleaved_heads)
      return false;
    if (use.shape[0] % (2 * use.interleaved_heads) != 0) {
      diagnostics.error(source.interleaved->at, std::to_string(use.shape[0]) + " rows are not " +
                                                    heads.spelled() + " heads of an even size");
      return false;
    }
  }
  if (!source.first_row)
    return true;
  Value first = config.evaluateInLayer(*source.first_row, entry.index, layer);
  Value all = config.evaluateInLayer(*source.all_rows, entry.index, layer);
  use.all_rows = config.dimension(*source.all_rows, all);
  if (first.isError() || !use.all_rows)
    return false;
  int64_t rows = use.shape[use.shape.size() - 2];
  if (first.kind != Value::Kind::Integer || first.integer < 0 ||
      first.integer > use.all_rows - rows) {
    diagnostics.error(source.first_row->at, "rows " + first.spelled() + " to " + first.spelled() +
                                                " + " + std::to_string(rows) + " of " +
                                                std::to_string(use.all_rows) +
                                                ": there are no such rows");
    return false;
  }
  use.first_row = first.integer;
  return true;
}

void WeightTable::addBias(ResolvedWeight &weight, const WeightEntry &entry) {
  auto bias = std::make_unique<ResolvedWeight>();
  bias->use = weight.use;
  bias->use.name += "_bias";
  constexpr size_t suffix = sizeof ".weight" - 1;
  bias->use.pattern.replace(bias->use.pattern.size() - suffix, suffix, ".bias");
  bias->use.shape.resize(1);
  bool optional = entry.bias == WeightEntry::Bias::Optional;
  if (takeTensors(*bias, optional, weight.use.at) && !bias->absent) {
    Id id(bias->use.name, bias->use.layer);
    weight.bias = (resolved[id] = std::move(bias)).get();
  }
}

bool WeightTable::takeTensors(ResolvedWeight &weight, bool optional, SourceRange at) {
  WeightUse &use = weight.use;
  if (noTensors) {
    use.type = configType;
    weight.absent = optional;
    return true;
  }
  if (optional && !container.tensors.count(tensorName(use.pattern, use.layer, 0))) {
    weight.absent = true;
    return true;
  }
  if (isOneAnExpert(use.pattern))
    return takeExperts(weight, at);
  const TensorEntry *tensor = findTensor(use.pattern, use.layer);
  if (!tensor) {
    addMissing(use, tensorName(use.pattern, use.layer), 1, at);
    return false;
  }
  use.type = tensor->type;
  std::vector<int64_t> expected = use.shape;
  if (use.all_rows)
    expected[expected.size() - 2] = use.all_rows;
  return checkTensor(*tensor, expected, use, at);
}

/// A matrix for each expert. A file of N tensors holds those of at most N experts, so no more are
/// looked for, however many a config claims; and after N misses the rest is only counted.
bool WeightTable::takeExperts(ResolvedWeight &weight, SourceRange at) {
  WeightUse &use = weight.use;
  known.erase(tensorName(use.pattern, use.layer)); // more experts than these are a surprise
  auto most = static_cast<int64_t>(container.tensors.size());
  auto missed = missing.find(use.pattern);
  bool flooded = missed != missing.end() && missed->second.count > most;
  int64_t looked = flooded ? 0 : std::min(use.experts(), most);
  int64_t absent = use.experts() - looked;
  std::string firstAbsent = tensorName(use.pattern, use.layer, looked);
  const TensorEntry *first = nullptr;
  std::vector<int64_t> expected(use.shape.begin() + 1, use.shape.end());
  if (use.all_rows)
    expected[0] = use.all_rows;
  bool good = true;
  for (int64_t expert = 0; expert < looked; ++expert) {
    const TensorEntry *tensor = findTensor(use.pattern, use.layer, expert);
    if (!tensor) {
      if (absent++ == use.experts() - looked)
        firstAbsent = tensorName(use.pattern, use.layer, expert);
      continue;
    }
    if (!first) {
      first = tensor;
      use.type = tensor->type;
    }
    good &= checkTensor(*tensor, expected, use, at);
    if (tensor->type != first->type) {
      addUnfit(use.pattern + "types", use.layer, at, /*isUnsupported=*/true,
               "the experts of a layer are stored in one type; found: " +
                   std::string(storageTypeInfo(first->type).name) + " in the tensor " +
                   quote(first->name) + ", " + std::string(storageTypeInfo(tensor->type).name) +
                   " in " + quote(tensor->name));
      good = false;
    }
  }
  if (absent)
    addMissing(use, firstAbsent, absent, at);
  return good && !absent;
}

const TensorEntry *WeightTable::findTensor(const std::string &pattern, int64_t layer,
                                           int64_t expert) {
  auto found = container.tensors.find(tensorName(pattern, layer, expert));
  if (found == container.tensors.end())
    return nullptr;
  read.insert(found->first);
  return &found->second;
}

/// Leading dimensions of 1 mean nothing to the bytes: converters drop them.
static std::vector<int64_t> withoutLeadingOnes(std::vector<int64_t> shape) {
  while (shape.size() > 1 && shape.front() == 1)
    shape.erase(shape.begin());
  return shape;
}

bool WeightTable::checkTensor(const TensorEntry &tensor, const std::vector<int64_t> &expected,
                              const WeightUse &use, SourceRange at) {
  if (!isWeightType(tensor.type)) {
    addUnfit(use.pattern + "type", use.layer, at, /*isUnsupported=*/true,
             "the tensor " + quote(tensor.name) + " is stored as " +
                 std::string(storageTypeInfo(tensor.type).name) + ", which no weight can be");
    return false;
  }
  if (withoutLeadingOnes(tensor.shape) == withoutLeadingOnes(expected))
    return true;
  addUnfit(use.pattern + spelledShape(expected) + spelledShape(tensor.shape), use.layer, at,
           /*isUnsupported=*/false,
           "the description expects " + spelledShape(expected) +
               "; found: " + spelledShape(tensor.shape) + " in the tensor " + quote(tensor.name));
  return false;
}
