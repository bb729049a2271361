// Compiled programs as files: told from models, found in the cache, started.

#ifndef MOIRE_TOOLS_DRIVER_PROGRAMS_H
#define MOIRE_TOOLS_DRIVER_PROGRAMS_H

#include "tools/driver/Pipeline.h"

namespace moire::driver {

/// Whether the file begins as an ELF file does: no model does.
bool isElf(const std::string &path);

/// Compiles the request's model into the cache, if it is not there yet. Returns the exit code; the
/// program is then at `path`.
int findOrCompile(CompileRequest &request, std::string &path);

/// Replaces this process by the program. Returns an exit code only if that fails.
int become(const std::string &program, const std::vector<std::string> &arguments);

} // namespace moire::driver

#endif
