// moire diff: where two programs part, layer by layer.

#include "frontends/weights/Safetensors.h"
#include "tools/driver/Arguments.h"
#include "tools/driver/Comparison.h"
#include "tools/driver/Console.h"
#include "tools/driver/Verbs.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cmath>

namespace moire::driver {

static const char help[] = R"(Example: moire diff ./before ./after -p "Give three primary colors."

  moire diff A B [-p TEXT | --token-ids 1,2,3] [-- options of both programs]

A and B: programs that Moire compiled, files that one wrote with --logits, or folders with golden
results (golden.json, golden.safetensors), which bring their own prompts. To see more than logits,
compile with --keep=hidden,route.

  -p, --prompt TEXT         the prompt, as each of the programs reads it
  --token-ids LIST          the prompt, as ids
  --number=N                which of the golden prompts (0)
  --tolerance=X             of differences, relative to the largest magnitude (1e-3)
  --json                    all that was found, as one JSON object

Exit status: 0 equal within the tolerance, 1 not, or where logits are infinite or NaN. Experts are
compared as sets; another set is a tie where the margin of the choice is known and below 1e-5, and
what follows a tie is not judged.
)";

namespace {
struct Request {
  std::vector<std::string> operands;
  std::string prompt, ids;
  std::vector<std::string> rest; // for the programs
  int64_t number = 0;
  double tolerance = 1e-3;
  bool json = false;
};
} // namespace

//===- Getting hold of the numbers ------------------------------------------------------------===//

static bool isFolder(const std::string &path) { return llvm::sys::fs::is_directory(path); }
static bool isFile(const std::string &path) {
  return llvm::StringRef(path).ends_with(".safetensors");
}

/// Fails with an exit code, having said why.
static int readTensors(const std::string &path, const std::string &prefix, Trace &trace) {
  std::map<std::string, TensorEntry> tensors;
  ReadError error;
  if (!readSafetensorsFile(path, tensors, error))
    return complain(error);
  std::string why;
  return readTrace(tensors, prefix, trace, why) ? kDone : complain(kBadInput, path + ": " + why);
}

/// The prompts of a golden folder, spelled as --token-ids takes them.
static int readPrompts(const std::string &folder, std::vector<std::string> &prompts) {
  const std::string path = folder + "/golden.json";
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return complain(kBadInput, path + ": " + buffer.getError().message() +
                                   "; a folder is one with golden.json and golden.safetensors");
  auto value = llvm::json::parse((*buffer)->getBuffer());
  if (!value)
    return complain(kBadInput, path + ": " + llvm::toString(value.takeError()));
  const llvm::json::Object *object = value->getAsObject();
  const llvm::json::Array *lists = object ? object->getArray("prompts") : nullptr;
  for (size_t i = 0; lists && i < lists->size(); ++i) {
    std::string &spelled = prompts.emplace_back();
    const llvm::json::Array *ids = (*lists)[i].getAsArray();
    for (size_t j = 0; ids && j < ids->size(); ++j)
      spelled += (j ? "," : "") + std::to_string((*ids)[j].getAsInteger().value_or(-1));
  }
  return prompts.empty() ? complain(kBadInput, path + ": has no \"prompts\"") : kDone;
}

/// Finds the golden prompt that is asked for, and makes it the programs' prompt.
static int chooseGolden(const std::string &folder, Request &request) {
  std::vector<std::string> prompts;
  if (int code = readPrompts(folder, prompts))
    return code;
  if (!request.ids.empty()) {
    auto found = std::find(prompts.begin(), prompts.end(), request.ids);
    if (found == prompts.end())
      return complain(kUsage, "--token-ids: " + folder + " has no results for these; without it " +
                                  "the programs get its own prompt (--number=N)");
    request.number = found - prompts.begin();
  }
  if (request.number >= static_cast<int64_t>(prompts.size()))
    return complain(kUsage, "--number: " + folder + " has the prompts 0 .. " +
                                std::to_string(prompts.size() - 1));
  request.ids = prompts[request.number];
  return kDone;
}

static int runProgram(const std::string &program, const Request &request, Trace &trace) {
  llvm::SmallString<128> file;
  if (std::error_code code = llvm::sys::fs::createTemporaryFile("moire-diff", "safetensors", file))
    return complain(kFailed, "no temporary file can be made: " + code.message());
  llvm::FileRemover remover(file);
  std::vector<llvm::StringRef> arguments = {program};
  if (request.ids.empty())
    arguments.insert(arguments.end(), {"--prompt", request.prompt});
  else
    arguments.insert(arguments.end(), {"--token-ids", request.ids});
  arguments.insert(arguments.end(), {"--logits", file, "-n", "0"});
  arguments.insert(arguments.end(), request.rest.begin(), request.rest.end());
  const std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), llvm::StringRef(),
                                                      std::nullopt};
  std::string error;
  int status = llvm::sys::ExecuteAndWait(program, arguments, std::nullopt, redirects, 0, 0, &error);
  if (status < 0)
    return complain(kBadInput, program + ": cannot be run: " + error);
  if (status > 0)
    return complain(status > kFailed ? status : kBadInput,
                    program + ": ended with status " + std::to_string(status));
  return readTensors(std::string(file), "", trace);
}

static int findTrace(const std::string &operand, const Request &request, Trace &trace) {
  if (isFolder(operand))
    return readTensors(operand + "/golden.safetensors", std::to_string(request.number) + ".",
                       trace);
  if (isFile(operand))
    return readTensors(operand, "", trace);
  return runProgram(operand, request, trace);
}

//===- Showing --------------------------------------------------------------------------------===//

static std::string differenceText(const std::optional<Difference> &difference) {
  if (!difference)
    return "";
  const double relative = difference->relative();
  return relative == 0 ? "0" : llvm::formatv("{0:e1}", relative).str();
}

static std::string setText(const std::vector<int32_t> &set) {
  std::string text;
  for (int32_t expert : set)
    text += (text.empty() ? "{" : ", ") + std::to_string(expert);
  return text + "}";
}

static void printChanged(const LayerComparison &layer) {
  constexpr size_t most = 3;
  for (const ChangedSet &changed : llvm::ArrayRef(layer.changed).take_front(most)) {
    std::string margin = "margin not known";
    if (changed.margin)
      margin = llvm::formatv("margin {0:e1}", *changed.margin).str();
    print(llvm::formatv("{0,24}token {1}: {2} and {3}, {4}{5}\n", "", changed.token,
                        setText(changed.a), setText(changed.b), margin,
                        changed.tie ? ": a tie" : "")
              .str());
  }
  if (layer.changed.size() > most)
    print(llvm::formatv("{0,24}and {1} more tokens (--json lists all)\n", "",
                        layer.changed.size() - most)
              .str());
}

static void printTable(const Comparison &comparison, double tolerance) {
  auto row = [&](const std::string &name, const std::string &difference, const std::string &rest) {
    std::string line = llvm::formatv("{0,-12} {1,9}  {2}", name, difference, rest).str();
    print(llvm::StringRef(line).rtrim(' ').str() + "\n");
  };
  const bool routed =
      llvm::any_of(comparison.layers, [](const LayerComparison &layer) { return layer.routed; });
  row(std::to_string(comparison.tokens) + " tokens", "apart", routed ? "experts" : "");
  if (comparison.embedding)
    row("embedding", differenceText(comparison.embedding), "");
  for (const auto &[i, layer] : llvm::enumerate(comparison.layers)) {
    std::string experts;
    if (layer.routed)
      experts = llvm::formatv("the same for {0} of {1} tokens",
                              layer.routed - int64_t(layer.changed.size()), layer.routed)
                    .str();
    if (layer.output || layer.routed)
      row("layer " + std::to_string(i), differenceText(layer.output), experts);
    printChanged(layer);
  }
  row("logits", differenceText(comparison.logits),
      llvm::formatv("KL {0:e1} on average, {1:e1} at most; another likeliest token at {2} of {3} "
                    "positions",
                    comparison.divergence, comparison.largestDivergence, comparison.otherLikeliest,
                    comparison.positions)
          .str());
  if (comparison.notNumbers)
    print(llvm::formatv("at {0} of {1} positions not all logits are finite numbers\n",
                        comparison.notNumbers, comparison.positions)
              .str());
  if (comparison.parting.empty() && !comparison.equal())
    return;
  print(comparison.parting.empty()
            ? llvm::formatv("equal within {0:e1}\n", tolerance).str()
            : llvm::formatv("they part in {0} (tolerance {1:e1})\n", comparison.parting, tolerance)
                  .str());
}

/// JSON has no infinity: null.
static llvm::json::Value real(double value) {
  return std::isfinite(value) ? llvm::json::Value(value) : llvm::json::Value(nullptr);
}

static llvm::json::Value differenceJson(const std::optional<Difference> &difference) {
  if (!difference)
    return nullptr;
  return llvm::json::Object{{"largest", real(difference->largest)},
                            {"absmax", difference->absmax},
                            {"relative", real(difference->relative())}};
}

static void printJson(const Comparison &comparison, double tolerance) {
  llvm::json::Array layers;
  for (const LayerComparison &layer : comparison.layers) {
    llvm::json::Array changed;
    for (const ChangedSet &set : layer.changed)
      changed.push_back(llvm::json::Object{
          {"token", set.token},
          {"a", llvm::json::Array(set.a)},
          {"b", llvm::json::Array(set.b)},
          {"margin", set.margin ? llvm::json::Value(*set.margin) : llvm::json::Value(nullptr)},
          {"tie", set.tie}});
    layers.push_back(llvm::json::Object{{"output", differenceJson(layer.output)},
                                        {"routed", layer.routed},
                                        {"changed", std::move(changed)}});
  }
  llvm::json::Object object{
      {"equal", comparison.equal()},
      {"parting", comparison.parting.empty() ? llvm::json::Value(nullptr)
                                             : llvm::json::Value(comparison.parting)},
      {"tolerance", tolerance},
      {"tokens", comparison.tokens},
      {"embedding", differenceJson(comparison.embedding)},
      {"layers", std::move(layers)},
      {"logits", llvm::json::Object{{"difference", differenceJson(comparison.logits)},
                                    {"positions", comparison.positions},
                                    {"kl_mean", real(comparison.divergence)},
                                    {"kl_largest", real(comparison.largestDivergence)},
                                    {"other_likeliest", comparison.otherLikeliest},
                                    {"not_numbers", comparison.notNumbers}}}};
  print(llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object))).str());
}

/// Says what has to be done to see more.
static void noteWhatIsMissing(const Request &request, const Trace (&traces)[2]) {
  for (size_t i = 0; i < 2; ++i) {
    const Trace &mine = traces[i], &other = traces[1 - i];
    const bool route = mine.routes.empty() && !other.routes.empty();
    if (mine.hidden.empty() || route)
      note(request.operands[i] + " does not hand out " +
           (mine.hidden.empty() ? "what enters each layer" : "its choice of experts") +
           ": compile it with --keep=hidden,route to see layer by layer where the two part");
  }
}

//===- The verb -------------------------------------------------------------------------------===//

/// Why the request is wrong, or an empty string.
static std::string checkRequest(const Arguments &arguments, Request &request) {
  request.operands.assign(arguments.positional.begin(), arguments.positional.end());
  request.rest.assign(arguments.rest.begin(), arguments.rest.end());
  if (request.operands.size() != 2)
    return "two programs, or a program and results: `moire diff A B -p \"TEXT\"`";
  if (!request.prompt.empty() && !request.ids.empty())
    return "-p and --token-ids: one prompt at a time";
  const bool golden = llvm::any_of(request.operands, isFolder);
  const bool program =
      !llvm::all_of(request.operands, [](auto &path) { return isFolder(path) || isFile(path); });
  if (golden && !request.prompt.empty())
    return "-p: golden results are for their own prompts (--number=N, --token-ids)";
  if (program && !golden && request.prompt.empty() && request.ids.empty())
    return "which prompt? -p \"TEXT\" or --token-ids 1,2,3";
  return "";
}

int runDiff(llvm::ArrayRef<llvm::StringRef> given) {
  Request request;
  std::string error;
  auto tolerance = [&](llvm::StringRef value) -> std::string {
    if (!value.getAsDouble(request.tolerance) && request.tolerance >= 0)
      return "";
    return "'" + value.str() + "' is no number from 0 on";
  };
  std::optional<Arguments> arguments = parseArguments(
      given,
      {text("-p", request.prompt), text("--prompt", request.prompt),
       text("--token-ids", request.ids), number("--number", request.number, 0, 1 << 20),
       Option{"--tolerance", true, tolerance}, flag("--json", request.json)},
      error);
  if (!arguments)
    return complain(kUsage, error + " (options of the programs go after --)");
  if (arguments->help) {
    print(help);
    return finishOutput(kDone);
  }
  error = checkRequest(*arguments, request);
  if (!error.empty())
    return complain(kUsage, error);
  for (const std::string &operand : request.operands) {
    if (!llvm::sys::fs::exists(operand))
      return complain(kBadInput, operand + ": there is no such file or folder");
    if (isFolder(operand))
      if (int code = chooseGolden(operand, request))
        return code;
  }

  Trace traces[2];
  for (size_t i = 0; i < 2; ++i)
    if (int code = findTrace(request.operands[i], request, traces[i]))
      return code;
  Comparison comparison;
  if (!compareTraces(traces[0], traces[1], request.tolerance, comparison, error))
    return complain(kBadInput, error);
  noteWhatIsMissing(request, traces);
  if (request.json)
    printJson(comparison, request.tolerance);
  else
    printTable(comparison, request.tolerance);
  return finishOutput(comparison.equal() ? kDone : kFailed);
}

} // namespace moire::driver
