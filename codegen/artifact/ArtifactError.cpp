#include "codegen/artifact/ArtifactError.h"

#include <cerrno>
#include <cstring>

namespace moire {

char ArtifactError::ID = 0;

llvm::Error systemError(const std::string &what, int code) {
  bool full = code == ENOSPC || code == EDQUOT || code == EFBIG || code == ENOMEM;
  return artifactError(full ? ArtifactExit::OutOfResources : ArtifactExit::Failed,
                       "cannot " + what + ": " + std::strerror(code));
}

int takeError(llvm::Error error, std::string &message) {
  int exitCode = int(ArtifactExit::Failed);
  llvm::handleAllErrors(
      std::move(error),
      [&](const ArtifactError &e) {
        exitCode = e.exitCode();
        message = e.message();
      },
      [&](const llvm::ErrorInfoBase &e) { message = e.message(); });
  return exitCode;
}

} // namespace moire
