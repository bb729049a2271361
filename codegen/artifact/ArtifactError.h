// Errors of this folder: a message for the user and the exit code that it leads to.

#ifndef MOIRE_CODEGEN_ARTIFACT_ARTIFACTERROR_H
#define MOIRE_CODEGEN_ARTIFACT_ARTIFACTERROR_H

#include "llvm/Support/Error.h"

#include <string>

namespace moire {

/// Exit codes of the command line that making an artifact can lead to.
enum class ArtifactExit : int { Failed = 1, Usage = 2, OutOfResources = 5, Bug = 70 };

class ArtifactError : public llvm::ErrorInfo<ArtifactError> {
public:
  static char ID;

  ArtifactError(ArtifactExit exit, std::string message) : exit(exit), text(std::move(message)) {}

  int exitCode() const { return int(exit); }
  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override { return llvm::inconvertibleErrorCode(); }

private:
  ArtifactExit exit;
  std::string text;
};

/// "cannot <what>: <strerror(code)>"; a full disk or quota leads to OutOfResources.
llvm::Error systemError(const std::string &what, int code);

inline llvm::Error artifactError(ArtifactExit exit, std::string message) {
  return llvm::make_error<ArtifactError>(exit, std::move(message));
}

/// Consumes `error`; returns its exit code and puts its text into `message`.
int takeError(llvm::Error error, std::string &message);

} // namespace moire

#endif
