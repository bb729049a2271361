// Links generated code into an ELF image, in process, on a machine without a C compiler.
//
// A program is the stub (the runtime with its start files, prelinked when Moire was built) plus the
// generated object; of the system it needs the C library alone.

#ifndef MOIRE_CODEGEN_ARTIFACT_LINK_H
#define MOIRE_CODEGEN_ARTIFACT_LINK_H

#include "codegen/artifact/ArtifactError.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace moire {

using ByteVector = std::vector<uint8_t>;

/// Fails (exit code Bug, all offending names listed) if the ELF object `kernel` does not define
/// `moire_program`, or leaves a symbol open that neither the runtime's header nor the C library's
/// memory functions provide.
llvm::Error checkKernelSymbols(std::span<const uint8_t> kernel);

/// Where an installed Moire keeps the stub: ../lib/moire/moire-stub.o beside the running binary.
std::string defaultStubPath();

/// Links `kernel` (an ELF object, checked as above) with the stub into a position-independent
/// executable; `stub` is its path, empty for defaultStubPath(). The names of global functions stay
/// in it, the generated ones among them, so that profilers can say where a program is.
llvm::Expected<ByteVector> linkProgram(std::span<const uint8_t> kernel, const std::string &stub);

/// One relocatable object of several that call each other's functions.
llvm::Expected<ByteVector> mergeObjects(llvm::ArrayRef<std::span<const uint8_t>> objects);

/// Links `kernel` into a shared library that exports `moire_program`; `moire_barrier` is left to
/// whoever loads it. `soname` may be empty.
llvm::Expected<ByteVector> linkSharedLibrary(std::span<const uint8_t> kernel,
                                             const std::string &soname);

} // namespace moire

#endif
