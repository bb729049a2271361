#include "test/codegen/cpu/Assembly.h"

#include "dialects/moe/Moe.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

using namespace mlir;

namespace moire::test {
namespace {

std::string replaceAll(std::string text, const std::string &from, const std::string &to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// The text of Inputs/model.mlir with weights of a format (bf16: with rows of bf16, too).
std::string modelText(const std::string &format) {
  auto buffer = llvm::MemoryBuffer::getFile(MOIRE_TEST_INPUTS "/model.mlir");
  std::string text = (*buffer)->getBuffer().str();
  if (format != "bf16")
    return replaceAll(text, "#moe.block<q4_0>", "#moe.block<" + format + ">");
  text = replaceAll(text, "f32, #moe.block<q4_0>>", "bf16>");
  return replaceAll(text, "#moe.block<int8>", "#moe.rows<bf16>");
}

} // namespace

CompiledModel compileModel(const std::string &format, const std::string &cpu, bool profile) {
  std::string text = modelText(format);
  DialectRegistry registry;
  registerCpuDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  // Code generation asks whether a tensor is there, not what is in it.
  Container container;
  container.path = "none";
  for (auto weight : module->getOps<moe::WeightOp>())
    if (auto source = dyn_cast<moe::SourceAttr>(weight.getRecipe()))
      for (const char *layer : {"0", "1"}) {
        std::string name = replaceAll(source.getName().str(), "{i}", layer);
        container.tensors[name].name = name;
      }
  CompiledModel result;
  result.wantAssembly = true;
  CpuOptions options;
  options.cpu = cpu;
  options.profile = profile;
  EXPECT_TRUE(succeeded(compileForCpu(*module, container, options, result)));
  return result;
}

bool isInstruction(llvm::StringRef line) {
  return !line.empty() && !line.starts_with(".") && !line.ends_with(":");
}

std::vector<std::string> assemblyOf(const std::string &format, const std::string &cpu) {
  std::string assembly = compileModel(format, cpu).assembly;
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(assembly).split(lines, '\n');
  std::vector<std::string> result;
  for (llvm::StringRef line : lines) {
    line = line.split('#').first.trim();
    if (!line.empty())
      result.push_back(line.str());
  }
  return result;
}

} // namespace moire::test
