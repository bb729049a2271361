// A product by itself computes what that of a model does, and takes the same machine instruction.

#include "codegen/cpu/ProductProbe.h"
#include "codegen/cpu/Machine.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace moire::cpu {
namespace {

// Memory of a step of `rows` rows, 64-byte aligned.
class Step {
public:
  Step(const ProductProbe &probe, int64_t rows, int64_t width)
      : room(moire_whole_fours(rows)), weights(probe.weightBytes / 4 + 16),
        arena(probe.arenaBytesPerToken * room / 4 + 16),
        scratch((probe.scratchBytes + probe.scratchBytesPerToken * room) / 4 + 16),
        logits(rows * width) {
    step.weights = reinterpret_cast<uint8_t *>(aligned(weights));
    step.arena = reinterpret_cast<uint8_t *>(aligned(arena));
    step.scratch = reinterpret_cast<uint8_t *>(aligned(scratch));
    step.logits = logits.data();
    step.token_count = step.row_count = rows;
    step.max_tokens = room;
  }
  static float *aligned(std::vector<float> &memory) {
    return reinterpret_cast<float *>((reinterpret_cast<uintptr_t>(memory.data()) + 63) / 64 * 64);
  }

  int64_t room; // in tokens
  std::vector<float> weights, arena, scratch, logits;
  moire_step step = {};
};

TEST(ProductProbe, MultipliesRowsWithAWeight) {
  constexpr int64_t k = 64, width = 48;
  auto probe = ProductProbe::compile({StorageType::F32, ProbeRows::F32, k, width});
  ASSERT_TRUE(bool(probe)) << llvm::toString(probe.takeError());
  EXPECT_EQ(probe->panel, "f32");
  EXPECT_EQ(probe->instruction, "vfmadd");
  EXPECT_GE(probe->weightBytes, width * k * 4);
  for (int64_t rows : {1, 7})
    for (bool one : {false, true}) {
      if (one && rows > 1)
        continue;
      Step step(*probe, rows, width);
      std::fill(step.weights.begin(), step.weights.end(), 0.5f);
      for (std::vector<float> *memory : {&step.arena, &step.scratch})
        std::fill(memory->begin(), memory->end(), 2.0f);
      (one ? probe->steps.one : probe->steps.many)(&step.step, 0, 1);
      for (float y : step.logits)
        ASSERT_EQ(y, 2.0f * 0.5f * k) << rows << " rows";
    }
}

TEST(ProductProbe, TakesTheInstructionOfTheMachine) {
  std::string error;
  auto machine = Machine::lookup("native", 0, error);
  ASSERT_TRUE(mlir::succeeded(machine)) << error;
  constexpr int64_t k = 512, width = 32;
  for (const ProbeProduct &product : probeProducts(k, width)) {
    std::string name(storageTypeInfo(product.type).name);
    auto probe = ProductProbe::compile(product);
    ASSERT_TRUE(bool(probe)) << name << ": " << llvm::toString(probe.takeError());
    if (product.rows == ProbeRows::Int8)
      EXPECT_EQ(probe->instruction,
                machine->chooseInstruction(panelInfo(*panelFormatNamed(probe->panel)).dotBits()));
    if (product.rows == ProbeRows::BF16)
      EXPECT_EQ(probe->instruction, machine->chooseInstruction(16));
    EXPECT_GE(probe->weightBytes, width / 16 * product.panelBytes()) << name;
    // Small numbers, in every format: one comes out.
    Step step(*probe, 5, width);
    std::fill_n(reinterpret_cast<uint8_t *>(step.weights.data()), 4 * step.weights.size(), 0x21);
    std::fill_n(reinterpret_cast<uint8_t *>(step.arena.data()), 4 * step.arena.size(), 0x31);
    probe->steps.many(&step.step, 0, 1);
    for (float y : step.logits)
      ASSERT_TRUE(std::isfinite(y) && y != 0) << name << " yields " << y;
  }
}

TEST(ProductProbe, SaysWhatItCannotDo) {
  auto probe = ProductProbe::compile({StorageType::Q4_0, ProbeRows::Int8, 33, 16});
  ASSERT_FALSE(bool(probe));
  std::string message = llvm::toString(probe.takeError());
  EXPECT_NE(message.find("a product of q4_0 cannot be compiled by itself: "), message.npos)
      << message;
}

} // namespace
} // namespace moire::cpu
