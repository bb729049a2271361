// The code that is generated for a small model, as text.

#ifndef MOIRE_TEST_CODEGEN_CPU_ASSEMBLY_H
#define MOIRE_TEST_CODEGEN_CPU_ASSEMBLY_H

#include "codegen/cpu/Compile.h"

#include "llvm/ADT/StringRef.h"

#include <string>
#include <vector>

namespace moire::test {

/// Inputs/model.mlir with weights of `format` (bf16: with rows of bf16, too), compiled for a CPU,
/// with its assembly.
CompiledModel compileModel(const std::string &format, const std::string &cpu, bool profile = false);

/// Its assembly, line by line without comments.
std::vector<std::string> assemblyOf(const std::string &format, const std::string &cpu);

/// Whether a line is an instruction, and no label or directive.
bool isInstruction(llvm::StringRef line);

} // namespace moire::test

#endif
