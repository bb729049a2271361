// What this machine does at best, for `moire bench --limits`.

#ifndef MOIRE_TOOLS_DRIVER_LIMITS_H
#define MOIRE_TOOLS_DRIVER_LIMITS_H

#include "bench/limits/Report.h"

#include "llvm/ADT/ArrayRef.h"

namespace moire::driver {

/// Measures with teams of these sizes (0: the default one), each once, by loops in assembly and by
/// code that is generated here. `brief`: for a moment each. Returns the exit code.
int measureLimits(llvm::ArrayRef<int64_t> teams, bool brief, limits::Report &report);

/// Puts text where a program that this process becomes can read it: the path of a file in memory
/// that has no other name and ends with the last process. Returns the exit code.
int passOn(llvm::StringRef text, std::string &path);

} // namespace moire::driver

#endif
