// The steps of one compilation. Pipeline.cpp puts them in order.

#ifndef MOIRE_TOOLS_DRIVER_COMPILATION_H
#define MOIRE_TOOLS_DRIVER_COMPILATION_H

#include "codegen/cpu/Compile.h"
#include "frontends/tokenizer/TokenizerImport.h"
#include "tools/driver/Pipeline.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <chrono>

namespace moire::driver {

class Compilation {
public:
  Compilation(const CompileRequest &request, CompileReport &report);

  // Each step returns kDone, or an exit code after having said why.
  int checkMachine();
  int openModel();
  int importModule();
  int optimize();
  /// Up to the last phase that is asked for; for an explanation up to that behind which kernels
  /// are no longer to be seen.
  int generateCode();
  /// Fills in the report's explanation.
  int explain();
  int writeIr();
  int writeText(llvm::StringRef text);
  int writeProgram();

  /// Whether `phase` was the last one that was asked for.
  bool stopsAfter(llvm::StringRef phase) const { return request.stop_after == phase; }
  const CompiledModel &compiled() const { return result; }

  /// Says that an error of ours happened, and writes what is needed to see it again: the command,
  /// and the IR before the phase. Returns kBug.
  int reportBug(llvm::StringRef what) const;

private:
  int addSyntheticWeights();
  int endPhase(llvm::StringRef phase);
  void endStep(llvm::StringRef step);
  std::string moduleText();
  void noteRoute();
  TensorFormats roundedTensors();
  int importTokenizer();

  const CompileRequest &request;
  CompileReport &report;
  const CompileOptions &options;

  Container container;
  std::unique_ptr<Description> description;
  Model model;
  ImportedTokenizer tokenizer;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  CompiledModel result;
  std::vector<int64_t> route; // experts of a token in each layer; empty: not handed out

  std::string beforePhase; // the module's text, for reportBug
  size_t phases = 0;       // that have ended
  std::chrono::steady_clock::time_point stepStart;
};

} // namespace moire::driver

#endif
