// What this machine does at best, for `moire bench --limits`.

#ifndef MOIRE_TOOLS_DRIVER_LIMITS_H
#define MOIRE_TOOLS_DRIVER_LIMITS_H

#include "bench/limits/Report.h"

#include "llvm/ADT/ArrayRef.h"

namespace moire::driver {

/// Measures with teams of these sizes (0: the default one), each once, by loops in assembly and by
/// code that is generated here. `brief`: for a moment each. Returns the exit code.
int measureLimits(llvm::ArrayRef<int64_t> teams, bool brief, limits::Report &report);

/// Starts a process that measures again, by the same loops, whenever the program asks that this
/// process becomes (runtime/main/BenchLimits.h), and ends with it. `source`: what the program has
/// to be given as --limits. Returns the exit code.
int measureAgain(const limits::Report &report, bool brief, std::string &source);

} // namespace moire::driver

#endif
