// moire explain: what was decided about a model, without compiling it to the end.

#include "tools/driver/Console.h"
#include "tools/driver/Explanation.h"
#include "tools/driver/Pipeline.h"
#include "tools/driver/Verbs.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

namespace moire::driver {

static const char helpHead[] =
    R"(Example: moire explain SmolLM2-135M-Instruct.Q4_1.gguf --cpu=x86-64-v3

  moire explain MODEL   how each product is computed, what a token costs, what was fused or not, why

  --limits FILE             also ideal times; FILE: `moire bench --limits -o json > FILE`
  --threads=N               of the machine in FILE (1)
  --json                    the same as one JSON object
)";

/// Reads the limits of a team of `threads`. Returns the exit code.
static int readLimits(const std::string &path, int64_t threads, MachineLimits &limits) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return complain(kBadInput, "--limits: " + path + ": " + buffer.getError().message());
  std::string error;
  if (!parseLimits((*buffer)->getBuffer(), threads, limits, error))
    return complain(kBadInput, "--limits: " + path + ": " + error);
  if (limits.read == 0)
    return complain(kBadInput, "--limits: " + path + ": nothing was measured with " +
                                   std::to_string(threads) +
                                   (threads == 1 ? " thread" : " threads"));
  return kDone;
}

int runExplain(llvm::ArrayRef<llvm::StringRef> given) {
  CompileRequest request;
  std::string limitsFile, error;
  int64_t threads = 1;
  bool json = false;
  std::vector<Option> options = compileOptions(request.options);
  options.push_back(text("--limits", limitsFile));
  options.push_back(number("--threads", threads, 1, 1024));
  options.push_back(flag("--json", json));
  std::optional<Arguments> arguments = parseArguments(given, options, error);
  if (!arguments)
    return complain(kUsage, error);
  if (arguments->help) {
    print(helpHead);
    print(compileOptionsHelp);
    return finishOutput(kDone);
  }
  if (arguments->positional.size() != 1 || !arguments->rest.empty())
    return complain(
        kUsage,
        arguments->positional.empty()
            ? "which model? `moire explain MODEL`"
            : "one model at a time, not also '" +
                  (arguments->rest.empty() ? arguments->positional[1] : arguments->rest[0]) + "'");
  MachineLimits limits;
  if (!limitsFile.empty())
    if (int code = readLimits(limitsFile, threads, limits))
      return code;

  request.options.model = arguments->positional.front();
  request.command_line = "moire explain " + llvm::join(given, " ");
  request.emit = Emit::Explanation;
  CompileReport report;
  if (int code = compileModel(request, report))
    return code;
  const MachineLimits *known = limitsFile.empty() ? nullptr : &limits;
  print(json ? explanationJson(report.explanation, known)
             : explanationText(report.explanation, known));
  return finishOutput(kDone);
}

} // namespace moire::driver
