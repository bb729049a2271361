// What the machine will execute: static checks of the code that is generated for CPUs, of which the
// one that runs the tests may lack the instructions.

#include "test/codegen/cpu/Assembly.h"
#include "codegen/cpu/Machine.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"

#include <gtest/gtest.h>
#include <map>
#include <set>

using namespace mlir;

namespace moire {
namespace {

struct Code {
  std::set<std::string> mnemonics, called;
  bool zmm = false;
  std::vector<std::string> zmmOf(const std::string &mnemonic) const {
    std::vector<std::string> found;
    for (const std::string &line : lines)
      if (line.find(mnemonic) != std::string::npos && line.find("%zmm") != std::string::npos)
        found.push_back(line);
    return found;
  }
  std::vector<std::string> lines;
};

// The code of a model with weights of `format`; compiled once.
const Code &codeFor(const std::string &format, const std::string &cpu) {
  static std::map<std::pair<std::string, std::string>, Code> known;
  auto [place, isNew] = known.try_emplace({format, cpu});
  Code &code = place->second;
  if (!isNew)
    return code;
  for (llvm::StringRef line : test::assemblyOf(format, cpu)) {
    if (!test::isInstruction(line))
      continue;
    auto [mnemonic, operands] = llvm::getToken(line, " \t");
    code.lines.push_back(line.str());
    code.mnemonics.insert(mnemonic.str());
    if (mnemonic.starts_with("call") || (mnemonic.starts_with("jmp") && !operands.contains(".L")))
      code.called.insert(operands.trim().split('@').first.str());
    code.zmm |= operands.contains("%zmm");
  }
  return code;
}

TEST(Machine, TakesTheFirstRowOfTheTableThatItHas) {
  struct {
    const char *cpu, *codes, *bytes, *sixteen;
  } expected[] = {{"x86-64-v3", "vpmaddubsw", "vpsignb+vpmaddubsw", "vfmadd"},
                  {"znver3", "vpmaddubsw", "vpsignb+vpmaddubsw", "vfmadd"},
                  {"x86-64-v4", "vpmaddubsw.512", "vpsubb+vpmaddubsw.512", "vfmadd"},
                  {"skylake-avx512", "vpmaddubsw.512", "vpsubb+vpmaddubsw.512", "vfmadd"},
                  {"icelake-server", "vpdpbusd", "vpdpbusd", "vfmadd"},
                  {"cooperlake", "vpdpbusd", "vpdpbusd", "vdpbf16ps"},
                  {"znver4", "vpdpbusd", "vpdpbusd", "vdpbf16ps"},
                  {"znver5", "vpdpbusd", "vpdpbusd", "vdpbf16ps"},
                  // They have the instruction, in microcode.
                  {"sapphirerapids", "vpdpbusd", "vpdpbusd", "vfmadd"},
                  {"emeraldrapids", "vpdpbusd", "vpdpbusd", "vfmadd"},
                  {"graniterapids", "vpdpbusd", "vpdpbusd", "vfmadd"}};
  for (auto [name, codes, bytes, sixteen] : expected) {
    std::string error;
    FailureOr<cpu::Machine> machine = cpu::Machine::lookup(name, 3, error);
    ASSERT_TRUE(succeeded(machine)) << error;
    for (int64_t bits : {4, 5, 6})
      EXPECT_EQ(machine->chooseInstruction(bits), codes) << name << " " << bits;
    EXPECT_EQ(machine->chooseInstruction(8), bytes) << name;
    EXPECT_EQ(machine->chooseInstruction(16), sixteen) << name;
  }
}

TEST(Machine, RefusesWhatItCannotServe) {
  for (auto [name, reason] : {std::pair("x86-64-v2", "lacks AVX2"), {"pentium9", "unknown CPU"}}) {
    std::string error;
    EXPECT_TRUE(failed(cpu::Machine::lookup(name, 3, error))) << name;
    EXPECT_NE(error.find(reason), std::string::npos) << error;
  }
}

class Assembly : public testing::TestWithParam<const char *> {};

std::vector<std::string> startingWith(const std::set<std::string> &names, llvm::StringRef prefix) {
  std::vector<std::string> found;
  for (const std::string &name : names)
    if (llvm::StringRef(name).starts_with(prefix))
      found.push_back(name);
  return found;
}

// No function of the C library, of libm or of the compiler's support library: the runtime's
// barrier, the layers and the products in front of them and behind, which are code of ours.
void expectOwnCallsOnly(const Code &code) {
  for (llvm::StringRef name : code.called)
    EXPECT_TRUE(name == "moire_barrier" || name.starts_with("layer") ||
                name.starts_with("forward."))
        << name.str();
}

TEST_P(Assembly, Avx512UsesVnniOnWholeRegisters) {
  std::vector<const char *> cpus = {"znver4"};
  if (std::string(GetParam()) == "q4_0")
    cpus.push_back("icelake-server"); // LLVM would rather use 256 bits there
  for (const char *cpu : cpus) {
    SCOPED_TRACE(cpu);
    const Code &code = codeFor(GetParam(), cpu);
    EXPECT_FALSE(code.zmmOf("vpdpbusd").empty());
    EXPECT_TRUE(startingWith(code.mnemonics, "vpmaddubsw").empty());
    EXPECT_TRUE(startingWith(code.mnemonics, "vpgather").empty());
    EXPECT_TRUE(startingWith(code.mnemonics, "vgather").empty());
    expectOwnCallsOnly(code);
  }
}

// The activations are broadcast by the instruction itself; only panels that are read side by side
// share a register of them.
TEST_P(Assembly, Avx512FoldsTheBroadcast) {
  const Code &code = codeFor(GetParam(), "znver4");
  size_t folded = 0, all = 0;
  for (const std::string &line : code.zmmOf("vpdpbusd")) {
    ++all;
    folded += line.find("{1to16}") != std::string::npos;
  }
  EXPECT_GT(all, 0u);
  EXPECT_GE(3 * folded, all) << folded << " of " << all;
}

TEST_P(Assembly, Avx2HasItsOwnRow) {
  const Code &code = codeFor(GetParam(), "x86-64-v3");
  EXPECT_FALSE(startingWith(code.mnemonics, "vpmaddubsw").empty());
  EXPECT_FALSE(startingWith(code.mnemonics, "vfmadd").empty());
  EXPECT_FALSE(code.zmm);
  EXPECT_TRUE(startingWith(code.mnemonics, "vpdpbusd").empty());
  EXPECT_TRUE(startingWith(code.mnemonics, "vpgather").empty());
  expectOwnCallsOnly(code);
}

// AVX-512 without VNNI multiplies bytes on whole registers, too.
TEST_P(Assembly, Avx512WithoutVnniHasItsOwnRow) {
  const Code &code = codeFor(GetParam(), "x86-64-v4");
  EXPECT_FALSE(code.zmmOf("vpmaddubsw").empty());
  EXPECT_FALSE(code.zmmOf("vpmaddwd").empty());
  std::string format = GetParam();
  bool isSigned = format == "q8_0" || format == "iq4_nl";
  // The sign is a subtraction under a mask that all tokens share.
  EXPECT_EQ(isSigned, !code.zmmOf("vpabsb").empty());
  EXPECT_EQ(isSigned, !code.zmmOf("vpsubb").empty());
  EXPECT_TRUE(startingWith(code.mnemonics, "vpsignb").empty());
  EXPECT_TRUE(startingWith(code.mnemonics, "vpdpbusd").empty());
  expectOwnCallsOnly(code);
}

INSTANTIATE_TEST_SUITE_P(Formats, Assembly,
                         testing::Values("q4_0", "q4_1", "q5_0", "q8_0", "iq4_nl", "mxfp4"),
                         [](const auto &info) { return std::string(info.param); });

TEST(AssemblyOfProfile, TimeStampsStandWhereRegionsEnd) {
  CompiledModel plain = test::compileModel("q4_0", "x86-64-v3");
  EXPECT_FALSE(llvm::StringRef(plain.assembly).contains("rdtsc"));
  EXPECT_TRUE(plain.regions.empty());
  CompiledModel profiled = test::compileModel("q4_0", "x86-64-v3", /*profile=*/true);
  EXPECT_GT(profiled.regions.size(), 20u);
  EXPECT_EQ(llvm::StringRef(profiled.assembly).count("rdtscp"), profiled.regions.size());
}

// Rows of bf16: pairs where an instruction takes them, its broadcast folded where no other panel
// shares it; f32 elsewhere.
TEST(AssemblyOfBf16, PairsAreMultipliedOnWholeRegisters) {
  for (const char *cpu : {"znver4", "znver5", "cooperlake"}) {
    SCOPED_TRACE(cpu);
    const Code &code = codeFor("bf16", cpu);
    std::vector<std::string> products = code.zmmOf("vdpbf16ps");
    size_t folded = llvm::count_if(
        products, [](const std::string &line) { return line.find("{1to16}") != line.npos; });
    EXPECT_GT(products.size(), 0u);
    EXPECT_GE(3 * folded, products.size());
    EXPECT_TRUE(startingWith(code.mnemonics, "vpgather").empty());
    expectOwnCallsOnly(code);
  }
}

TEST(AssemblyOfBf16, ElsewhereItIsF32) {
  for (const char *cpu : {"sapphirerapids", "x86-64-v4", "x86-64-v3"}) {
    SCOPED_TRACE(cpu);
    const Code &code = codeFor("bf16", cpu);
    EXPECT_TRUE(startingWith(code.mnemonics, "vdpbf16ps").empty());
    EXPECT_FALSE(startingWith(code.mnemonics, "vfmadd").empty());
    expectOwnCallsOnly(code);
  }
}

} // namespace
} // namespace moire
