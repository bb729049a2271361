#include "codegen/cpu/Machine.h"

#include "runtime/cpu/Features.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace mlir;

namespace moire::cpu {

static llvm::CodeGenOptLevel codeGenLevel(int optLevel) {
  switch (optLevel) {
  case 0:
    return llvm::CodeGenOptLevel::None;
  case 1:
    return llvm::CodeGenOptLevel::Less;
  case 2:
    return llvm::CodeGenOptLevel::Default;
  default:
    return llvm::CodeGenOptLevel::Aggressive;
  }
}

FailureOr<Machine> Machine::lookup(StringRef name, int optLevel, std::string &error) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeX86AsmParser();

  // Asked first: a target machine would print a complaint of its own.
  if (name != "native" && llvm::X86::parseArchX86(name, /*Only64Bit=*/true) == llvm::X86::CK_None) {
    error = "unknown CPU '" + name.str() +
            "'; use native, x86-64-v3, x86-64-v4, or a name such as znver4, icelake-server";
    return failure();
  }
  Machine machine;
  std::string features;
  machine.cpu = name.str();
  if (name == "native") {
    machine.cpu = llvm::sys::getHostCPUName().str();
    // A virtual machine may lack features that the CPU's name implies.
    for (auto &feature : llvm::sys::getHostCPUFeatures())
      features += (features.empty() ? "" : ",") + std::string(feature.second ? "+" : "-") +
                  feature.first().str();
  }
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return failure();
  machine.target.reset(target->createTargetMachine(
      triple, machine.cpu, features, {}, llvm::Reloc::PIC_, std::nullopt, codeGenLevel(optLevel)));
  const llvm::MCSubtargetInfo &info = *machine.target->getMCSubtargetInfo();
  auto checks = [&](StringRef wanted) { return info.checkFeatures(wanted.str()); };
  if (checks("+avx2,+fma,+f16c"))
    machine.features |= MOIRE_CPU_AVX2;
  if (checks("+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"))
    machine.features |= MOIRE_CPU_AVX512;
  if (machine.has(MOIRE_CPU_AVX512) && checks("+avx512vnni"))
    machine.features |= MOIRE_CPU_AVX512_VNNI;
  if (machine.has(MOIRE_CPU_AVX512) && checks("+avx512bf16"))
    machine.features |= MOIRE_CPU_AVX512_BF16;
  if (!machine.has(MOIRE_CPU_AVX2)) {
    error =
        "the CPU '" + machine.cpu + "' lacks AVX2, FMA or F16C; Moire needs x86-64-v3 or better";
    return failure();
  }
  return machine;
}

std::unique_ptr<llvm::TargetMachine> Machine::newTarget() const {
  return std::unique_ptr<llvm::TargetMachine>(target->getTarget().createTargetMachine(
      target->getTargetTriple(), target->getTargetCPU(), target->getTargetFeatureString(),
      target->Options, target->getRelocationModel(), std::nullopt, target->getOptLevel()));
}

// Intel's servers since Sapphire Rapids.
static bool isGoldenCove(StringRef cpu) {
  static constexpr StringRef names[] = {"sapphirerapids", "emeraldrapids", "graniterapids",
                                        "graniterapids-d"};
  return llvm::is_contained(names, cpu);
}

// Whether a CPU has an instruction that it had better not use: there VDPBF16PS is microcode, and
// two fused multiply-adds are faster (AMX computes bf16 there).
static bool isSlow(StringRef instruction, StringRef cpu) {
  return instruction == "vdpbf16ps" && isGoldenCove(cpu);
}

// Measured: on Emerald Rapids four streams give a fifth more when they are asked for; on Zen 5 one
// or two give a quarter more so, also to code for AVX2, and CPUs without a name here are taken for
// it. On Zen 3 asking costs more than it gives.
Streams Machine::streams(int64_t panelBytes) const {
  bool isZen3 = cpu == "znver1" || cpu == "znver2" || cpu == "znver3";
  Streams streams = isGoldenCove(cpu) ? kStreamsGoldenCove : isZen3 ? kStreamsZen3 : kStreams;
  if (panelBytes < streams.panelBytes)
    streams.count = 1;
  return streams;
}

StringRef Machine::chooseInstruction(int64_t bits) const {
#define MOIRE_INSTRUCTION(class, name, rowBits, feature)                                           \
  if (bits == rowBits && has(feature) && !isSlow(name, cpu))                                       \
    return name;
#include "codegen/cpu/Instructions.def"
#undef MOIRE_INSTRUCTION
  if (bits == 16)
    return "vfmadd";
  llvm_unreachable("lookup() refuses machines without a row for every width");
}

std::string Machine::whyNotFirst(int64_t bits) const {
#define MOIRE_INSTRUCTION(class, name, rowBits, feature)                                           \
  if (bits == rowBits) {                                                                           \
    if (!has(feature))                                                                             \
      return name " needs " + describeCpuFeatures(feature & ~features) + ", which " + cpu +        \
             " lacks";                                                                             \
    return isSlow(name, cpu) ? name " is slow on " + cpu : "";                                     \
  }
#include "codegen/cpu/Instructions.def"
#undef MOIRE_INSTRUCTION
  llvm_unreachable("no row for products of this width");
}

} // namespace moire::cpu
