#include "tools/driver/Compilation.h"

#include "codegen/artifact/Link.h"
#include "codegen/artifact/ProgramWriter.h"
#include "codegen/cpu/Machine.h"
#include "dialects/moe/Moe.h"
#include "frontends/native/Import.h"
#include "frontends/native/Library.h"
#include "frontends/native/SyntheticModel.h"
#include "passes/Passes.h"
#include "runtime/cpu/Features.h"
#include "tools/driver/Console.h"
#include "tools/driver/Licenses.h"
#include "tools/driver/Metadata.h"
#include "tools/driver/Version.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Threading.h"
#include "llvm/Support/raw_ostream.h"

namespace moire::driver {

/// Prints a diagnostic of MLIR as the other messages are printed.
static void printDiagnostic(mlir::Diagnostic &diagnostic) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto loc = mlir::dyn_cast<mlir::FileLineColLoc>(diagnostic.getLocation()))
    os << loc.getFilename().getValue() << ':' << loc.getLine() << ':' << loc.getColumn()
       << ": error: ";
  os << diagnostic.str();
  if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
    complain(kFailed, text);
  else
    note(text);
  for (mlir::Diagnostic &more : diagnostic.getNotes())
    note(more.str());
}

Compilation::Compilation(const CompileRequest &request, CompileReport &report)
    : request(request), report(report), options(request.options),
      // Modules are small: threads would cost more than they save.
      context(mlir::MLIRContext::Threading::DISABLED), stepStart(std::chrono::steady_clock::now()) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::moe::MoeDialect,
                  mlir::scf::SCFDialect, mlir::tensor::TensorDialect>();
  registerCpuDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
  context.getDiagEngine().registerHandler(printDiagnostic);
  if (request.emit == Emit::Explanation)
    noteRemarks(context, report.explanation.remarks);
}

void Compilation::endStep(llvm::StringRef step) {
  auto now = std::chrono::steady_clock::now();
  report.seconds.push_back({step.str(), std::chrono::duration<double>(now - stepStart).count()});
  stepStart = now;
}

std::string Compilation::moduleText() {
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os);
  return text;
}

/// Writes a dump of the phase if one is wanted, and keeps the IR for a report about the next one.
int Compilation::endPhase(llvm::StringRef phase) {
  if (mlir::failed(mlir::verify(*module)))
    return reportBug(("the phase " + phase + " left invalid IR").str());
  beforePhase = moduleText();
  endStep(phase);
  size_t place = ++phases;
  if (request.dump_folder.empty())
    return kDone;
  std::string file = llvm::formatv("{0}/{1,0+2}-{2}.mlir", request.dump_folder, place, phase).str();
  if (std::error_code code = llvm::sys::fs::create_directories(request.dump_folder))
    return complain(kFailed, request.dump_folder + ": cannot be made: " + code.message());
  if (llvm::Error error = llvm::writeToOutput(file, [&](llvm::raw_ostream &os) {
        os << beforePhase;
        return llvm::Error::success();
      }))
    return complain(std::move(error));
  return kDone;
}

int Compilation::checkMachine() {
  std::string error;
  if (mlir::succeeded(
          cpu::Machine::lookup(options.cpu, static_cast<int>(options.opt_level), error)))
    return kDone;
  return complain(options.cpu == "native" ? kUnsupported : kUsage, "--cpu: " + error);
}

int Compilation::openModel() {
  ReadError error;
  if (!openContainer(options.model, container, error))
    return complain(error);
  description = findDescription(container, options.description, error);
  if (!description)
    return complain(error);
  if (options.synthetic.empty() && (!options.synthetic_type.empty() || options.zipf != 0))
    return complain(kUsage, "--synthetic-type and --routing are for models with --synthetic=SEED");
  if (!options.synthetic.empty())
    if (int code = addSyntheticWeights())
      return code;
  if (container.tensors.empty())
    return complain(kBadInput, options.model +
                                   ": holds no weights, and a compilation needs them; `moire "
                                   "inspect` shows what such a file says, and --synthetic=SEED "
                                   "makes some up");
  if (!applyDescription(*description, container, Weights::Needed, model, error))
    return complain(error);
  report.architecture = model.architecture;
  report.summary = summarize(model, options.kvFormat());
  endStep("open");
  return kDone;
}

int Compilation::addSyntheticWeights() {
  if (!container.tensors.empty())
    return complain(kUsage, "--synthetic makes weights for a config.json without any; " +
                                options.model + " has some");
  Model bare;
  ReadError error;
  if (!applyDescription(*description, container, Weights::FromDescription, bare, error))
    return complain(error);
  SyntheticOptions synthetic;
  llvm::StringRef(options.synthetic).getAsInteger(10, synthetic.seed);
  synthetic.zipf = options.zipf;
  for (StorageType type : {StorageType::F32, StorageType::F16, StorageType::BF16, StorageType::Q4_0,
                           StorageType::Q4_1, StorageType::Q8_0})
    if (storageTypeInfo(type).name == options.synthetic_type)
      synthetic.type = type;
  return addSyntheticTensors(container, bare, synthetic, error) ? kDone : complain(error);
}

int Compilation::importModule() {
  ImportOptions import;
  import.keepHidden = options.keep_hidden;
  import.keepRoute = options.keep_route;
  import.kv = options.kvFormat();
  module = buildModule(context, model, description->source.path, import);
  noteRoute();
  return endPhase("import");
}

/// Notes what the program will hand out of its routers.
void Compilation::noteRoute() {
  module->walk([&](mlir::moe::TapRouteOp tap) {
    auto function = tap->getParentOfType<mlir::func::FuncOp>();
    for (const auto &[index, layerClass] : llvm::enumerate(model.classes)) {
      if (function.getName() != layerSymbol(index))
        continue;
      route.resize(model.layers);
      for (int64_t layer : layerClass.layers)
        route[layer] = tap.getIds().getType().getDimSize(1);
    }
  });
}

int Compilation::optimize() {
  mlir::PassManager passes(&context);
  mlir::moe::OptimizeOptions optimize;
  if (!options.quant.empty())
    optimize.weights = options.quant;
  optimize.activations = options.activations;
  mlir::moe::buildOptimizePipeline(passes, optimize);
  if (mlir::failed(passes.run(*module)))
    return reportBug("the phase optimize failed");
  report.summary = summarize(model, options.kvFormat(), roundedTensors());
  return endPhase("optimize");
}

/// The formats that tensors are rounded to, by the patterns of their names.
TensorFormats Compilation::roundedTensors() {
  TensorFormats formats;
  for (auto weight : module->getOps<mlir::moe::WeightOp>()) {
    auto source = mlir::dyn_cast<mlir::moe::SourceAttr>(weight.getRecipe());
    auto block = mlir::moe::BlockAttr::of(weight.getWeightType());
    if (source && block && blockInfo(block.getFormat()).isOwn())
      formats[source.getName().str()] = block.getFormat();
  }
  return formats;
}

int Compilation::generateCode() {
  CpuOptions cpu;
  cpu.cpu = options.cpu;
  cpu.optLevel = static_cast<int>(options.opt_level);
  cpu.kvPage = options.kv_page;
  cpu.profile = options.profile;
  cpu.stopAfter = request.emit == Emit::Explanation ? "team" : request.stop_after;
  cpu.dumpDirectory = request.dump_folder;
  result.wantLlvmIr = request.emit == Emit::LlvmIr;
  result.wantAssembly = request.emit == Emit::Assembly;
  bool generated;
  {
    Activity activity("generating code", options.quiet);
    generated = mlir::succeeded(compileForCpu(*module, container, cpu, result));
  }
  if (!generated)
    return reportBug("the code generator failed");
  endStep("generate code");
  return kDone;
}

int Compilation::explain() {
  Explanation &explanation = report.explanation;
  explanation.architecture = model.architecture;
  explanation.description = description->source.path;
  explanation.summary = report.summary;
  explanation.layers = model.layers;
  explanation.context = model.context;
  std::string error;
  auto machine = cpu::Machine::lookup(options.cpu, static_cast<int>(options.opt_level), error);
  explanation.cpu = machine->cpu; // checkMachine() has found it
  explanation.features = describeCpuFeatures(machine->features);
  explanation.activations = options.activations;
  explanation.kv = options.kvFormat();
  explanation.packed_bytes = result.weightBytes;
  explanation.work = result.work;
  for (DescribedFunction &function : describeSchedule(*module, result.weights)) {
    ExplainedPart part{std::move(function), {}};
    for (const auto &[index, layerClass] : llvm::enumerate(model.classes))
      if (part.function.name == layerSymbol(index))
        part.layers = layerClass.layers;
    explanation.parts.push_back(std::move(part));
  }
  return kDone;
}

int Compilation::writeIr() { return writeText(moduleText()); }

int Compilation::writeText(llvm::StringRef text) {
  if (llvm::Error error = llvm::writeToOutput(request.output, [&](llvm::raw_ostream &os) {
        os << text;
        return llvm::Error::success();
      }))
    return complain(std::move(error));
  report.bytes = text.size();
  return finishOutput(kDone);
}

int Compilation::importTokenizer() {
  ReadError error;
  if (moire::importTokenizer(container, tokenizer, error))
    return kDone;
  if (error.kind != ReadError::Kind::Unsupported)
    return complain(error);
  tokenizer = {};
  note(error.message);
  note("the program will have no tokenizer: it takes --token-ids and prints --print-ids");
  return kDone;
}

int Compilation::writeProgram() {
  if (int code = importTokenizer())
    return code;
  auto *object = reinterpret_cast<const uint8_t *>(result.object.data());
  llvm::Expected<ByteVector> image = linkProgram({object, result.object.size()}, "");
  if (!image)
    return complain(image.takeError());
  endStep("link");

  std::string licenses = licenseTexts(container);
  std::string about =
      metadataText(request, container, model, report.summary, tokenizer.chat, route, result);
  auto writer = ProgramWriter::create(request.output, image->size() + result.weightBytes +
                                                          tokenizer.section.size() +
                                                          licenses.size() + about.size());
  if (!writer)
    return complain(writer.takeError());
  if (llvm::Error error = (*writer)->writeImage(*image))
    return complain(std::move(error));
  if (llvm::Error error = (*writer)->beginSection("weights"))
    return complain(std::move(error));

  Progress progress("packing weights", options.quiet);
  llvm::Error writeError = llvm::Error::success();
  std::string packError;
  int threads = options.threads
                    ? static_cast<int>(options.threads)
                    : static_cast<int>(llvm::hardware_concurrency().compute_thread_count());
  bool packed = packWeights(
      result.weights, threads,
      [&](std::span<const uint8_t> chunk) {
        if (llvm::Error error = (*writer)->append(chunk)) {
          writeError = llvm::joinErrors(std::move(writeError), std::move(error));
          return false;
        }
        return true;
      },
      [&](uint64_t done, uint64_t total) { progress.show(done, total); }, packError);
  if (writeError)
    return complain(std::move(writeError));
  if (!packed)
    return complain(kFailed, packError);

  auto *tokens = reinterpret_cast<const char *>(tokenizer.section.data());
  if (llvm::Error error = (*writer)->addSection("metadata", about))
    return complain(std::move(error));
  if (!tokenizer.section.empty())
    if (llvm::Error error = (*writer)->addSection("tokenizer", {tokens, tokenizer.section.size()}))
      return complain(std::move(error));
  if (llvm::Error error = (*writer)->addSection("licenses", licenses))
    return complain(std::move(error));
  llvm::Expected<uint64_t> bytes = (*writer)->finish();
  if (!bytes)
    return complain(bytes.takeError());
  report.bytes = *bytes;
  endStep("pack and write");
  return kDone;
}

int Compilation::reportBug(llvm::StringRef what) const {
  std::string file =
      llvm::formatv("moire-reproducer-{0}.mlir", llvm::sys::Process::getProcessId()).str();
  llvm::Error error = llvm::writeToOutput(file, [&](llvm::raw_ostream &os) {
    os << "// " << versionLine() << ": " << what << "\n// " << request.command_line
       << "\n// The IR after the last phase that ended well:\n"
       << beforePhase;
    return llvm::Error::success();
  });
  std::string where =
      error ? " (no report could be written: " + llvm::toString(std::move(error)) + ")"
            : "; please send us " + file;
  return complain(kBug, ("this is an error in Moire: " + what + where).str());
}

} // namespace moire::driver
