// object: LLVM's optimizer and code generator, and the descriptor of the program.

#include "codegen/cpu/Phases.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace mlir;

namespace moire::cpu {

// Defines `moire_program`, field by field as runtime/Abi.h lists them.
static void addProgram(llvm::Module &module, const Machine &machine, const Plan &plan) {
  llvm::LLVMContext &context = module.getContext();
  auto *i64 = llvm::Type::getInt64Ty(context);
  const int64_t numbers[] = {MOIRE_ABI_VERSION, plan.vocab,
                             plan.hidden,       plan.layers,
                             plan.context,      plan.weightBytes,
                             plan.arenaBytes,   plan.arenaBytesPerToken,
                             plan.scratchBytes, plan.scratchBytesPerToken,
                             plan.kv.getPage(), plan.kv.getPageBytes(),
                             plan.tapped,       plan.routeWidth,
                             plan.stamps,       machine.features};
  static_assert(offsetof(moire_program, step_one) == sizeof(numbers));
  SmallVector<llvm::Constant *> fields;
  for (int64_t number : numbers)
    fields.push_back(llvm::ConstantInt::getSigned(i64, number));
  for (StringRef name : {kStepOne, kStepMany})
    fields.push_back(module.getFunction(name));
  auto *value = llvm::ConstantStruct::getAnon(context, fields);
  new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                           llvm::GlobalValue::ExternalLinkage, value, "moire_program");
}

static void optimize(llvm::Module &module, llvm::TargetMachine &target, int optLevel) {
  llvm::PipelineTuningOptions tuning;
  // Kernels are blocked and vectorized as they shall be.
  tuning.LoopUnrolling = tuning.LoopVectorization = tuning.SLPVectorization = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&target, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  const llvm::OptimizationLevel levels[] = {
      llvm::OptimizationLevel::O0, llvm::OptimizationLevel::O1, llvm::OptimizationLevel::O2,
      llvm::OptimizationLevel::O3};
  const llvm::OptimizationLevel level = levels[optLevel];
  auto pipeline = optLevel == 0 ? builder.buildO0DefaultPipeline(level)
                                : builder.buildPerModuleDefaultPipeline(level);
  pipeline.run(module, modules);
}

static LogicalResult generate(llvm::Module &module, llvm::TargetMachine &target,
                              llvm::CodeGenFileType type, llvm::raw_pwrite_stream &out) {
  llvm::legacy::PassManager pm;
  if (target.addPassesToEmitFile(pm, out, nullptr, type))
    return failure();
  pm.run(module);
  return success();
}

LogicalResult emitObject(ModuleOp module, const Machine &machine, const Plan &plan, int optLevel,
                         ObjectRequest request) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, context);
  if (!llvmModule)
    return module.emitError("translation to LLVM IR failed");
  llvm::TargetMachine &target = *machine.target;
  llvmModule->setTargetTriple(target.getTargetTriple());
  llvmModule->setDataLayout(target.createDataLayout());

  for (auto [from, to] : {std::pair("forward.one", kStepOne), {"forward.many", kStepMany}})
    llvmModule->getFunction(from)->setName(to);
  addProgram(*llvmModule, machine, plan);
  for (llvm::Function &function : *llvmModule) {
    // Loops must not become calls of the C library.
    function.addFnAttr("no-builtins");
    // A jump through a register hides from static checks where code goes.
    function.addFnAttr("no-jump-tables", "true");
    function.addFnAttr(llvm::Attribute::NoUnwind);
    function.addFnAttr("denormal-fp-math", "preserve-sign,preserve-sign");
    function.addFnAttr("target-cpu", target.getTargetCPU());
    if (!target.getTargetFeatureString().empty())
      function.addFnAttr("target-features", target.getTargetFeatureString());
    if (machine.has(MOIRE_CPU_AVX512))
      function.addFnAttr("prefer-vector-width", "512");
  }
  optimize(*llvmModule, target, optLevel);
  if (request.llvmIr) {
    llvm::raw_string_ostream out(*request.llvmIr);
    llvmModule->print(out, nullptr);
  }
  if (request.assembly) {
    SmallVector<char, 0> text;
    llvm::raw_svector_ostream out(text);
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*llvmModule);
    if (failed(generate(*copy, target, llvm::CodeGenFileType::AssemblyFile, out)))
      return module.emitError("the target cannot emit assembly");
    request.assembly->assign(text.begin(), text.end());
  }
  SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream out(bytes);
  if (failed(generate(*llvmModule, target, llvm::CodeGenFileType::ObjectFile, out)))
    return module.emitError("the target cannot emit an object file");
  request.object->assign(bytes.begin(), bytes.end());
  return success();
}

} // namespace moire::cpu
