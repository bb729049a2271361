// The verbs of the command line: a table, and a file for each.

#ifndef MOIRE_TOOLS_DRIVER_VERBS_H
#define MOIRE_TOOLS_DRIVER_VERBS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <string>

namespace moire::driver {

struct Verb {
  llvm::StringRef name;
  /// Takes the arguments after the verb; returns the exit code, having said why it is not 0.
  int (*run)(llvm::ArrayRef<llvm::StringRef> arguments);
};

int runCompile(llvm::ArrayRef<llvm::StringRef> arguments);
int runRun(llvm::ArrayRef<llvm::StringRef> arguments);
int runBench(llvm::ArrayRef<llvm::StringRef> arguments);
int runInspect(llvm::ArrayRef<llvm::StringRef> arguments);
int runExplain(llvm::ArrayRef<llvm::StringRef> arguments);
int runDiff(llvm::ArrayRef<llvm::StringRef> arguments);
int runCache(llvm::ArrayRef<llvm::StringRef> arguments);

/// The verb called `name`, or null.
const Verb *findVerb(llvm::StringRef name);
/// The message for a verb that does not exist, with the nearest one that does.
std::string unknownVerb(llvm::StringRef name);
/// The text of `moire --help`.
std::string helpText();

} // namespace moire::driver

#endif
