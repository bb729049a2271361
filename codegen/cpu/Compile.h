// From an optimized module to object code for a CPU: the phases after `optimize`.

#ifndef MOIRE_CODEGEN_CPU_COMPILE_H
#define MOIRE_CODEGEN_CPU_COMPILE_H

#include "codegen/artifact/Packing.h"
#include "runtime/ProfiledRegion.h"
#include "runtime/Work.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Support/LLVM.h"

#include <string>
#include <vector>

namespace moire {

struct CpuOptions {
  std::string cpu = "native"; // or an x86-64 CPU name that LLVM knows
  int optLevel = 3;           // 0 … 3
  int64_t kvPage = 0;         // positions in a KV page, a multiple of 16; 0: the default
  bool profile = false;       // time stamps around every kernel
  std::string stopAfter;      // name of a phase; the module is left as it is then
  std::string dumpDirectory;  // a file NN-phase.mlir after each phase, if not empty
};

/// What comes out beside the module. Weights and work are known whatever phase is the last.
struct CompiledModel {
  std::vector<char> object;            // ELF relocatable; defines moire_program
  std::vector<PackedWeight> weights;   // laid out; tensors point into the container
  int64_t weightBytes = 0;             // of the weights section
  Work work;                           // what a step cannot do without
  std::vector<ProfiledRegion> regions; // by number; empty without CpuOptions::profile
  std::string llvmIr, assembly;        // filled when asked for
  bool wantLlvmIr = false, wantAssembly = false;
};

/// Names of the phases, in order.
llvm::ArrayRef<llvm::StringRef> cpuPhases();

/// Registers the dialects and interfaces that the phases create. The context that compileForCpu
/// works in must have loaded them.
void registerCpuDialects(mlir::DialectRegistry &registry);

/// Runs the phases on `module` (contract: frontends/native). Errors are diagnostics on the module's
/// context. The container must outlive `result.weights`.
mlir::LogicalResult compileForCpu(mlir::ModuleOp module, const Container &container,
                                  const CpuOptions &options, CompiledModel &result);

} // namespace moire

#endif
