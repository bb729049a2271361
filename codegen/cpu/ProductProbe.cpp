#include "codegen/cpu/ProductProbe.h"

#include "codegen/cpu/Compile.h"
#include "codegen/cpu/Phases.h"
#include "codegen/cpu/Tuning.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/FormatVariadic.h"

#include <set>

using namespace mlir;

namespace moire::cpu {

int64_t ProbeProduct::panelBytes() const {
  std::optional<BlockFormat> block = blockFormatOf(type);
  return moire::panelBytes(block                      ? blockInfo(*block).panel
                           : type == StorageType::F32 ? PanelFormat::F32
                           : type == StorageType::F16 ? PanelFormat::F16
                                                      : PanelFormat::BF16,
                           k);
}

// A model that is nothing but a head: its logits are the product.
static std::string moduleText(const ProbeProduct &product) {
  std::string shape = llvm::formatv("{0}x{1}x", product.width, product.k);
  std::string type(storageTypeInfo(product.type).name);
  static constexpr const char *kRounded[] = {"", ", #moe.rows<bf16>", ", #moe.block<int8>"};
  bool plain = product.rows == ProbeRows::F32;
  return llvm::formatv(
             "!ids = tensor<?xi32>\n"
             "!state = tensor<1x?x?x1x16xf32>\n"
             "!rows = tensor<?x{0}xf32>\n"
             "!rounded = tensor<?x{0}xf32{2}>\n"
             "!table = tensor<1x{0}xf32>\n"
             "!weight = tensor<{3}>\n"
             "!logits = tensor<?x{1}xf32>\n"
             "module attributes {{moe.context = 1 : i64} {{\n"
             "  moe.weight @table : !table = #moe.source<\"table\">\n"
             "  moe.weight @weight : !weight = #moe.source<\"weight\">\n"
             "  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids,\n"
             "                     %keys: !state, %values: !state) -> (!logits, !state, !state) "
             "{{\n"
             "    %w = moe.read @weight : !weight\n"
             "    %t = moe.read @table : !table\n"
             "    %all = moe.embed %tokens, %t : !ids, !table -> !rows\n"
             "    %rows = moe.select_rows %all, %wanted : !rows, !ids -> !rows\n"
             "    {4}\n"
             "    %y = moe.linear {5}, %w : {6}, !weight -> !logits\n"
             "    return %y, %keys, %values : !logits, !state, !state\n"
             "  }\n"
             "}\n",
             product.k, product.width, kRounded[int(product.rows)],
             blockFormatOf(product.type) ? shape + "f32, #moe.block<" + type + ">" : shape + type,
             plain ? "" : "%rounded = moe.quantize_rows %rows : !rows -> !rounded",
             plain ? "%rows" : "%rounded", plain ? "!rows" : "!rounded")
      .str();
}

// What the weights are planned from. No bytes are behind the tensors: nothing is packed.
static Container container(const ProbeProduct &product) {
  Container model;
  model.kind = Container::Kind::Gguf;
  model.path = "probe";
  model.tensors["table"] = {"table", StorageType::F32, {1, product.k}, nullptr, 0, 0};
  model.tensors["weight"] = {"weight", product.type, {product.width, product.k}, nullptr, 0, 0};
  return model;
}

// Leaves products alone in the scheduled functions.
static void eraseOtherKernels(ModuleOp module) {
  SmallVector<Operation *> kernels;
  module.walk([&](Operation *op) {
    if (isa<tile::TileDialect>(op->getDialect()) && op->getNumResults() == 0 &&
        !isa<tile::ContractOp>(op))
      kernels.push_back(op);
  });
  for (Operation *kernel : kernels)
    kernel->erase();
}

static LogicalResult build(MLIRContext &context, const ProbeProduct &product, Plan &plan,
                           std::vector<char> &object, std::string &instruction) {
  constexpr int kOptLevel = 3;
  std::string error;
  FailureOr<Machine> machine = Machine::lookup("native", kOptLevel, error);
  if (failed(machine))
    return emitError(UnknownLoc::get(&context), error);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(moduleText(product), &context);
  if (!module || failed(describeProgram(*module, kKvPage, plan)) ||
      failed(planWeights(*module, container(product), *machine, plan)) ||
      failed(specialize(*module)) || failed(schedule(*module, *machine, plan)))
    return failure();
  eraseOtherKernels(*module);
  module->walk([&](tile::ContractOp op) {
    instruction = op.getInstruction().str();
    // Turns want a barrier between two steps, and there is none.
    Operation *turns = op.getTurns().getDefiningOp();
    op.getTurnsMutable().clear();
    turns->erase();
  });
  planBuffers(*module, plan);
  return success(
      succeeded(expandKernels(*module)) && succeeded(lowerToLlvm(*module, plan)) &&
      succeeded(emitObject(*module, *machine, plan, kOptLevel, {&object, nullptr, nullptr})));
}

// Nothing waits: a product alone has no barrier.
static void neverCalled(void *, int64_t) {}

llvm::Expected<ProductProbe> ProductProbe::compile(const ProbeProduct &product) {
  DialectRegistry registry;
  registerCpuDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  std::string complaint;
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error && complaint.empty())
      complaint = diagnostic.str();
  });
  Plan plan;
  std::vector<char> object;
  std::string instruction;
  if (failed(build(context, product, plan, object, instruction)))
    return llvm::createStringError("a product of " +
                                   std::string(storageTypeInfo(product.type).name) +
                                   " cannot be compiled by itself: " + complaint);
  llvm::Expected<LoadedSteps> steps = LoadedSteps::load(object, neverCalled);
  if (!steps)
    return steps.takeError();
  return ProductProbe{.steps = std::move(*steps),
                      .panel = std::string(panelInfo(plan.weight("weight").format).name),
                      .instruction = std::move(instruction),
                      .weightBytes = plan.weightBytes,
                      .arenaBytesPerToken = plan.arenaBytesPerToken,
                      .scratchBytes = plan.scratchBytes,
                      .scratchBytesPerToken = plan.scratchBytesPerToken};
}

std::vector<ProbeProduct> probeProducts(int64_t k, int64_t width) {
  std::vector<ProbeProduct> products = {{StorageType::F32, ProbeRows::F32, k, width},
                                        {StorageType::F16, ProbeRows::F32, k, width},
                                        {StorageType::BF16, ProbeRows::BF16, k, width}};
  std::set<PanelFormat> seen;
#define MOIRE_BLOCK(enumerator, name, number, elements, bytes, panel)                              \
  if (seen.insert(PanelFormat::panel).second)                                                      \
    products.push_back({StorageType::enumerator, ProbeRows::Int8, k, width});
#include "dialects/Formats.def"
  return products;
}

} // namespace moire::cpu
