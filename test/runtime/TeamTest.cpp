#include "runtime/cpu/Team.h"

#include "runtime/cpu/Cores.h"
#include "runtime/cpu/Features.h"
#include "runtime/cpu/FloatMode.h"

#include <gtest/gtest.h>

#include <time.h>
#include <vector>

namespace moire {
namespace {

// What the steps of these tests work on; found through moire_step.arena.
struct Counters {
  std::vector<int64_t> perThread;
  std::atomic<int64_t> wrong{0};
  int64_t rounds = 0;
};

Counters &countersOf(const moire_step *step) { return *reinterpret_cast<Counters *>(step->arena); }

// In every round each thread writes its own counter, all meet, and everyone looks at all counters.
void countInRounds(const moire_step *step, int64_t thread, int64_t team) {
  Counters &counters = countersOf(step);
  for (int64_t round = 1; round <= counters.rounds; ++round) {
    counters.perThread[thread] += 1;
    moire_barrier(step->barrier, thread);
    for (int64_t i = 0; i < team; ++i)
      if (counters.perThread[i] != round)
        ++counters.wrong;
    moire_barrier(step->barrier, thread);
  }
}

void sleepUnevenly(const moire_step *step, int64_t thread, int64_t team) {
  timespec time = {0, 300'000 * thread};
  nanosleep(&time, nullptr);
  countInRounds(step, thread, team);
}

class TeamSizes : public ::testing::TestWithParam<int64_t> {};

TEST_P(TeamSizes, BarriersSeparateRounds) {
  std::string error;
  std::unique_ptr<Team> team = Team::create(GetParam(), error);
  ASSERT_TRUE(team) << error;
  Counters counters;
  counters.rounds = 2000;
  moire_step step = {};
  step.arena = reinterpret_cast<uint8_t *>(&counters);
  step.barrier = team->barrier();
  for (int repeat = 0; repeat < 3; ++repeat) {
    counters.perThread.assign(GetParam(), 0);
    team->run(countInRounds, &step);
    for (int64_t count : counters.perThread)
      EXPECT_EQ(count, counters.rounds);
  }
  EXPECT_EQ(counters.wrong, 0);
}

TEST_P(TeamSizes, RunReturnsAfterTheSlowestThread) {
  std::string error;
  std::unique_ptr<Team> team = Team::create(GetParam(), error);
  ASSERT_TRUE(team) << error;
  Counters counters;
  counters.rounds = 1;
  moire_step step = {};
  step.arena = reinterpret_cast<uint8_t *>(&counters);
  step.barrier = team->barrier();
  for (int repeat = 0; repeat < 100; ++repeat) {
    counters.perThread.assign(GetParam(), 0);
    // Every other pause is longer than any spinning: the idle team sleeps and is woken.
    timespec pause = {0, repeat % 2 ? 400'000 : 0};
    nanosleep(&pause, nullptr);
    team->run(repeat % 10 ? countInRounds : sleepUnevenly, &step);
    for (int64_t count : counters.perThread)
      ASSERT_EQ(count, 1);
  }
  EXPECT_EQ(counters.wrong, 0);
}

INSTANTIATE_TEST_SUITE_P(Team, TeamSizes, ::testing::Values(1, 2, 3, 5, 8));

TEST(Team, ManyThreadsOnFewCoresStillMeetQuickly) {
  const int64_t size = coresByAffinity() * 4;
  std::string error;
  std::unique_ptr<Team> team = Team::create(size, error);
  ASSERT_TRUE(team) << error;
  Counters counters;
  counters.rounds = 500;
  counters.perThread.assign(size, 0);
  moire_step step = {};
  step.arena = reinterpret_cast<uint8_t *>(&counters);
  step.barrier = team->barrier();
  timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  team->run(countInRounds, &step);
  clock_gettime(CLOCK_MONOTONIC, &after);
  // 1000 barriers; spinning through whole time slices would take over 10 ms each.
  EXPECT_LT(after.tv_sec - before.tv_sec, 5);
  EXPECT_EQ(counters.wrong, 0);
}

#if defined(__x86_64__)
void noteFloatMode(const moire_step *step, int64_t thread, int64_t) {
  countersOf(step).perThread[thread] = _mm_getcsr() & 0xFFC0;
}

TEST(Team, ComputesInOneFloatModeAndRestoresTheCallers) {
  std::string error;
  std::unique_ptr<Team> team = Team::create(3, error);
  ASSERT_TRUE(team) << error;
  Counters counters;
  counters.perThread.assign(3, 0);
  moire_step step = {};
  step.arena = reinterpret_cast<uint8_t *>(&counters);
  step.barrier = team->barrier();
  const uint32_t before = _mm_getcsr();
  const uint32_t towardsZero = (before & ~0x8040u) | 0x6000;
  _mm_setcsr(towardsZero);
  team->run(noteFloatMode, &step);
  EXPECT_EQ(_mm_getcsr(), towardsZero);
  _mm_setcsr(before);
  for (int64_t mode : counters.perThread)
    EXPECT_EQ(mode, 0x9FC0); // no traps, flush to zero, denormals are zero, to nearest
}
#endif

TEST(Cores, QuotaIsRoundedDownButNeverToNothing) {
  EXPECT_EQ(coresFromCpuMax("200000 100000\n"), 2);
  EXPECT_EQ(coresFromCpuMax("399999 100000\n"), 3);
  EXPECT_EQ(coresFromCpuMax("50000 100000"), 1);
  EXPECT_EQ(coresFromCpuMax("max 100000\n"), INT64_MAX);
  EXPECT_EQ(coresFromCpuMax(""), INT64_MAX);
  EXPECT_EQ(coresFromCpuMax("100000"), INT64_MAX);
  EXPECT_EQ(coresFromCpuMax("100000 0"), INT64_MAX);
}

TEST(Cores, DefaultTeamHasAtLeastOneThread) {
  EXPECT_GE(defaultTeam(), 1);
  EXPECT_LE(defaultTeam(), coresByAffinity());
}

TEST(Features, AreNamedAndUnknownOnesToo) {
  EXPECT_EQ(describeCpuFeatures(0), "");
  EXPECT_EQ(describeCpuFeatures(MOIRE_CPU_AVX2 | MOIRE_CPU_AVX512_VNNI),
            "AVX2 with FMA and F16C, AVX-512 VNNI");
  EXPECT_NE(describeCpuFeatures(int64_t(1) << 40).find("0x10000000000"), std::string::npos);
}

TEST(Features, LaterOnesImplyEarlierOnes) {
  const int64_t features = cpuFeatures();
  if (features & (MOIRE_CPU_AVX512_VNNI | MOIRE_CPU_AVX512_BF16)) {
    EXPECT_TRUE(features & MOIRE_CPU_AVX512);
  }
  if (features & MOIRE_CPU_AVX512) {
    EXPECT_TRUE(features & MOIRE_CPU_AVX2);
  }
#if defined(__x86_64__)
  EXPECT_EQ(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"),
            (features & MOIRE_CPU_AVX2) != 0);
  EXPECT_EQ(__builtin_cpu_supports("avx512vnni") != 0, (features & MOIRE_CPU_AVX512_VNNI) != 0);
#endif
}

} // namespace
} // namespace moire
