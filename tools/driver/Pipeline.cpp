#include "tools/driver/Pipeline.h"

#include "tools/driver/Compilation.h"
#include "tools/driver/Console.h"

#include "llvm/Support/CrashRecoveryContext.h"

#include <cstdlib>

namespace moire::driver {

std::vector<llvm::StringRef> phaseNames() {
  std::vector<llvm::StringRef> names = {"import", "optimize"};
  llvm::ArrayRef<llvm::StringRef> cpu = cpuPhases();
  names.insert(names.end(), cpu.begin(), cpu.end());
  return names;
}

static int runSteps(Compilation &compilation, Emit emit) {
  // A CPU that cannot be compiled for is known before anything is read.
  if (int code = compilation.checkMachine())
    return code;

  // Names, shapes and recipes enter the IR; the weights' bytes stay in the mapped file.
  if (int code = compilation.openModel())
    return code;
  if (int code = compilation.importModule())
    return code;
  if (compilation.stopsAfter("import"))
    return compilation.writeIr();

  // Everything that needs no target comes first, so that it is the same for all of them.
  if (int code = compilation.optimize())
    return code;
  if (compilation.stopsAfter("optimize"))
    return compilation.writeIr();

  // Generates code and decides where each weight lies in the program; nothing is packed yet.
  if (int code = compilation.generateCode())
    return code;
  switch (emit) {
  case Emit::Explanation:
    return compilation.explain();
  case Emit::Mlir:
    return compilation.writeIr();
  case Emit::LlvmIr:
    return compilation.writeText(compilation.compiled().llvmIr);
  case Emit::Assembly:
    return compilation.writeText(compilation.compiled().assembly);
  case Emit::Object:
    return compilation.writeText(
        {compilation.compiled().object.data(), compilation.compiled().object.size()});
  case Emit::Executable:
    // Last, since this is where the time of a large model goes: its weights are packed while they
    // are written.
    return compilation.writeProgram();
  }
  llvm_unreachable("every kind of output is handled");
}

int compileModel(const CompileRequest &request, CompileReport &report) {
  auto compilation = std::make_unique<Compilation>(request, report);
  int code = kBug;
  // LLVM's code generator ends the process when it is given what it cannot do. That is our mistake,
  // and has to be reported as one.
  llvm::CrashRecoveryContext::Enable();
  llvm::CrashRecoveryContext recovery;
  if (recovery.RunSafely([&] { code = runSteps(*compilation, request.emit); }))
    return code;
  code = compilation->reportBug("the compiler crashed");
  // What crashed has left its data in any state: no destructor may touch it.
  std::_Exit(code);
}

} // namespace moire::driver
