// A compilation from the model's file to the finished program: the one place that strings the
// phases together.

#ifndef MOIRE_TOOLS_DRIVER_PIPELINE_H
#define MOIRE_TOOLS_DRIVER_PIPELINE_H

#include "tools/driver/CompileOptions.h"
#include "tools/driver/Explanation.h"
#include "tools/driver/Summary.h"

namespace moire::driver {

enum class Emit : uint8_t {
  Executable,
  Object,      // the generated code alone, as a relocatable ELF file
  LlvmIr,      // text, after LLVM's optimizer
  Assembly,    // text
  Mlir,        // text, after the phase `stop_after`
  Explanation, // nothing: the report has an explanation
};

struct CompileRequest {
  CompileOptions options;
  std::string output; // a file; for what is text also "-", standard output
  Emit emit = Emit::Executable;
  std::string stop_after;   // the last phase that runs (Emit::Mlir); empty: all
  std::string dump_folder;  // receives the IR after each phase; empty: none
  std::string command_line; // as typed, for a report about an error of ours
};

struct CompileReport {
  std::string architecture;
  Summary summary;
  uint64_t bytes = 0;                                  // of the output
  std::vector<std::pair<std::string, double>> seconds; // by step, in order
  Explanation explanation;                             // with Emit::Explanation
};

/// Names of the phases, in order: import, optimize, then those of the code generator.
std::vector<llvm::StringRef> phaseNames();

/// Compiles. Returns the exit code; what went wrong was said on standard error. An error of ours
/// (kBug) leaves a file in the current folder with all that is needed to see it again. After a
/// crash in the compiler the process ends here.
int compileModel(const CompileRequest &request, CompileReport &report);

} // namespace moire::driver

#endif
