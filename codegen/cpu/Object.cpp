// object: LLVM's optimizer and code generator, and the descriptor of the program.

#include "codegen/artifact/Link.h"
#include "codegen/cpu/Phases.h"

#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/ThreadPool.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <atomic>

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

// Kernels come blocked, vectorized and unrolled as they shall be, and with MLIR's own clean-up
// behind them. What is left for LLVM is addresses: with the default pipelines as many
// instructions are executed, and they take more than twice as long.
constexpr const char *kPipeline =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(loop-rotate,licm),loop(indvars),gvn,simplifycfg,instcombine<no-verify-fixpoint>,"
    "adce)";

static void optimize(llvm::Module &module, llvm::TargetMachine &target, int optLevel) {
  llvm::PassBuilder builder(&target);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::ModulePassManager passes;
  if (optLevel == 0)
    passes = builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0);
  else
    llvm::cantFail(builder.parsePassPipeline(passes, kPipeline));
  passes.run(module, modules);
}

// How many ways to form the addresses of a loop the code generator looks at. With LLVM's 65535 that
// takes a third of its time, for the same instructions.
static void limitAddressSearch() {
  static const bool once = [] {
    auto &options = llvm::cl::getRegisteredOptions();
    auto found = options.find("lsr-complexity-limit");
    return found == options.end() || found->second->addOccurrence(0, found->first, "1000");
  }();
  (void)once;
}

static LogicalResult generate(llvm::Module &module, llvm::TargetMachine &target,
                              llvm::CodeGenFileType type, llvm::raw_pwrite_stream &out) {
  llvm::legacy::PassManager pm;
  if (target.addPassesToEmitFile(pm, out, nullptr, type))
    return failure();
  pm.run(module);
  return success();
}

//===- In parts -------------------------------------------------------------------------------===//

// Modules with fewer instructions are not worth the threads.
constexpr size_t kLeastInstructions = 2000;
// So many parts whatever the machine: the same model gives the same bytes everywhere.
constexpr size_t kParts = 4;

// The part of each function that is defined here, the largest ones first into the smallest parts.
static llvm::StringMap<size_t> chooseParts(llvm::Module &module) {
  std::vector<llvm::Function *> functions;
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      functions.push_back(&function);
  // Of equal size by name: the order must be the same everywhere.
  auto rank = [](llvm::Function *f) {
    return std::pair(-int64_t(f->getInstructionCount()), f->getName());
  };
  llvm::sort(functions, [&](llvm::Function *a, llvm::Function *b) { return rank(a) < rank(b); });
  size_t sizes[kParts] = {};
  llvm::StringMap<size_t> parts;
  for (llvm::Function *function : functions) {
    size_t part = std::min_element(sizes, sizes + kParts) - sizes;
    sizes[part] += function->getInstructionCount();
    parts[function->getName()] = part;
  }
  return parts;
}

// Leaves in a copy of the module what belongs to `part`; variables belong to the first.
static void keepPart(llvm::Module &module, const llvm::StringMap<size_t> &parts, size_t part) {
  for (llvm::Function &function : module)
    if (auto found = parts.find(function.getName()); found != parts.end() && found->second != part)
      function.deleteBody();
  for (llvm::GlobalVariable &variable : module.globals())
    if (part != 0 && !variable.hasLocalLinkage())
      variable.setInitializer(nullptr);
}

// Optimizes the module and generates its object, several functions at a time.
static llvm::Expected<std::vector<uint8_t>> generateInParts(llvm::Module &module,
                                                            const Machine &machine, int optLevel) {
  llvm::StringMap<size_t> parts = chooseParts(module);
  SmallVector<char, 0> bitcode;
  llvm::raw_svector_ostream out(bitcode);
  llvm::WriteBitcodeToFile(module, out);

  SmallVector<char, 0> objects[kParts];
  std::atomic<bool> failed = false;
  llvm::DefaultThreadPool pool(llvm::heavyweight_hardware_concurrency(kParts));
  for (size_t part = 0; part < kParts; ++part)
    pool.async([&, part] {
      llvm::LLVMContext context;
      llvm::MemoryBufferRef buffer(StringRef(bitcode.data(), bitcode.size()), "model");
      auto copy = llvm::cantFail(llvm::parseBitcodeFile(buffer, context));
      keepPart(*copy, parts, part);
      std::unique_ptr<llvm::TargetMachine> target = machine.newTarget();
      optimize(*copy, *target, optLevel);
      llvm::raw_svector_ostream object(objects[part]);
      if (mlir::failed(generate(*copy, *target, llvm::CodeGenFileType::ObjectFile, object)))
        failed = true;
    });
  pool.wait();
  if (failed)
    return llvm::createStringError("the target cannot emit an object file");
  SmallVector<std::span<const uint8_t>> spans;
  for (const SmallVector<char, 0> &object : objects)
    spans.push_back({reinterpret_cast<const uint8_t *>(object.data()), object.size()});
  return mergeObjects(spans);
}

LogicalResult emitObject(ModuleOp module, const Machine &machine, const Plan &plan, int optLevel,
                         ObjectRequest request) {
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, context);
  if (!llvmModule)
    return module.emitError("translation to LLVM IR failed");
  limitAddressSearch();
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
  if (!request.llvmIr && !request.assembly &&
      llvmModule->getInstructionCount() >= kLeastInstructions) {
    auto object = generateInParts(*llvmModule, machine, optLevel);
    if (!object)
      return module.emitError(llvm::toString(object.takeError()));
    request.object->assign(object->begin(), object->end());
    return success();
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
