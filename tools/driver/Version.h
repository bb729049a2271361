// What this build of Moire is.

#ifndef MOIRE_TOOLS_DRIVER_VERSION_H
#define MOIRE_TOOLS_DRIVER_VERSION_H

#include <string>

namespace moire::driver {

/// "moire 0.1.0 (6203e9b)": the version, and the commit that it was built from.
std::string versionLine();

/// The text of --version: versionLine() and what it was built with.
std::string versionText();

} // namespace moire::driver

#endif
