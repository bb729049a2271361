// moire bench: compiles a model into the cache, if it is not there yet, and lets the program
// measure itself; and what the machine does at best.

#include "runtime/Loader.h"
#include "runtime/main/BenchOptions.h"
#include "tools/driver/Console.h"
#include "tools/driver/Limits.h"
#include "tools/driver/Programs.h"
#include "tools/driver/Verbs.h"

#include "llvm/ADT/StringExtras.h"

namespace moire::driver {

static const char helpHead[] =
    R"(Example: moire bench SmolLM2-135M-Instruct.Q4_1.gguf -p 512 -n 128 -d 0,4096

  moire bench MODEL|PROGRAM [options]
  moire bench --limits [-t 1,2] [-o md|json]

Prints tokens per second. A list of numbers makes a test of each combination: "pp512" is a prompt of
512 tokens, "tg32 x8 @ d4096" 32 steps of 8 sequences that hold 4096 tokens each.
)";
static const char helpTail[] =
    R"(  --limits                  measure the machine first, print fractions of its bandwidth and peak
  --brief                   with --limits: a moment for each number, to see that it works

A MODEL is compiled first, and kept (see `moire cache`). How: `moire run --help` lists the options.
)";

/// Refuses files that only look like programs.
static int checkProgram(const std::string &path) {
  ProgramFile file;
  std::string error;
  moire_status status = file.open(path.c_str(), error);
  if (status == MOIRE_OK)
    return kDone;
  return complain(status == MOIRE_ERROR_RESOURCES ? kOutOfResources : kBadInput, error);
}

/// `moire bench --limits`, without a program.
static int printLimits(BenchOptions bench, bool brief) {
  if (bench.format != BenchFormat::Markdown && bench.format != BenchFormat::Json)
    return complain(kUsage, "limits are printed as md or json");
  bench.threads.push_back(1);
  limits::Report report;
  if (int code = measureLimits(bench.threads, brief, report))
    return code;
  print(bench.format == BenchFormat::Json ? toJson(report) : toMarkdown(report));
  return finishOutput(kDone);
}

/// Measures the machine for the teams of the benchmark, and lets the program ask again.
static int addLimits(const BenchOptions &bench, bool brief, std::vector<std::string> &arguments) {
  limits::Report report;
  if (int code = measureLimits(bench.threads, brief, report))
    return code;
  if (bench.format == BenchFormat::Markdown) {
    print(toMarkdown(report) + "\n");
    if (int code = finishOutput(kDone))
      return code;
  }
  std::string source;
  if (int code = measureAgain(report, brief, source))
    return code;
  arguments.insert(arguments.end(), {"--limits", source});
  return kDone;
}

int runBench(llvm::ArrayRef<llvm::StringRef> given) {
  CompileRequest request;
  bool wantsLimits = false, brief = false;
  std::vector<std::string> passedOn;
  std::vector<Option> options = compileOptions(request.options);
  for (const OptionName &option : benchOptionNames())
    for (llvm::StringRef name : {llvm::StringRef(option.name), llvm::StringRef(option.shortName)})
      if (!name.empty() && name != "--limits") // which takes no file here
        options.push_back({name, option.takes == Takes::Value,
                           [&passedOn, name, takes = option.takes](llvm::StringRef value) {
                             passedOn.push_back(name.str());
                             if (takes == Takes::Value)
                               passedOn.push_back(value.str());
                             return std::string();
                           }});
  options.push_back(flag("--limits", wantsLimits));
  options.push_back(flag("--brief", brief));
  std::string error;
  std::optional<Arguments> arguments = parseArguments(given, options, error);
  if (!arguments)
    return complain(kUsage, error);
  if (arguments->help) {
    print(helpHead);
    print(benchOptionsHelp);
    print(helpTail);
    return finishOutput(kDone);
  }
  // The program would say the same, but only when it is compiled.
  BenchOptions bench;
  if (!parseBenchOptions(passedOn, bench, error))
    return complain(kUsage, error);
  if (brief && !wantsLimits)
    return complain(kUsage, "--brief goes with --limits");
  if (wantsLimits && arguments->positional.empty())
    return printLimits(bench, brief);
  if (arguments->positional.size() != 1)
    return complain(kUsage,
                    arguments->positional.empty()
                        ? "which model or program? `moire bench MODEL -p 512 -n 128`"
                        : "one model at a time, not also '" + arguments->positional[1] + "'");
  if (!arguments->rest.empty())
    return complain(kUsage, "nothing may follow `--` here: '" + arguments->rest.front() + "'");

  request.options.model = arguments->positional.front();
  request.command_line = "moire bench " + llvm::join(given, " ");
  std::string program = request.options.model;
  if (isElf(program)) {
    if (std::string spelled = request.options.spelled(); !spelled.empty())
      return complain(kUsage, program + " is compiled already; " + spelled + " comes too late");
    if (int code = checkProgram(program))
      return code;
  } else if (int code = findOrCompile(request, program)) {
    return code;
  }
  if (wantsLimits)
    if (int code = addLimits(bench, brief, passedOn))
      return code;
  passedOn.insert(passedOn.begin(), "--bench");
  return become(program, passedOn);
}

} // namespace moire::driver
