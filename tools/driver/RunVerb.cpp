// moire run: compiles a model into the cache, if it is not there yet, and becomes the program.

#include "tools/driver/Console.h"
#include "tools/driver/Programs.h"
#include "tools/driver/Verbs.h"

#include "llvm/ADT/StringExtras.h"

namespace moire::driver {

static const char helpHead[] =
    R"(Example: moire run SmolLM2-135M-Instruct.Q4_1.gguf -p "Give three primary colors."

  moire run MODEL [-p TEXT] [options] [-- options of the program]

Compiles MODEL, keeps the program (see `moire cache`), and runs it. Passed on to the program:
  -p TEXT, -n N, --temp T, --threads N     and everything after -- (try: moire run MODEL -- --help)

How the model is compiled:
)";
static const char helpTail[] = "  --quiet                   no progress and no notes\n";

int runRun(llvm::ArrayRef<llvm::StringRef> given) {
  CompileRequest request;
  std::vector<std::string> passedOn;
  std::vector<Option> options = compileOptions(request.options);
  for (llvm::StringRef name : {"-p", "--prompt", "-n", "--temp", "--threads"})
    options.push_back({name, true, [&passedOn, name](llvm::StringRef value) {
                         passedOn.push_back(name.str());
                         passedOn.push_back(value.str());
                         return std::string();
                       }});
  std::string error;
  std::optional<Arguments> arguments = parseArguments(given, options, error);
  if (!arguments)
    return complain(kUsage, error + " (options of the program go after --)");
  if (arguments->help) {
    print(helpHead);
    print(compileOptionsHelp);
    print(helpTail);
    return finishOutput(kDone);
  }
  if (arguments->positional.size() != 1)
    return complain(kUsage, arguments->positional.empty()
                                ? "which model? `moire run MODEL -p \"TEXT\"`"
                                : "one model at a time, not also '" + arguments->positional[1] +
                                      "'; a prompt is given with -p \"TEXT\"");
  request.options.model = arguments->positional.front();
  request.command_line = "moire run " + llvm::join(given, " ");
  passedOn.insert(passedOn.end(), arguments->rest.begin(), arguments->rest.end());

  std::string program;
  if (int code = findOrCompile(request, program))
    return code;
  return become(program, passedOn);
}

} // namespace moire::driver
