// moire: compiles language models into programs. Each verb is a file of tools/driver/.

#include "tools/driver/Console.h"
#include "tools/driver/Verbs.h"
#include "tools/driver/Version.h"

#include "llvm/Support/InitLLVM.h"

using namespace moire::driver;

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  llvm::SmallVector<llvm::StringRef> arguments(argv + (argc > 0), argv + argc);
  llvm::StringRef first = arguments.empty() ? "--help" : arguments.front();
  if (first == "--version") {
    print(versionText());
    return finishOutput(kDone);
  }
  if (first == "--help" || first == "-h" || first == "help") {
    print(helpText());
    return finishOutput(arguments.empty() ? kUsage : kDone);
  }
  const Verb *verb = findVerb(first);
  if (!verb)
    return complain(kUsage, unknownVerb(first));
  return verb->run(llvm::ArrayRef(arguments).drop_front());
}
