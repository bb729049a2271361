// The main function of every compiled program.

#include "runtime/main/Console.h"
#include "runtime/main/Modes.h"
#include "runtime/main/Profiler.h"

#include <cstring>

static int runMode(moire::Program &program) {
  using namespace moire;
  switch (program.options.mode) {
  case Mode::Generate:
    return runGenerate(program);
  case Mode::Tokenize:
    return runTokenize(program);
  case Mode::Detokenize:
    return runDetokenize(program);
  case Mode::Perplexity:
    return runPerplexity(program);
  case Mode::Bench:
    return runBench(program);
  case Mode::Info:
    return runInfo(program);
  case Mode::Verify:
    return runVerify(program);
  case Mode::Licenses:
    return runLicenses(program);
  case Mode::Version:
    return runVersion(program);
  case Mode::Help:
    break;
  }
  __builtin_unreachable();
}

int main(int argc, char **argv) {
  using namespace moire;
  const char *name = argc > 0 && argv[0][0] ? argv[0] : "program";
  if (const char *slash = strrchr(name, '/'))
    name = slash + 1;
  Program program;
  std::string error;
  if (!parseOptions(std::vector<std::string>(argv + (argc > 0), argv + argc), program.options,
                    error))
    return complain(kUsage, error);
  const bool benchHelp = program.options.bench.help;
  if (benchHelp || program.options.mode == Mode::Help) {
    print(benchHelp ? benchHelpText(name) : helpText(name));
    return finishOutput();
  }
  if (int code = program.open())
    return code;
  if (int code = Profiler::check(program))
    return code;
  int code = runMode(program);
  return program.profiler ? program.profiler->report(code) : code;
}
