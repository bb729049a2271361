// What code is generated for: a CPU's name, its features, and the instruction table's rows it has.

#ifndef MOIRE_CODEGEN_CPU_MACHINE_H
#define MOIRE_CODEGEN_CPU_MACHINE_H

#include "codegen/cpu/Tuning.h"
#include "runtime/Abi.h"

#include "mlir/Support/LLVM.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>
#include <string>

namespace moire::cpu {

struct Machine {
  std::string cpu;      // LLVM's name, "native" resolved: "znver3", "x86-64-v3"
  int64_t features = 0; // bits of moire_cpu_feature
  std::unique_ptr<llvm::TargetMachine> target;

  /// A target as `target`, for another thread.
  std::unique_ptr<llvm::TargetMachine> newTarget() const;

  bool has(int64_t feature) const { return (features & feature) == feature; }

  /// Looks up `name` ("native", or any x86-64 CPU name that LLVM knows). `optLevel` is 0 … 3. Fails
  /// with `error` set for unknown names and for CPUs below x86-64-v3.
  static mlir::FailureOr<Machine> lookup(llvm::StringRef name, int optLevel, std::string &error);

  /// The instruction for products of rounded rows: of weights of `bits` (PanelInfo::dotBits) with
  /// int8, of 16 bits with bf16; "vfmadd" if the latter are to be computed in f32.
  llvm::StringRef chooseInstruction(int64_t bits) const;

  /// Why that is not the first row of the table for `bits`, or an empty string when it is.
  std::string whyNotFirst(int64_t bits) const;

  /// How packed panels of so many bytes are read for one row.
  Streams streams(int64_t panelBytes) const;

  /// How many vectors of 16 f32 the registers hold.
  int64_t vectors() const { return has(MOIRE_CPU_AVX512) ? kVectorsAvx512 : kVectorsAvx2; }
};

} // namespace moire::cpu

#endif
