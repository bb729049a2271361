// Limits of a machine, measured for a moment: numbers are of the right kind, and what is printed
// can be read. How fast the machine is, no test may say.

#include "bench/limits/Assembly.h"
#include "bench/limits/Generated.h"
#include "runtime/IdealTime.h"
#include "runtime/Json.h"
#include "runtime/cpu/Features.h"

#include <cmath>
#include <gtest/gtest.h>

namespace moire::limits {
namespace {

void measure(Report &report, bool generated) {
  std::vector<std::unique_ptr<Team>> teams;
  std::string error;
  for (int64_t size : {1, 2}) {
    teams.push_back(Team::create(size, error));
    ASSERT_TRUE(teams.back()) << error;
    ASSERT_TRUE(measureAssembly(*teams.back(), Effort::brief(), report, error)) << error;
  }
  if (generated)
    ASSERT_TRUE(measureGenerated(teams, Effort::brief(), report, error)) << error;
}

// Between a machine of forty years ago and one of forty years ahead.
void expectPlausible(double rate) {
  EXPECT_TRUE(std::isfinite(rate));
  EXPECT_GT(rate, 1e5);
  EXPECT_LT(rate, 1e18);
}

TEST(Limits, AssemblyMeasuresEachKindForEachTeam) {
  Report report;
  ASSERT_NO_FATAL_FAILURE(measure(report, /*generated=*/false));
  EXPECT_EQ(report.machine, cpuName());
  const bool bf16 = cpuFeatures() & MOIRE_CPU_AVX512_BF16;
  EXPECT_EQ(report.limits.size(), bf16 ? 8u : 6u);
  for (int64_t size : {1, 2})
    for (Kind kind : kKinds)
      if (kind != Kind::Bf16 || bf16) {
        SCOPED_TRACE(std::string(nameOf(kind)) + " of " + std::to_string(size));
        const Limit &limit = report.limit(kind, size);
        expectPlausible(limit.assembly.perSecond);
        EXPECT_NE(limit.assembly.by, "");
        EXPECT_EQ(limit.generated.perSecond, 0);
        EXPECT_EQ(limit.best(), limit.assembly.perSecond);
      }
}

TEST(Limits, TheSameLoopsMeasureAgain) {
  Report before;
  ASSERT_NO_FATAL_FAILURE(measure(before, /*generated=*/false));
  before.limit(Kind::Int8, 2).generated = {1e30, "what no loop reaches"};
  LimitsAgain again(before, Effort::brief());
  for (int round = 0; round < 2; ++round) {
    Report now;
    std::string error;
    ASSERT_TRUE(again.measure(2, now, error)) << error;
    EXPECT_EQ(now.limits.size(), before.limits.size() / 2);
    for (const Limit &limit : now.limits) {
      expectPlausible(limit.best());
      EXPECT_EQ(limit.assembly.by, before.limit(limit.kind, 2).assembly.by);
    }
  }
  Report now;
  std::string error;
  EXPECT_FALSE(again.measure(3, now, error));
  EXPECT_EQ(error, "a team of 3 was not measured before");
}

TEST(Limits, GeneratedCodeIsMeasuredForEveryFormat) {
  Report report;
  ASSERT_NO_FATAL_FAILURE(measure(report, /*generated=*/true));
  size_t formats = 3; // f32, f16, bf16
#define MOIRE_PANEL(enumerator, name, bits, ...) formats += bits != 0;
#include "dialects/Formats.def"
  EXPECT_EQ(report.ceilings.size(), 2 * formats);
  for (const Ceiling &ceiling : report.ceilings) {
    SCOPED_TRACE(ceiling.format);
    expectPlausible(ceiling.operations);
    expectPlausible(ceiling.read);
    EXPECT_NE(ceiling.instruction, "");
    // A limit is at least what any product reaches.
    EXPECT_GE(report.best(ceiling.kind, ceiling.threads), ceiling.operations);
    EXPECT_GE(report.best(Kind::Read, ceiling.threads), ceiling.read);
  }
  for (const Limit &limit : report.limits) {
    if (limit.kind != Kind::Bf16) // VDPBF16PS may be too slow to be chosen
      expectPlausible(limit.generated.perSecond);
    EXPECT_EQ(limit.best(), std::max(limit.assembly.perSecond, limit.generated.perSecond));
  }
}

Report sample() {
  Report report{.machine = "Some \"CPU\"", .features = "AVX2", .limits = {}, .ceilings = {}};
  report.limit(Kind::Read, 2).assembly.improve(4.25e10, "8 streams");
  report.limit(Kind::Read, 2).generated.improve(4e10, "one row of q8_0");
  report.limit(Kind::Int8, 2).assembly.improve(5e11, "vpmaddubsw");
  report.limit(Kind::Int8, 2).generated.improve(3e11, "q4_0");
  report.limit(Kind::Int8, 2).generated.improve(2e11, "q6_k");
  report.limit(Kind::F32, 2);
  report.ceilings.push_back({"q4_0", "vpmaddubsw", Kind::Int8, 2, 3e11, 3.4e10});
  return report;
}

TEST(Limits, Markdown) {
  EXPECT_EQ(toMarkdown(sample()),
            "Some \"CPU\", AVX2\n\n"
            "| limit | threads | best | assembly | generated |\n"
            "|---|---:|---:|---|---|\n"
            "| read, GB/s | 2 | 42.5 | 42.5 (8 streams) | 40.0 (one row of q8_0) |\n"
            "| f32, Gop/s | 2 | – | – | – |\n"
            "| int8, Gop/s | 2 | 500 | 500 (vpmaddubsw) | 300 (q4_0) |\n\n"
            "Products that the compiler makes: many rows in the caches, and one row of weights in "
            "memory.\n\n"
            "| weights | instruction | threads | many rows, Gop/s | of peak | one row, GB/s | of "
            "bandwidth |\n"
            "|---|---|---:|---:|---:|---:|---:|\n"
            "| q4_0 | vpmaddubsw | 2 | 300 | 0.60 | 34.0 | 0.80 |\n");
}

TEST(Limits, Json) {
  JsonValue object;
  std::string error, text = toJson(sample());
  ASSERT_TRUE(parseJson(text, object, error)) << error;
  EXPECT_EQ(object.find("machine")->string, "Some \"CPU\"");
  const JsonValue &read = object.find("limits")->items[0];
  EXPECT_EQ(read.find("kind")->string, "read");
  EXPECT_EQ(read.find("threads")->integer, 2);
  EXPECT_EQ(read.find("rate")->real, 4.25e10);
  EXPECT_EQ(read.find("generated")->find("rate")->real, 4e10);
  EXPECT_EQ(read.find("generated")->find("by")->string, "one row of q8_0");
  EXPECT_EQ(object.find("limits")->items[2].find("assembly")->kind, JsonValue::Null);
  const JsonValue &format = object.find("formats")->items[0];
  EXPECT_EQ(format.find("format")->string, "q4_0");
  EXPECT_EQ(format.find("operations")->real, 3e11);
  // And programs can read it.
  MachineLimits limits;
  ASSERT_TRUE(parseLimits(text, 2, limits, error)) << error;
  EXPECT_EQ(limits.read, 4.25e10);
  EXPECT_EQ(limits.int8, 5e11);
  EXPECT_EQ(limits.f32, 0);
}

TEST(Limits, MemoryIsFilledWithSmallNumbers) {
  std::vector<uint8_t> bytes(4096);
  fillHarmlessly(bytes.data(), 4096, 3);
  for (uint8_t byte : bytes)
    ASSERT_LT(byte, 0x40);
  EXPECT_NE(bytes[0], bytes[8]);
}

} // namespace
} // namespace moire::limits
