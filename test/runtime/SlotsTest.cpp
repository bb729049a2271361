// Forking, truncating and resetting slots: no sequence ever sees another's keys.

#include "test/runtime/HostFixture.h"

namespace moire {
namespace {

class SlotsTest : public HostTest {};

TEST_F(SlotsTest, ForksGoTheirOwnWays) {
  create({.slots = 3, .threads = 2});
  ASSERT_EQ(feed(0, range(1, 6)), MOIRE_OK); // the second page is half full
  ASSERT_EQ(feed(1, range(100, 9)), MOIRE_OK);
  ASSERT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK);
  ASSERT_EQ(moire_slot_fork(state, 0, 2), MOIRE_OK);
  EXPECT_EQ(moire_slot_length(state, 1), 6);
  // Both append to the shared page in one step, then the original does.
  const std::vector<int32_t> tokens = {30, 40, 31, 41}, slots = {1, 2, 1, 2}, rows = {2, 3};
  std::vector<float> out(2 * FAKE_VOCAB);
  moire_batch batch = {};
  batch.tokens = tokens.data();
  batch.slots = slots.data();
  batch.token_count = 4;
  batch.rows = rows.data();
  batch.row_count = 2;
  batch.logits = out.data();
  ASSERT_EQ(moire_step_run(state, &batch), MOIRE_OK) << error();
  EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + FAKE_VOCAB),
            expectedLogits({1, 2, 3, 4, 5, 6, 30, 31}));
  EXPECT_EQ(std::vector<float>(out.begin() + FAKE_VOCAB, out.end()),
            expectedLogits({1, 2, 3, 4, 5, 6, 40, 41}));
  ASSERT_EQ(feed(0, {7}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits(range(1, 7)));
  ASSERT_EQ(feed(1, {32}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits({1, 2, 3, 4, 5, 6, 30, 31, 32}));
}

TEST_F(SlotsTest, ForkSurvivesItsOrigin) {
  create({.slots = 2, .threads = 1});
  ASSERT_EQ(feed(0, range(1, 10)), MOIRE_OK);
  ASSERT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK);
  ASSERT_EQ(moire_slot_reset(state, 0), MOIRE_OK);
  ASSERT_EQ(feed(0, range(200, 12)), MOIRE_OK);
  ASSERT_EQ(feed(1, {11}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits(range(1, 11)));
}

TEST_F(SlotsTest, ForkChecksItsArguments) {
  create({.slots = 2});
  EXPECT_EQ(moire_slot_fork(state, 0, 0), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_fork(state, 0, 2), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_fork(state, -1, 0), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK) << "an empty one may be forked";
}

TEST_F(SlotsTest, TruncateGoesBack) {
  create({.slots = 2, .threads = 2});
  ASSERT_EQ(feed(0, range(1, 11)), MOIRE_OK);
  EXPECT_EQ(moire_slot_truncate(state, 0, 12), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_truncate(state, 0, -1), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_truncate(state, 2, 0), MOIRE_ERROR_ARGUMENT);
  ASSERT_EQ(moire_slot_truncate(state, 0, 6), MOIRE_OK);
  ASSERT_EQ(feed(0, {90}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits({1, 2, 3, 4, 5, 6, 90}));
}

TEST_F(SlotsTest, TruncatingAForkLeavesTheOriginAlone) {
  create({.slots = 2, .threads = 1});
  ASSERT_EQ(feed(0, range(1, 7)), MOIRE_OK);
  ASSERT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK);
  ASSERT_EQ(moire_slot_truncate(state, 1, 5), MOIRE_OK);
  ASSERT_EQ(feed(1, {80, 81, 82}), MOIRE_OK); // overwrites positions 5 and 6 of the shared page
  EXPECT_EQ(logits, expectedLogits({1, 2, 3, 4, 5, 80, 81, 82}));
  ASSERT_EQ(feed(0, {8}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits(range(1, 8)));
}

TEST_F(SlotsTest, RepeatedPagesHoldTheFirstOnesTokens) {
  create({.slots = 2, .threads = 2});
  ASSERT_EQ(feed(0, range(1, 4)), MOIRE_OK); // one page
  ASSERT_EQ(feed(1, range(50, 8)), MOIRE_OK);
  ASSERT_EQ(moire_slot_repeat(state, 0, 11), MOIRE_OK) << error();
  ASSERT_EQ(moire_slot_repeat(state, 1, 12), MOIRE_OK) << error();
  EXPECT_EQ(moire_slot_length(state, 0), 11);
  ASSERT_EQ(feed(0, {90}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits({1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 90}));
  ASSERT_EQ(feed(1, {91}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits({50, 51, 52, 53, 54, 55, 56, 57, 50, 51, 52, 53, 91}));
}

TEST_F(SlotsTest, RepeatedPagesOfAForkAreItsOwn) {
  create({.slots = 2, .threads = 1});
  ASSERT_EQ(feed(0, range(1, 4)), MOIRE_OK);
  ASSERT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK);
  ASSERT_EQ(moire_slot_repeat(state, 1, 8), MOIRE_OK) << error();
  ASSERT_EQ(feed(0, {5}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits(range(1, 5)));
  ASSERT_EQ(feed(1, {6}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits({1, 2, 3, 4, 1, 2, 3, 4, 6}));
}

TEST_F(SlotsTest, RepeatChecksItsArguments) {
  create({.slots = 2, .kv_pages = 3});
  EXPECT_EQ(moire_slot_repeat(state, 2, 8), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_repeat(state, 0, 8), MOIRE_ERROR_ARGUMENT) << "there is no first page";
  ASSERT_EQ(feed(0, range(1, 5)), MOIRE_OK);
  EXPECT_EQ(moire_slot_repeat(state, 0, 8), MOIRE_ERROR_ARGUMENT);
  EXPECT_NE(error().find("5 tokens, no whole pages of 4"), std::string::npos) << error();
  ASSERT_EQ(moire_slot_truncate(state, 0, 4), MOIRE_OK);
  EXPECT_EQ(moire_slot_repeat(state, 0, 3), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_repeat(state, 0, FAKE_CONTEXT + 1), MOIRE_ERROR_CAPACITY);
  EXPECT_EQ(moire_slot_repeat(state, 0, 13), MOIRE_ERROR_CAPACITY) << "the pool has three pages";
  EXPECT_EQ(moire_slot_length(state, 0), 4);
  EXPECT_EQ(moire_slot_repeat(state, 0, 12), MOIRE_OK) << error();
}

TEST_F(SlotsTest, EmptyPoolIsAnErrorThatChangesNothing) {
  create({.slots = 3, .threads = 1, .kv_pages = 4});
  ASSERT_EQ(feed(0, range(1, 10)), MOIRE_OK); // three pages
  ASSERT_EQ(moire_slot_fork(state, 0, 1), MOIRE_OK);
  // One page is left: slot 1's copy takes it, slot 2 gets none.
  const std::vector<int32_t> tokens = {60, 70}, slots = {1, 2};
  moire_batch batch = {};
  batch.tokens = tokens.data();
  batch.slots = slots.data();
  batch.token_count = 2;
  EXPECT_EQ(moire_step_run(state, &batch), MOIRE_ERROR_CAPACITY);
  EXPECT_NE(error().find("all 4 are in use"), std::string::npos) << error();
  EXPECT_EQ(moire_slot_length(state, 1), 10);
  EXPECT_EQ(moire_slot_length(state, 2), 0);
  ASSERT_EQ(feed(1, {11}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits(range(1, 11)));
  ASSERT_EQ(moire_slot_reset(state, 0), MOIRE_OK);
  ASSERT_EQ(feed(2, {5}), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits({5}));
}

TEST_F(SlotsTest, RefusedStepGivesItsPagesBack) {
  create({.slots = 3, .threads = 1, .kv_pages = 4});
  ASSERT_EQ(feed(0, range(1, 4)), MOIRE_OK); // one page
  // Slot 1 could have the other three, but then slot 2 has none.
  std::vector<int32_t> tokens = range(10, 13), slots(13, 1);
  slots.back() = 2;
  moire_batch batch = {};
  batch.tokens = tokens.data();
  batch.slots = slots.data();
  batch.token_count = 13;
  EXPECT_EQ(moire_step_run(state, &batch), MOIRE_ERROR_CAPACITY);
  ASSERT_EQ(feed(2, range(20, 12)), MOIRE_OK) << error();
  EXPECT_EQ(logits, expectedLogits(range(20, 12)));
}

TEST_F(SlotsTest, ManyForksAndCutsNeverMixSequences) {
  constexpr int32_t kSlots = 6;
  create({.slots = kSlots, .threads = 2, .max_tokens = 16, .kv_pages = 40});
  std::vector<std::vector<int32_t>> held(kSlots);
  uint32_t random = 1;
  auto next = [&](uint32_t limit) {
    random = random * 1664525 + 1013904223; // Numerical Recipes' generator
    return (random >> 8) % limit;
  };
  int64_t refused = 0;
  for (int round = 0; round < 3000; ++round) {
    const int32_t slot = static_cast<int32_t>(next(kSlots)),
                  other = static_cast<int32_t>(next(kSlots));
    switch (next(12)) {
    case 0:
    case 1:
      if (slot != other) {
        ASSERT_EQ(moire_slot_fork(state, slot, other), MOIRE_OK);
        held[other] = held[slot];
      }
      break;
    case 2: {
      const size_t length = next(static_cast<uint32_t>(held[slot].size()) + 1);
      ASSERT_EQ(moire_slot_truncate(state, slot, static_cast<int64_t>(length)), MOIRE_OK);
      held[slot].resize(length);
      break;
    }
    default: {
      std::vector<int32_t> tokens =
          range(static_cast<int32_t>(next(200)), static_cast<int32_t>(next(7)) + 1);
      moire_status status = feed(slot, tokens);
      if (status == MOIRE_ERROR_CAPACITY) {
        ++refused;
        break;
      }
      ASSERT_EQ(status, MOIRE_OK) << error();
      held[slot].insert(held[slot].end(), tokens.begin(), tokens.end());
      ASSERT_EQ(logits, expectedLogits(held[slot])) << "round " << round;
    }
    }
    ASSERT_EQ(moire_slot_length(state, slot), static_cast<int64_t>(held[slot].size()));
  }
  EXPECT_GT(refused, 0) << "the test should meet full slots and an empty pool";
  EXPECT_LT(refused, 1000);
}

} // namespace
} // namespace moire
