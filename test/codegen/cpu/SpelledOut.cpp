#include "test/codegen/cpu/SpelledOut.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Parser/Parser.h"

using namespace mlir;
using namespace moire::cpu;

namespace moire::test {

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

void spellOutWhatIsMissing(ModuleOp module, const Machine &machine) {
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

} // namespace moire::test
