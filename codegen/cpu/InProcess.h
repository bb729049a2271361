// Generated code without a program around it: the object's step functions in this very process.

#ifndef MOIRE_CODEGEN_CPU_INPROCESS_H
#define MOIRE_CODEGEN_CPU_INPROCESS_H

#include "runtime/Abi.h"

#include "llvm/Support/Error.h"

#include <memory>
#include <span>

namespace llvm::orc {
class LLJIT;
}

namespace moire::cpu {

class LoadedSteps {
public:
  /// Loads an object of emitObject(). `barrier` is what its code calls as moire_barrier. The
  /// processor must have the features that the code was generated for.
  static llvm::Expected<LoadedSteps> load(std::span<const char> object,
                                          void (*barrier)(void *barrier, int64_t thread));
  LoadedSteps(LoadedSteps &&);
  ~LoadedSteps();

  moire_step_fn one = nullptr;  // T = 1 and R = 1
  moire_step_fn many = nullptr; // any T and R

private:
  LoadedSteps();
  std::unique_ptr<llvm::orc::LLJIT> engine;
};

} // namespace moire::cpu

#endif
