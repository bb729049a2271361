#include "test/codegen/cpu/Kernel.h"
#include "codegen/cpu/Compile.h"
#include "codegen/cpu/Emitter.h"
#include "codegen/cpu/InProcess.h"
#include "codegen/cpu/Phases.h"
#include "runtime/cpu/FloatMode.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
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
         ", block = " + std::to_string(block) + ", columns = " + std::to_string(columns) + ">";
}

std::string weightVector(const std::string &name, int64_t offset, int64_t count,
                         const std::string &element) {
  int64_t bytes = (count * (element == "f32" ? 4 : 1) + 63) / 64 * 64;
  return "%" + name + " = tile.weight \"" + name + "\" {offset = " + std::to_string(offset) +
         " : i64, slice_bytes = " + std::to_string(bytes) + " : i64} : memref<" +
         std::to_string(count) + "x" + element + ">\n";
}

//===- Instructions of AVX-512, as their definitions ------------------------------------------===//

namespace {
struct Definition {
  StringRef intrinsic;
  int64_t feature; // without which it is replaced
  const char *text;
};
} // namespace

static constexpr Definition kDefinitions[] = {
    // Each lane of the sum gains the products of 4 unsigned and 4 signed bytes, without saturation.
    {"llvm.x86.avx512.vpdpbusd.512", MOIRE_CPU_AVX512_VNNI, R"(
func.func private @vpdpbusd(%sum: vector<16xi32>, %weights: vector<64xi8>, %x: vector<64xi8>)
    -> vector<16xi32> attributes {passthrough = ["noinline"]} {
  %w = arith.extui %weights : vector<64xi8> to vector<64xi32>
  %s = arith.extsi %x : vector<64xi8> to vector<64xi32>
  %products = arith.muli %w, %s : vector<64xi32>
  %c0 = vector.shuffle %products, %products
    [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60]
    : vector<64xi32>, vector<64xi32>
  %r0 = arith.addi %sum, %c0 : vector<16xi32>
  %c1 = vector.shuffle %products, %products
    [1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61]
    : vector<64xi32>, vector<64xi32>
  %r1 = arith.addi %r0, %c1 : vector<16xi32>
  %c2 = vector.shuffle %products, %products
    [2, 6, 10, 14, 18, 22, 26, 30, 34, 38, 42, 46, 50, 54, 58, 62]
    : vector<64xi32>, vector<64xi32>
  %r2 = arith.addi %r1, %c2 : vector<16xi32>
  %c3 = vector.shuffle %products, %products
    [3, 7, 11, 15, 19, 23, 27, 31, 35, 39, 43, 47, 51, 55, 59, 63]
    : vector<64xi32>, vector<64xi32>
  %r3 = arith.addi %r2, %c3 : vector<16xi32>
  return %r3 : vector<16xi32>
}
)"},
    // Each lane is the sum of the products of 2 unsigned and 2 signed bytes, saturated.
    {"llvm.x86.avx512.pmaddubs.w.512", MOIRE_CPU_AVX512, R"(
func.func private @vpmaddubsw(%weights: vector<64xi8>, %x: vector<64xi8>) -> vector<32xi16>
    attributes {passthrough = ["noinline"]} {
  %w = arith.extui %weights : vector<64xi8> to vector<64xi32>
  %s = arith.extsi %x : vector<64xi8> to vector<64xi32>
  %products = arith.muli %w, %s : vector<64xi32>
  %even, %odd = vector.deinterleave %products : vector<64xi32> -> vector<32xi32>
  %sum = arith.addi %even, %odd : vector<32xi32>
  %most = arith.constant dense<32767> : vector<32xi32>
  %least = arith.constant dense<-32768> : vector<32xi32>
  %bounded = arith.minsi %sum, %most : vector<32xi32>
  %saturated = arith.maxsi %bounded, %least : vector<32xi32>
  %r = arith.trunci %saturated : vector<32xi32> to vector<32xi16>
  return %r : vector<32xi16>
}
)"},
    // Each lane is the sum of the products of 2 signed words.
    {"llvm.x86.avx512.pmaddw.d.512", MOIRE_CPU_AVX512, R"(
func.func private @vpmaddwd(%a: vector<32xi16>, %b: vector<32xi16>) -> vector<16xi32>
    attributes {passthrough = ["noinline"]} {
  %x = arith.extsi %a : vector<32xi16> to vector<32xi32>
  %y = arith.extsi %b : vector<32xi16> to vector<32xi32>
  %products = arith.muli %x, %y : vector<32xi32>
  %even, %odd = vector.deinterleave %products : vector<32xi32> -> vector<16xi32>
  %sum = arith.addi %even, %odd : vector<16xi32>
  return %sum : vector<16xi32>
}
)"},
    // Intel's manual, volume 2: the products of the high halves are added to each lane, then those
    // of the low ones, each with a rounding to nearest even; denormals are zero, as they are in a
    // team. (Words instead of pairs: below AVX-512 code for vectors of bf16 calls functions.)
    {"llvm.x86.avx512bf16.dpbf16ps.512", MOIRE_CPU_AVX512_BF16, R"(
func.func private @vdpbf16ps(%sum: vector<16xf32>, %x: vector<16xi32>, %y: vector<16xi32>)
    -> vector<16xf32> attributes {passthrough = ["noinline"]} {
  %mask = arith.constant dense<-65536> : vector<16xi32>
  %distance = arith.constant dense<16> : vector<16xi32>
  %xh = arith.andi %x, %mask : vector<16xi32>
  %yh = arith.andi %y, %mask : vector<16xi32>
  %xl = arith.shli %x, %distance : vector<16xi32>
  %yl = arith.shli %y, %distance : vector<16xi32>
  %x1 = arith.bitcast %xh : vector<16xi32> to vector<16xf32>
  %y1 = arith.bitcast %yh : vector<16xi32> to vector<16xf32>
  %x0 = arith.bitcast %xl : vector<16xi32> to vector<16xf32>
  %y0 = arith.bitcast %yl : vector<16xi32> to vector<16xf32>
  %first = math.fma %x1, %y1, %sum : vector<16xf32>
  %both = math.fma %x0, %y0, %first : vector<16xf32>
  return %both : vector<16xf32>
}
)"}};

// Where the machine lacks an instruction, calls of its definition take its place.
static void replaceWhatIsMissing(ModuleOp module, const Machine &machine) {
  for (const Definition &definition : kDefinitions) {
    SmallVector<LLVM::CallIntrinsicOp> uses;
    module.walk([&](LLVM::CallIntrinsicOp call) {
      if (call.getIntrin() == definition.intrinsic)
        uses.push_back(call);
    });
    if (uses.empty() || machine.has(definition.feature))
      continue;
    auto part = parseSourceString<ModuleOp>(definition.text, module.getContext());
    func::FuncOp function = *part->getOps<func::FuncOp>().begin();
    function->remove();
    module.push_back(function);
    for (LLVM::CallIntrinsicOp call : uses) {
      OpBuilder b(call);
      SmallVector<Value> arguments;
      for (auto [value, type] : llvm::zip(call.getArgs(), function.getArgumentTypes()))
        arguments.push_back(
            value.getType() == type
                ? value
                : vector::BitCastOp::create(b, call.getLoc(), cast<VectorType>(type), value));
      auto result = func::CallOp::create(b, call.getLoc(), function, arguments);
      call.replaceAllUsesWith(result.getResults());
      call.erase();
    }
  }
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
  replaceWhatIsMissing(*module, machine);
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
