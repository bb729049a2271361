// Programs for machines that have other instructions than this one compute the same bits. The
// instructions that it lacks are spelled out (test/codegen/cpu/SpelledOut.h); all else, from the
// schedule to the places of buffers, is what such a machine gets.

#include "codegen/cpu/Compile.h"
#include "codegen/cpu/Phases.h"
#include "codegen/cpu/Tuning.h"
#include "frontends/weights/Container.h"
#include "test/codegen/cpu/SpelledOut.h"
#include "test/e2e/CompiledModel.h"
#include "test/runtime/SectionedFile.h"

#include "mlir/Parser/Parser.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <random>

using namespace mlir;

namespace moire {
namespace {

struct Case {
  const char *name, *model, *options, *cpu;
};

void PrintTo(const Case &test, std::ostream *os) { *os << test.name; }

constexpr int kOptLevel = 1;

cpu::Machine machineFor(const std::string &name) {
  std::string error;
  FailureOr<cpu::Machine> machine = cpu::Machine::lookup(name, kOptLevel, error);
  EXPECT_TRUE(succeeded(machine)) << error;
  return std::move(*machine);
}

// The object of an optimized module for `cpu`, with instructions of this machine.
std::vector<char> objectFor(const std::string &text, const std::string &model,
                            const std::string &cpu) {
  std::vector<char> object;
  DialectRegistry registry;
  registerCpuDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(text, &context);
  Container container;
  ReadError error;
  if (!module || !openContainer(model, container, error)) {
    ADD_FAILURE() << model;
    return object;
  }
  cpu::Machine there = machineFor(cpu), here = machineFor("native");
  cpu::Plan plan;
  bool done = succeeded(cpu::describeProgram(*module, cpu::kKvPage, plan)) &&
              succeeded(cpu::planWeights(*module, container, there, plan)) &&
              succeeded(cpu::specialize(*module)) && succeeded(cpu::schedule(*module, there, plan));
  if (done) {
    cpu::planBuffers(*module, plan);
    cpu::insertBarriers(*module);
    done = succeeded(cpu::expandKernels(*module));
    test::spellOutWhatIsMissing(*module, here);
    done = done && succeeded(cpu::lowerToLlvm(*module, plan)) &&
           succeeded(cpu::emitObject(*module, here, plan, kOptLevel, {&object, nullptr, nullptr}));
  }
  EXPECT_TRUE(done);
  return object;
}

class OtherMachines : public ::testing::TestWithParam<Case> {
protected:
  /// The logits of a prompt in one step, then of some tokens one by one, then of two sequences
  /// together.
  std::vector<float> logits(test::CompiledModel &model) {
    constexpr int64_t kPrompt = 150, kSingle = 3, kContext = 256;
    const int64_t vocab = model.info().vocab;
    moire_state *state = model.createState(2, 2, kContext, kContext);
    EXPECT_TRUE(state) << model.error();
    std::vector<float> all;
    std::mt19937 random(1);
    auto step = [&](const std::vector<int32_t> &slots) {
      std::vector<int32_t> tokens, rows;
      for (size_t i = 0; i < slots.size(); ++i) {
        tokens.push_back(std::uniform_int_distribution<int32_t>(0, vocab - 1)(random));
        rows.push_back(i);
      }
      size_t end = all.size();
      all.resize(end + rows.size() * vocab);
      moire_batch batch = {};
      batch.tokens = tokens.data();
      batch.slots = slots.data();
      batch.token_count = batch.row_count = tokens.size();
      batch.rows = rows.data();
      batch.logits = all.data() + end;
      EXPECT_EQ(moire_step_run(state, &batch), MOIRE_OK) << moire_state_error(state);
    };
    step(std::vector<int32_t>(kPrompt, 0));
    for (int64_t i = 0; i < kSingle; ++i)
      step({0});
    step({1, 1, 1, 1, 1, 1, 1, 0});
    step({0, 1});
    moire_state_destroy(state);
    return all;
  }
};

TEST_P(OtherMachines, ComputeTheSame) {
  const Case &chosen = GetParam();
  TemporaryFolder folder;
  test::CompiledModel here(chosen.model, chosen.options, folder / ".", "here");
  ASSERT_EQ(here.error(), "");

  // Of the program only the weights count.
  const std::string program = folder / "there", object = folder / "there.o";
  const std::string compile = std::string(MOIRE " compile --quiet '") + chosen.model + "' " +
                              chosen.options + " --cpu=" + chosen.cpu;
  std::string error;
  test::outputOf(compile + " -O0 -o " + program, error);
  ASSERT_EQ(error, "");
  std::string text = test::outputOf(compile + " --emit=mlir -o -", error);
  ASSERT_EQ(error, "");
  std::vector<char> bytes = objectFor(text, chosen.model, chosen.cpu);
  ASSERT_FALSE(bytes.empty());
  std::ofstream(object, std::ios::binary).write(bytes.data(), bytes.size());
  test::CompiledModel there(program, object);
  ASSERT_EQ(there.error(), "");

  std::vector<float> expected = logits(here), found = logits(there);
  ASSERT_EQ(found.size(), expected.size());
  auto differs = std::mismatch(expected.begin(), expected.end(), found.begin());
  EXPECT_EQ(differs.first, expected.end())
      << "row " << (differs.first - expected.begin()) / here.info().vocab << ": " << *differs.second
      << " instead of " << *differs.first;
}

INSTANTIATE_TEST_SUITE_P(Programs, OtherMachines,
                         ::testing::Values(Case{"vnni", SCRIBE, "--quant=int4:g32,router=keep",
                                                "znver4"},
                                           Case{"avx512", SCRIBE_Q8_MODEL, "", "skylake-avx512"},
                                           Case{"bf16", SCRIBE, "--activations=bf16", "znver5"}),
                         [](const auto &info) { return info.param.name; });

} // namespace
} // namespace moire
