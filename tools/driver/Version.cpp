#include "tools/driver/Version.h"

#include "tools/driver/Identity.inc" // MOIRE_VERSION, MOIRE_COMMIT; made by identity.cmake
#include "llvm/Config/llvm-config.h"

namespace moire::driver {

std::string versionLine() { return "moire " MOIRE_VERSION " (" MOIRE_COMMIT ")"; }

std::string versionText() {
  return versionLine() + "\nLLVM and MLIR " LLVM_VERSION_STRING "\n"
#ifdef NDEBUG
                         "release build\n";
#else
                         "debug build, asserts on\n";
#endif
}

} // namespace moire::driver
