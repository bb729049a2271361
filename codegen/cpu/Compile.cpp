// The phases of CPU code generation, in order. Why this order:
//
//   specialize  first, since one token and many are scheduled differently;
//   schedule    decides destinations, so that no copy is ever needed; only now do tensors end;
//   plan        needs every buffer and every use of it;
//   team        needs places, because two buffers in the same bytes conflict; time stamps come
//               behind the barriers, which are worth a time of their own;
//   expand      last on our own operations: a kernel's loops say nothing that the others need;
//   lower       is upstream's conversion to LLVM.

#include "codegen/cpu/Compile.h"
#include "codegen/cpu/Emitter.h"
#include "codegen/cpu/Phases.h"
#include "codegen/cpu/Tuning.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace mlir;

namespace moire {

using namespace cpu;

static constexpr StringRef kPhases[] = {"specialize", "schedule", "plan",
                                        "team",       "expand",   "lower"};

ArrayRef<StringRef> cpuPhases() { return kPhases; }

void registerCpuDialects(DialectRegistry &registry) {
  registry.insert<arith::ArithDialect, cf::ControlFlowDialect, func::FuncDialect, LLVM::LLVMDialect,
                  math::MathDialect, memref::MemRefDialect, moe::MoeDialect, scf::SCFDialect,
                  tensor::TensorDialect, tile::TileDialect, vector::VectorDialect>();
}

// Checks at the end of a phase what its name promises.
static LogicalResult checkPhase(ModuleOp module, StringRef phase) {
  if (failed(verify(module)))
    return module.emitError() << "phase " << phase << " left invalid IR";
  WalkResult result = module.walk([&](Operation *op) -> WalkResult {
    StringRef dialect = op->getName().getDialectNamespace();
    bool tensors = phase != "specialize" && dialect == "moe";
    bool kernels = phase == "lower" && dialect != "llvm" && !isa<ModuleOp>(op);
    auto alloc = dyn_cast<tile::AllocOp>(op);
    bool unplanned = alloc && phase != "schedule" && !alloc.getOffset();
    if (!tensors && !kernels && !unplanned)
      return WalkResult::advance();
    return op->emitError() << "left over after phase " << phase;
  });
  return failure(result.wasInterrupted());
}

static LogicalResult dump(ModuleOp module, StringRef directory, int number, StringRef phase) {
  if (directory.empty())
    return success();
  llvm::sys::fs::create_directories(directory);
  SmallString<128> path(directory);
  llvm::sys::path::append(path, (number < 10 ? "0" : "") + std::to_string(number) + "-" +
                                    phase.str() + ".mlir");
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (error)
    return module.emitError() << "cannot write " << path << ": " << error.message();
  module.print(out);
  return success();
}

LogicalResult compileForCpu(ModuleOp module, const Container &container, const CpuOptions &options,
                            CompiledModel &result) {
  std::string error;
  FailureOr<Machine> machine = Machine::lookup(options.cpu, options.optLevel, error);
  if (failed(machine))
    return module.emitError() << error;
  Plan plan;
  int64_t page = options.kvPage ? options.kvPage : kKvPage;
  if (page % kLanes)
    return module.emitError() << "a KV page has a multiple of " << kLanes << " positions, not "
                              << page;
  if (failed(describeProgram(module, page, plan)) ||
      failed(planWeights(module, container, *machine, plan)))
    return failure();
  tallyWork(module, *machine, plan);
  result.weights = plan.weights;
  result.weightBytes = plan.weightBytes;
  result.work = std::move(plan.work);

  auto run = [&](StringRef phase) -> LogicalResult {
    if (phase == "specialize")
      return specialize(module);
    if (phase == "schedule")
      return schedule(module, *machine, plan);
    if (phase == "plan")
      return planBuffers(module, plan), success();
    if (phase == "team") {
      insertBarriers(module);
      return options.profile ? insertProfile(module, plan) : success();
    }
    if (phase == "expand")
      return expandKernels(module);
    return lowerToLlvm(module, plan);
  };
  for (auto [i, phase] : llvm::enumerate(kPhases)) {
    // import and optimize are phases 1 and 2.
    if (failed(run(phase)) || failed(checkPhase(module, phase)) ||
        failed(dump(module, options.dumpDirectory, i + 3, phase)))
      return failure();
    if (phase == options.stopAfter)
      return success();
  }
  result.regions = plan.regions;
  ObjectRequest request{&result.object, result.wantLlvmIr ? &result.llvmIr : nullptr,
                        result.wantAssembly ? &result.assembly : nullptr};
  return emitObject(module, *machine, plan, options.optLevel, request);
}

} // namespace moire
