// moire compile: a model becomes a program.

#include "tools/driver/Console.h"
#include "tools/driver/Metadata.h"
#include "tools/driver/Pipeline.h"
#include "tools/driver/Verbs.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

namespace moire::driver {

static const char helpHead[] =
    R"(Example: moire compile SmolLM2-135M-Instruct.Q4_1.gguf -o smollm2 && ./smollm2 -p "Hello"

  moire compile MODEL [-o FILE]   MODEL: a GGUF file or a Hugging Face folder

  -o FILE                   the program (named after the model); text also to -, standard output
)";
static const char helpTail[] =
    R"(  --threads=N               threads that pack weights (the cores of this process)
  --emit=KIND               exe, obj, llvm, asm, mlir (after --stop-after, or optimize)
  --stop-after=PHASE        import, optimize, ... (a wrong name lists all); prints the IR
  --dump-phases=DIR         writes the IR after each phase to DIR
  --json                    a report on standard output: sizes and seconds
  --quiet                   no progress and no closing line
)";

static bool isSame(llvm::StringRef a, llvm::StringRef b) {
  bool same = false;
  return !llvm::sys::fs::equivalent(a, b, same) && same;
}

static std::string defaultOutput(const CompileRequest &request) {
  if (request.emit != Emit::Executable && request.emit != Emit::Object)
    return "-";
  const std::string &model = request.options.model;
  std::string name = programName(model) + (request.emit == Emit::Object ? ".o" : "");
  // A file whose name has no ending to leave out.
  if (isSame(name, model) && !llvm::sys::fs::is_directory(model))
    name += ".program";
  return name;
}

/// Whether a file called `name` in a Hugging Face folder is one that is read from there.
static bool belongsToModels(llvm::StringRef name) {
  return name.ends_with(".json") || name.ends_with(".safetensors") ||
         name == "chat_template.jinja" || name == "LICENSE";
}

/// Why the output cannot go where it is to go, or an empty string: nothing that is read is
/// overwritten.
static std::string checkOutput(const CompileRequest &request, bool named) {
  namespace fs = llvm::sys::fs;
  namespace path = llvm::sys::path;
  const std::string &output = request.output, &model = request.options.model;
  const std::string other = named ? "" : "; name another file with -o";
  if (output == "-")
    return "";
  if (isSame(output, model))
    return "-o: '" + output + "' is the model itself" + other;
  if (!request.options.description.empty() && isSame(output, request.options.description))
    return "-o: '" + output + "' is the model's description" + other;
  if (fs::is_directory(output))
    return "-o: '" + output + "' is a folder" + other;
  const bool isFolder = fs::is_directory(model);
  if (!isFolder && !llvm::StringRef(model).ends_with(".json"))
    return "";
  auto orHere = [](llvm::StringRef folder) { return folder.empty() ? "." : folder; };
  llvm::StringRef folder = isFolder ? llvm::StringRef(model) : orHere(path::parent_path(model));
  if (belongsToModels(path::filename(output)) && isSame(orHere(path::parent_path(output)), folder))
    return "-o: '" + output + "' is a file of the model" + other;
  return "";
}

static void printReport(const CompileRequest &request, const CompileReport &report) {
  llvm::json::Object seconds;
  for (const auto &[step, time] : report.seconds)
    seconds[step] = time;
  llvm::json::Object weights;
  for (const auto &[type, bytes] : report.summary.bytes_of_type)
    weights[type] = bytes;
  llvm::json::Object object{{"output", request.output},
                            {"bytes", int64_t(report.bytes)},
                            {"architecture", report.architecture},
                            {"parameters", report.summary.parameters},
                            {"weights", std::move(weights)},
                            {"kv_bytes_per_token", report.summary.kv_bytes_per_token},
                            {"seconds", std::move(seconds)}};
  print(llvm::formatv("{0:2}\n", llvm::json::Value(std::move(object))).str());
}

/// Fills in `request` from the command line. Returns why it is wrong, or an empty string.
static std::string readRequest(llvm::ArrayRef<llvm::StringRef> given, CompileRequest &request,
                               bool &json, bool &help) {
  std::string emit = "exe";
  std::vector<Option> options = compileOptions(request.options);
  options.push_back(text("-o", request.output));
  options.push_back(number("--threads", request.options.threads, 1, 1024));
  options.push_back(choice("--emit", emit, {"exe", "obj", "llvm", "asm", "mlir"}));
  options.push_back(choice("--stop-after", request.stop_after, phaseNames()));
  options.push_back(text("--dump-phases", request.dump_folder));
  options.push_back(flag("--json", json));
  std::string error;
  std::optional<Arguments> arguments = parseArguments(given, options, error);
  if (!arguments)
    return error;
  help = arguments->help;
  if (help)
    return "";
  if (arguments->positional.size() != 1 || !arguments->rest.empty())
    return arguments->positional.empty()
               ? "which model? `moire compile MODEL -o PROGRAM`"
               : "one model at a time, not also '" +
                     (arguments->rest.empty() ? arguments->positional[1] : arguments->rest[0]) +
                     "'";
  request.options.model = arguments->positional.front();
  request.command_line = "moire compile " + llvm::join(given, " ");

  if (!request.stop_after.empty() && emit != "exe" && emit != "mlir")
    return "--stop-after prints MLIR: it does not go with --emit=" + emit;
  if (emit == "mlir" && request.stop_after.empty())
    request.stop_after = "optimize";
  request.emit = !request.stop_after.empty() ? Emit::Mlir
                 : emit == "obj"             ? Emit::Object
                 : emit == "llvm"            ? Emit::LlvmIr
                 : emit == "asm"             ? Emit::Assembly
                                             : Emit::Executable;
  const bool named = !request.output.empty();
  if (!named)
    request.output = defaultOutput(request);
  if (request.output == "-" && request.emit == Emit::Executable)
    return "-o: a program cannot be written to standard output";
  if (request.output == "-" && json)
    return "--json: standard output is taken; name a file with -o";
  return checkOutput(request, named);
}

int runCompile(llvm::ArrayRef<llvm::StringRef> given) {
  CompileRequest request;
  CompileReport report;
  bool json = false, help = false;
  std::string error = readRequest(given, request, json, help);
  if (!error.empty())
    return complain(kUsage, error);
  if (help) {
    print(helpHead);
    print(compileOptionsHelp);
    print(helpTail);
    return finishOutput(kDone);
  }
  if (int code = compileModel(request, report))
    return code;
  if (json)
    printReport(request, report);
  else if (request.output != "-" && !request.options.quiet) {
    double total = 0;
    for (const auto &[step, time] : report.seconds)
      total += time;
    llvm::errs() << llvm::formatv("{0}: {1} in {2:f1} s\n", request.output, sizeText(report.bytes),
                                  total);
  }
  return finishOutput(kDone);
}

} // namespace moire::driver
