// moire inspect: what a model, a description or a compiled program is, without running anything.

#include "frontends/native/Library.h"
#include "frontends/native/Parser.h"
#include "runtime/Loader.h"
#include "tools/driver/Arguments.h"
#include "tools/driver/Console.h"
#include "tools/driver/Programs.h"
#include "tools/driver/Summary.h"
#include "tools/driver/Verbs.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

#include <map>

namespace moire::driver {

static const char help[] = R"(Example: moire inspect SmolLM2-135M-Instruct.Q4_1.gguf

  moire inspect FILE   a GGUF file, a Hugging Face folder, a config.json without weights, a model
                       description (.moire), or a program that Moire compiled

  --model-description FILE  describes an architecture that Moire does not know
  --kv=f32|f16|bf16|int8    format of keys and values that is counted with (f16)
  --json                    the same as one JSON object
)";

/// Rows of text, or members of a JSON object: both say the same.
namespace {
class Facts {
public:
  void add(llvm::StringRef what, llvm::json::Value value, const std::string &text) {
    object[what] = std::move(value);
    line(what, text);
  }
  /// A row that is no member.
  void line(llvm::StringRef what, const std::string &text) {
    std::string label = what.str();
    std::replace(label.begin(), label.end(), '_', ' ');
    lines += llvm::formatv("{0,-22} {1}\n", label, text).str();
  }
  /// A member that is no row.
  void member(llvm::StringRef what, llvm::json::Value value) { object[what] = std::move(value); }

  int finish(bool json) {
    print(json ? llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object))).str() : lines);
    return finishOutput(kDone);
  }

private:
  llvm::json::Object object;
  std::string lines;
};
} // namespace

/// 1234567890 as "1.23 G".
static std::string countText(int64_t count) {
  double size = double(count);
  const char *unit = "";
  for (const char *next : {" k", " M", " G", " T"}) {
    if (size < 1000)
      break;
    size /= 1000;
    unit = next;
  }
  const char *form = !*unit || size >= 100 ? "{0:f0}{1}" : size < 10 ? "{0:f2}{1}" : "{0:f1}{1}";
  return llvm::formatv(form, size, unit).str();
}

static int64_t sumOf(const llvm::json::Object &bytesOfTypes) {
  int64_t sum = 0;
  for (const auto &[type, bytes] : bytesOfTypes)
    sum += bytes.getAsInteger().value_or(0);
  return sum;
}

/// "96.6 MB, f32 141 kB, q4_1 66.4 MB": bytes in all, then of each type, in the order of their
/// names.
static std::string typesText(const llvm::json::Object &types) {
  std::map<std::string, int64_t> bytes;
  int64_t sum = 0;
  for (const auto &[type, value] : types)
    sum += bytes[type.str()] = value.getAsInteger().value_or(0);
  std::string text = sizeText(sum);
  for (const auto &[type, size] : bytes)
    text += ", " + type + " " + sizeText(size);
  return text;
}

/// "64, 6 a token, in 27 of 28 layers", for each kind of layer.
static void addExperts(Facts &facts, const Summary &summary, int64_t layers) {
  llvm::json::Array kinds;
  std::string text;
  for (const ExpertLayers &kind : summary.expert_layers) {
    kinds.push_back(llvm::json::Object{
        {"experts", kind.experts}, {"chosen", kind.chosen}, {"layers", kind.layers}});
    text += llvm::formatv("{0}{1}, {2} a token, in {3} of {4} layers", text.empty() ? "" : "; ",
                          kind.experts, kind.chosen, kind.layers, layers)
                .str();
  }
  facts.add("experts", std::move(kinds), text);
}

static void addBits(Facts &facts, int64_t bytes, int64_t parameters) {
  if (parameters > 0)
    facts.add("bits_per_weight", 8 * static_cast<double>(bytes) / static_cast<double>(parameters),
              bitsText(bytes, parameters));
}

static int inspectModel(const std::string &path, const std::string &descriptionFile,
                        const std::string &kv, bool json) {
  Container container;
  ReadError error;
  if (!openContainer(path, container, error))
    return complain(error);
  std::unique_ptr<Description> description = findDescription(container, descriptionFile, error);
  if (!description)
    return complain(error);
  Model model;
  if (!applyDescription(*description, container, Weights::FromDescription, model, error))
    return complain(error);
  Summary summary = summarize(model, kv);

  Facts facts;
  facts.add("architecture", model.architecture,
            model.architecture + " (described by " + description->source.path + ")");
  facts.add("container", std::string(containerWord(container.kind)),
            std::string(containerWord(container.kind)) +
                (container.tensors.empty()
                     ? ", without weights"
                     : ", " + std::to_string(container.tensors.size()) + " tensors"));
  facts.add("layers", model.layers,
            std::to_string(model.layers) + " in " + std::to_string(model.classes.size()) +
                (model.classes.size() == 1 ? " class" : " classes"));
  facts.add("hidden", model.hidden, std::to_string(model.hidden));
  facts.add("vocabulary", model.vocabulary, std::to_string(model.vocabulary));
  facts.add("context", model.context, std::to_string(model.context));
  if (!summary.expert_layers.empty())
    addExperts(facts, summary, model.layers);
  bool allActive = summary.active_parameters == summary.parameters;
  facts.add(
      "parameters", summary.parameters,
      countText(summary.parameters) +
          (allActive ? "" : ", of which a token uses " + countText(summary.active_parameters)));
  facts.member("active_parameters", summary.active_parameters);
  llvm::json::Object types;
  for (const auto &[type, bytes] : summary.bytes_of_type)
    types[type] = bytes;
  std::string text = typesText(types);
  facts.add("weights", std::move(types), text);
  addBits(facts, summary.weight_bytes, summary.parameters);
  facts.add("kv_bytes_per_token", summary.kv_bytes_per_token,
            std::to_string(summary.kv_bytes_per_token) + " in " + kv);
  facts.member("operations_per_token", summary.operations_per_token);
  facts.member("operations_per_position", summary.operations_per_position);
  facts.line("operations per token", countText(summary.operations_per_token) + ", and " +
                                         countText(summary.operations_per_position) +
                                         " for each position of the context");
  return facts.finish(json);
}

static int inspectDescription(const std::string &path, bool json) {
  ReadError error;
  std::unique_ptr<Description> description = readDescription(path, error);
  if (!description)
    return complain(error);
  Facts facts;
  facts.add("model", description->name, description->name);
  llvm::json::Array containers;
  std::string text;
  for (const WeightsSection &section : description->weights) {
    std::string word(containerWord(section.container));
    containers.push_back(word);
    text += (text.empty() ? "" : ", ") + word + " (" + std::to_string(section.entries.size()) +
            " weights)";
  }
  facts.add("containers", std::move(containers), text);
  llvm::json::Array keys;
  std::string names;
  for (const ConfigEntry &entry : description->config) {
    keys.push_back(entry.name);
    names += (names.empty() ? "" : " ") + entry.name;
  }
  facts.add("config", std::move(keys), names);
  return facts.finish(json);
}

static int inspectProgram(const std::string &path, bool json) {
  ProgramFile file;
  std::string error;
  if (moire_status status = file.open(path.c_str(), error))
    return complain(status == MOIRE_ERROR_RESOURCES ? kOutOfResources : kBadInput, error);
  Facts facts;
  if (const SectionView *metadata = file.find("metadata")) {
    auto value = llvm::json::parse(llvm::StringRef(
        reinterpret_cast<const char *>(metadata->bytes.data()), metadata->bytes.size()));
    llvm::json::Object *object = value ? value->getAsObject() : nullptr;
    if (!object) {
      llvm::consumeError(value.takeError());
      return complain(kBadInput, path + ": its metadata is no JSON object; the file is damaged");
    }
    for (const char *key : {"name", "architecture", "source", "parameters", "weights",
                            "activations", "kv_type", "compiler", "options"})
      if (llvm::json::Value *found = object->get(key)) {
        auto string = found->getAsString();
        std::string text = string ? string->str() : llvm::formatv("{0}", *found).str();
        if (const llvm::json::Object *types = found->getAsObject())
          text = typesText(*types);
        facts.add(key, *found, text);
        const llvm::json::Object *types = found->getAsObject();
        if (llvm::StringRef(key) == "weights" && types)
          addBits(facts, sumOf(*types), object->getInteger("parameters").value_or(0));
      }
    if (llvm::json::Value *work = object->get("work"))
      facts.member("work", *work);
  }
  llvm::json::Array sections;
  for (const SectionView &section : file.sections()) {
    std::string checksum = llvm::formatv("{0:x-16}", section.checksum).str();
    sections.push_back(llvm::json::Object{{"name", section.name},
                                          {"offset", int64_t(section.offset)},
                                          {"bytes", int64_t(section.bytes.size())},
                                          {"checksum", checksum}});
    facts.line(
        std::string("section ") + section.name,
        llvm::formatv("{0} bytes at {1}, XXH3 {2}", section.bytes.size(), section.offset, checksum)
            .str());
  }
  facts.member("sections", std::move(sections));
  return facts.finish(json);
}

int runInspect(llvm::ArrayRef<llvm::StringRef> given) {
  bool json = false;
  std::string description, kv = "f16", error;
  std::optional<Arguments> arguments =
      parseArguments(given,
                     {flag("--json", json), text("--model-description", description),
                      choice("--kv", kv, {"f32", "f16", "bf16", "int8"})},
                     error);
  if (!arguments)
    return complain(kUsage, error);
  if (arguments->help) {
    print(help);
    return finishOutput(kDone);
  }
  if (arguments->positional.size() != 1)
    return complain(kUsage, "one file or folder: `moire inspect MODEL`");
  const std::string &path = arguments->positional.front();
  if (llvm::StringRef(path).ends_with(".moire"))
    return inspectDescription(path, json);
  if (isElf(path))
    return inspectProgram(path, json);
  return inspectModel(path, description, kv, json);
}

} // namespace moire::driver
