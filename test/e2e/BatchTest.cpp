// What a sequence computes does not depend on its company: several sequences that step together,
// are forked, cut back and emptied have, bit for bit, the logits of each one alone.

#include "test/e2e/CompiledModel.h"
#include "test/runtime/SectionedFile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <random>

namespace moire {
using test::CompiledModel;
using test::outputOf;

namespace {

constexpr int64_t kContext = 200;
using Tokens = std::vector<int32_t>;

struct Kind {
  const char *name, *model, *options;
  int32_t slots = 4;
};

void PrintTo(const Kind &kind, std::ostream *os) { *os << kind.name; }

class BatchTest : public ::testing::TestWithParam<Kind> {
protected:
  static void SetUpTestSuite() {
    folder = new TemporaryFolder;
    models = new std::map<std::string, std::unique_ptr<CompiledModel>>;
  }
  static void TearDownTestSuite() {
    delete models;
    delete folder;
  }

  void SetUp() override {
    const Kind &kind = GetParam();
    std::unique_ptr<CompiledModel> &once = (*models)[kind.name];
    if (!once)
      once = std::make_unique<CompiledModel>(kind.model, kind.options, *folder / ".", kind.name);
    compiled = once.get();
    ASSERT_EQ(compiled->error(), "");
    reference = compiled->createState(1, 1, kContext, kContext);
    ASSERT_TRUE(reference) << compiled->error();
  }
  void TearDown() override { moire_state_destroy(reference); }

  int64_t vocabulary() const { return compiled->info().vocab; }

  /// Runs `tokens` of `slots`; returns the logits of `rows`.
  std::vector<float> step(moire_state *state, const Tokens &tokens, const Tokens &slots,
                          const Tokens &rows) {
    std::vector<float> logits(rows.size() * vocabulary());
    moire_batch batch = {};
    batch.tokens = tokens.data();
    batch.slots = slots.data();
    batch.token_count = static_cast<int64_t>(tokens.size());
    batch.rows = rows.data();
    batch.row_count = static_cast<int64_t>(rows.size());
    batch.logits = logits.data();
    EXPECT_EQ(moire_step_run(state, &batch), MOIRE_OK) << moire_state_error(state);
    return logits;
  }

  /// The logits of every position of a sequence that has a state to itself, in one step.
  std::vector<float> alone(const Tokens &sequence) {
    Tokens rows(sequence.size());
    for (size_t i = 0; i < rows.size(); ++i)
      rows[i] = static_cast<int32_t>(i);
    EXPECT_EQ(moire_slot_reset(reference, 0), MOIRE_OK);
    return step(reference, sequence, Tokens(sequence.size(), 0), rows);
  }

  bool sameRow(const float *a, const float *b) const {
    return memcmp(a, b, vocabulary() * sizeof(float)) == 0;
  }

  static TemporaryFolder *folder;
  static std::map<std::string, std::unique_ptr<CompiledModel>> *models; // each compiled once
  CompiledModel *compiled = nullptr;
  moire_state *reference = nullptr;
};

TemporaryFolder *BatchTest::folder;
std::map<std::string, std::unique_ptr<CompiledModel>> *BatchTest::models;

/// Some slots live through a random schedule; `histories` is what they hold.
class Schedule {
public:
  static constexpr size_t kLongestStep = 40; // tokens of one slot

  Schedule(uint32_t seed, int32_t slots) : slots(slots), random(seed), histories(slots) {}

  int64_t below(int64_t bound) {
    return std::uniform_int_distribution<int64_t>(0, bound - 1)(random);
  }

  /// Copies, cuts or empties a slot, now and then.
  void rearrange(moire_state *state) {
    const auto slot = static_cast<int32_t>(below(slots)),
               other = static_cast<int32_t>(below(slots));
    switch (below(6)) {
    case 0:
      if (slot != other) {
        ASSERT_EQ(moire_slot_fork(state, slot, other), MOIRE_OK) << moire_state_error(state);
        histories[other] = histories[slot];
        ++forks;
      }
      break;
    case 1: {
      const int64_t length = below(static_cast<int64_t>(histories[slot].size()) + 1);
      ASSERT_EQ(moire_slot_truncate(state, slot, length), MOIRE_OK) << moire_state_error(state);
      histories[slot].resize(length);
      ++cuts;
      break;
    }
    default:
      break;
    }
    for (int32_t full = 0; full < slots; ++full)
      if (histories[full].size() + kLongestStep > kContext) {
        ASSERT_EQ(moire_slot_reset(state, full), MOIRE_OK);
        histories[full].clear();
      }
  }

  /// Draws the tokens of a step: some slots, one or many tokens each, in a random interleaving.
  /// `of`: the slot of each.
  void draw(int64_t vocabulary, Tokens &tokens, Tokens &of, Tokens &rows) {
    of.clear();
    for (int32_t slot = 0; slot < slots; ++slot)
      if (below(3))
        of.insert(of.end(), below(3) ? 1 : 1 + below(kLongestStep), slot);
    if (of.empty())
      of.push_back(static_cast<int32_t>(below(slots)));
    if (below(2))
      std::shuffle(of.begin(), of.end(), random);
    tokens.clear();
    rows.clear();
    for (int32_t slot : of) {
      if (below(4))
        rows.push_back(static_cast<int32_t>(tokens.size()));
      tokens.push_back(static_cast<int32_t>(below(vocabulary)));
      histories[slot].push_back(tokens.back());
    }
  }

  const int32_t slots;
  std::mt19937 random;
  std::vector<Tokens> histories;
  int forks = 0, cuts = 0;
};

TEST_P(BatchTest, AloneOrBesideOthers) {
  for (int32_t threads : {2, 3}) {
    const int32_t count = GetParam().slots;
    moire_state *state =
        compiled->createState(count, threads, kContext, count * Schedule::kLongestStep);
    ASSERT_TRUE(state) << compiled->error();
    Schedule schedule(threads, count);
    Tokens tokens, slots, rows;
    int64_t compared = 0;
    for (int i = 0; i < 150; ++i) {
      ASSERT_NO_FATAL_FAILURE(schedule.rearrange(state));
      schedule.draw(vocabulary(), tokens, slots, rows);
      const std::vector<float> logits = step(state, tokens, slots, rows);
      for (int32_t slot = 0; slot < count; ++slot) {
        const Tokens &history = schedule.histories[slot];
        ASSERT_EQ(moire_slot_length(state, slot), static_cast<int64_t>(history.size()));
        if (std::none_of(rows.begin(), rows.end(), [&](int32_t row) { return slots[row] == slot; }))
          continue;
        const std::vector<float> expected = alone(history);
        size_t position = history.size() - std::count(slots.begin(), slots.end(), slot);
        for (size_t token = 0; token < tokens.size(); ++token) {
          if (slots[token] != slot)
            continue;
          auto row = std::find(rows.begin(), rows.end(), static_cast<int32_t>(token));
          if (row != rows.end()) {
            ASSERT_TRUE(sameRow(&logits[(row - rows.begin()) * vocabulary()],
                                &expected[position * vocabulary()]))
                << "step " << i << " of " << tokens.size() << " tokens with " << threads
                << " threads: slot " << slot << ", position " << position;
            ++compared;
          }
          ++position;
        }
      }
    }
    EXPECT_GT(compared, 1000);
    EXPECT_GT(schedule.forks, 10);
    EXPECT_GT(schedule.cuts, 10);
    moire_state_destroy(state);
  }
}

TEST_P(BatchTest, RepeatedPagesAreLikeOthers) {
  const int64_t page = compiled->info().kv_page_positions, length = page + page / 2 + 1;
  ASSERT_LE(length, kContext);
  Tokens first;
  for (int64_t i = 0; i < page; ++i)
    first.push_back(static_cast<int32_t>(i * 7 % vocabulary()));
  std::vector<float> expected;
  for (int32_t threads : {1, 3}) {
    moire_state *state = compiled->createState(1, threads, kContext, page);
    ASSERT_TRUE(state) << compiled->error();
    const std::vector<float> before = step(state, first, Tokens(page, 0), {0});
    ASSERT_EQ(moire_slot_repeat(state, 0, length), MOIRE_OK) << moire_state_error(state);
    const std::vector<float> behind = step(state, {5}, {0}, {0});
    for (float logit : behind)
      ASSERT_TRUE(std::isfinite(logit));
    if (expected.empty())
      expected = behind;
    EXPECT_EQ(behind, expected) << threads << " threads";
    // What they are copies of is as it was.
    ASSERT_EQ(moire_slot_truncate(state, 0, page), MOIRE_OK);
    Tokens sequence = first;
    sequence.push_back(5);
    const std::vector<float> cut = step(state, {5}, {0}, {0});
    EXPECT_TRUE(sameRow(cut.data(), &alone(sequence)[page * vocabulary()]));
    EXPECT_NE(cut, behind) << "a longer context says something else";
    moire_state_destroy(state);
  }
}

TEST_P(BatchTest, LogitsDependOnWhatCameBefore) {
  // Were they the same whatever a slot holds, the test above would pass for nothing.
  const std::vector<float> one = alone({5, 6, 7}), other = alone({6, 5, 7});
  EXPECT_FALSE(sameRow(&one[2 * vocabulary()], &other[2 * vocabulary()]));
}

TEST_P(BatchTest, PositionsThatWereDroppedLeaveNoTrace) {
  moire_state *state = compiled->createState(2, 2, kContext, kContext);
  ASSERT_TRUE(state) << compiled->error();
  Tokens kept(70), dropped(100);
  for (size_t i = 0; i < dropped.size(); ++i)
    dropped[i] = static_cast<int32_t>(i * 7 % vocabulary());
  std::copy_n(dropped.begin(), kept.size(), kept.begin());
  step(state, dropped, Tokens(dropped.size(), 0), {});
  // Slot 1 shares the pages and must not see what slot 0 then writes into them.
  ASSERT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK);
  ASSERT_EQ(moire_slot_truncate(state, 0, 70), MOIRE_OK);
  const std::vector<float> after = step(state, {1, 2}, {0, 1}, {0, 1});
  kept.push_back(1);
  dropped.push_back(2);
  EXPECT_TRUE(sameRow(&after[0], &alone(kept)[70 * vocabulary()]));
  EXPECT_TRUE(sameRow(&after[vocabulary()], &alone(dropped)[100 * vocabulary()]));
  moire_state_destroy(state);
}

INSTANTIATE_TEST_SUITE_P(
    Models, BatchTest,
    ::testing::Values(Kind{"int8", MIXED_BLOCKS_MODEL, "-O0"},
                      Kind{"float32", GOLDEN "/llama-gqa", "-O0 --activations=f32"},
                      Kind{"window", GOLDEN "/mistral-window", "-O0 --kv-page=16"},
                      Kind{"biases", GOLDEN "/qwen2",
                           "-O0 --kv-page=32 --activations=f32 --kv=f16"},
                      Kind{"experts", GOLDEN "/deepseek-moe", "-O0", 16},
                      Kind{"chosen_experts", GOLDEN "/mixtral", "-O0 --activations=f32"},
                      Kind{"trained_experts", SCRIBE_Q8_MODEL, "-O0 --kv=int8"},
                      Kind{"kv_bf16", GOLDEN "/llama-gqa", "-O0 --kv=bf16 --kv-page=16"},
                      Kind{"kv_int8", GOLDEN "/mistral-window", "-O0 --kv=int8 --kv-page=16"}),
    [](const auto &info) { return std::string(info.param.name); });

} // namespace
} // namespace moire
