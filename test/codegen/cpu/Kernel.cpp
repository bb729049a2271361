#include "test/codegen/cpu/Kernel.h"
#include "codegen/cpu/Compile.h"
#include "codegen/cpu/Emitter.h"
#include "codegen/cpu/InProcess.h"
#include "codegen/cpu/Phases.h"
#include "runtime/cpu/FloatMode.h"
#include "test/codegen/cpu/SpelledOut.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"

#include <barrier>
#include <cstring>
#include <gtest/gtest.h>
#include <thread>

using namespace mlir;
using namespace moire::cpu;

namespace moire::test {

static Machine machineFor(StringRef cpu, int optLevel = 1) {
  std::string error;
  FailureOr<Machine> machine = Machine::lookup(cpu, optLevel, error);
  EXPECT_TRUE(succeeded(machine)) << error;
  return std::move(*machine);
}

std::vector<std::string> runnableCpus() {
  if (machineFor("native").has(MOIRE_CPU_AVX512))
    return {"native", "x86-64-v4", "x86-64-v3"};
  return {"native"};
}

std::vector<std::string> instructions(int64_t bits) {
  std::vector<std::string> names;
#define MOIRE_INSTRUCTION(class, name, rowBits, feature)                                           \
  if (bits == rowBits)                                                                             \
    names.push_back(name);
#include "codegen/cpu/Instructions.def"
#undef MOIRE_INSTRUCTION
  return names;
}

//===- Memory ---------------------------------------------------------------------------------===//

static int64_t place(int64_t &end, int64_t bytes) {
  int64_t offset = end;
  end += (bytes + 63) / 64 * 64;
  return offset;
}

int64_t Memory::shared(int64_t rowBytes) { return place(arenaBytesPerToken, rowBytes); }
int64_t Memory::team(int64_t bytes) { return place(arenaBytes, bytes); }
int64_t Memory::scratch(int64_t bytes) { return place(scratchBytes, bytes); }

int64_t Memory::weight(const void *data, int64_t bytes) {
  int64_t offset = (weights.size() + 4095) / 4096 * 4096;
  weights.resize(offset + (bytes + 63) / 64 * 64);
  std::memcpy(weights.data() + offset, data, bytes);
  return offset;
}

std::string rowsOf(bool one, std::initializer_list<int64_t> shape, const std::string &element) {
  std::string text = one ? "memref<1" : "memref<?";
  for (int64_t size : shape)
    text += "x" + std::to_string(size);
  return text + "x" + element + ">";
}

std::string sharedBuffer(bool one, const std::string &name, int64_t offset,
                         std::initializer_list<int64_t> shape, const std::string &element) {
  return "%" + name + " = tile.alloc shared" + (one ? "" : "(%n)") + " at " +
         std::to_string(offset) + " : " + rowsOf(one, shape, element) + "\n";
}

std::string turnsBuffer(const std::string &name, int64_t offset) {
  return "%" + name + " = tile.alloc kept at " + std::to_string(offset) + " : memref<1xi64>\n";
}

std::string privateBuffer(const std::string &name, int64_t offset, const std::string &type) {
  return "%" + name + " = tile.alloc private at " + std::to_string(offset) + " : memref<" + type +
         ">\n";
}

std::string Sharing::text() const {
  return "sharing = #tile.sharing<equal = " + std::to_string(equal) +
         ", panels = " + std::to_string(panels) + ", single = " + std::to_string(single) +
         ", streams = " + std::to_string(streams) + ", ahead = " + std::to_string(ahead) + ">";
}

std::string Blocking::text() const {
  return "blocking = #tile.blocking<direct = " + std::to_string(direct) +
         ", together = " + std::to_string(together) + ", rows = " + std::to_string(rows) +
         ", block = " + std::to_string(block) + ", columns = " + std::to_string(columns) +
         ", panels = " + std::to_string(panels) + ">";
}

std::string weightVector(const std::string &name, int64_t offset, int64_t count,
                         const std::string &element) {
  int64_t bytes = (count * (element == "f32" ? 4 : 1) + 63) / 64 * 64;
  return "%" + name + " = tile.weight \"" + name + "\" {offset = " + std::to_string(offset) +
         " : i64, slice_bytes = " + std::to_string(bytes) + " : i64} : memref<" +
         std::to_string(count) + "x" + element + ">\n";
}

//===- Kernel ---------------------------------------------------------------------------------===//

Kernel::Kernel() = default;
Kernel::~Kernel() = default;

static void waitForTeam(void *barrier, int64_t) {
  static_cast<std::barrier<> *>(barrier)->arrive_and_wait();
}

static std::string functionText(const Kernel::Source &source, bool one) {
  std::string text = one ? "func.func @forward.one" : "func.func @forward.many";
  text += "(%step: !llvm.ptr, %thread: index, %team: index) {\n";
  if (!one)
    text += "%n = tile.count tokens\n";
  return text + source.body(one) + "\nreturn\n}\n";
}

std::unique_ptr<Kernel> Kernel::compile(const Source &source, const Memory &memory,
                                        const std::string &cpu, int optLevel) {
  DialectRegistry registry;
  registerCpuDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  Machine machine = machineFor(cpu, optLevel);
  std::string text = functionText(source, true) + functionText(source, false);
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  if (!module) {
    ADD_FAILURE() << text;
    return nullptr;
  }
  if (source.emit)
    for (auto function : module->getOps<func::FuncOp>()) {
      Emitter e(function.getBody().front().getTerminator());
      source.emit(e);
    }

  Plan plan;
  plan.arenaBytes = memory.arenaBytes;
  plan.scratchBytes = memory.scratchBytes;
  plan.scratchBytesPerToken = memory.scratchBytesPerToken;
  plan.kv = tile::KvLayoutAttr::get(&context, 1, 1, 16, 16, Float32Type::get(&context));
  std::vector<char> object;
  bool compiled = succeeded(expandKernels(*module));
  spellOutWhatIsMissing(*module, machine);
  compiled = compiled && succeeded(verify(*module)) && succeeded(lowerToLlvm(*module, plan)) &&
             succeeded(emitObject(*module, machine, plan, optLevel, {&object, nullptr, nullptr}));
  if (!compiled) {
    ADD_FAILURE() << text;
    return nullptr;
  }

  std::unique_ptr<Kernel> kernel(new Kernel);
  kernel->steps =
      std::make_unique<LoadedSteps>(llvm::cantFail(LoadedSteps::load(object, waitForTeam)));
  kernel->arenaBytes = memory.arenaBytes;
  kernel->arenaBytesPerToken = memory.arenaBytesPerToken;
  kernel->scratchBytes = memory.scratchBytes;
  kernel->scratchBytesPerToken = memory.scratchBytesPerToken;
  kernel->weightMemory = memory.weights;
  return kernel;
}

static uint8_t *aligned(std::vector<uint8_t> &memory, int64_t bytes) {
  memory.assign(bytes + 64, 0);
  auto address = reinterpret_cast<uintptr_t>(memory.data());
  return memory.data() + (64 - address % 64) % 64;
}

void Kernel::reserve(int64_t tokens) {
  maxTokens = moire_whole_fours(tokens);
  arena = aligned(arenaMemory, arenaBytes + arenaBytesPerToken * maxTokens);
}

void Kernel::run(int64_t tokens, int team, bool one, moire_step step) {
  ASSERT_LE(tokens, maxTokens);
  std::vector<uint8_t> packed;
  uint8_t *weights = aligned(packed, weightMemory.size());
  if (!weightMemory.empty())
    std::memcpy(weights, weightMemory.data(), weightMemory.size());
  step.weights = weights;
  step.arena = arena;
  step.scratch = aligned(scratchMemory, (scratchBytes + scratchBytesPerToken * maxTokens) * team);
  step.token_count = tokens;
  step.max_tokens = maxTokens;
  std::barrier<> barrier(team);
  step.barrier = &barrier;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < team; ++thread)
    threads.emplace_back([&, thread] {
      FloatModeScope mode; // as the runtime's team
      (one ? steps->one : steps->many)(&step, thread, team);
    });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace moire::test
