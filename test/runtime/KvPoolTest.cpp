#include "runtime/KvPool.h"

#include <gtest/gtest.h>

#include <cstring>

namespace moire {
namespace {

constexpr int64_t kPageBytes = 64, kPositions = 4, kSlots = 3, kPerSlot = 4;

class KvPoolTest : public ::testing::Test {
protected:
  void create(int64_t pages) {
    ASSERT_TRUE(pool.create(pages, kPageBytes, kPositions, kSlots, kPerSlot));
  }
  int32_t page(int64_t slot, int64_t i) const { return pool.table()[slot * kPerSlot + i]; }
  uint8_t *bytes(int64_t slot, int64_t i) { return pool.data() + page(slot, i) * kPageBytes; }

  KvPool pool;
};

TEST_F(KvPoolTest, TakesPagesAsPositionsAreWritten) {
  create(12);
  for (int64_t i = 0; i < kSlots * kPerSlot; ++i)
    EXPECT_EQ(pool.table()[i], -1);
  ASSERT_TRUE(pool.prepare(1, 0, 5));
  EXPECT_GE(page(1, 0), 0);
  EXPECT_GE(page(1, 1), 0);
  EXPECT_NE(page(1, 0), page(1, 1));
  EXPECT_EQ(page(1, 2), -1);
  EXPECT_EQ(pool.freePages(), 10);
  ASSERT_TRUE(pool.prepare(1, 5, 8)); // the rest of the second page
  EXPECT_EQ(pool.freePages(), 10);
}

TEST_F(KvPoolTest, TruncateGivesBackWholePagesOnly) {
  create(12);
  ASSERT_TRUE(pool.prepare(0, 0, 16));
  pool.truncate(0, 5);
  EXPECT_GE(page(0, 1), 0);
  EXPECT_EQ(page(0, 2), -1);
  EXPECT_EQ(pool.freePages(), 10);
  pool.truncate(0, 4);
  EXPECT_EQ(page(0, 1), -1);
  pool.truncate(0, 0);
  EXPECT_EQ(pool.freePages(), 12);
}

TEST_F(KvPoolTest, SharedPageIsCopiedByTheFirstWhoWrites) {
  create(12);
  ASSERT_TRUE(pool.prepare(0, 0, 6));
  memset(bytes(0, 0), 'a', kPageBytes);
  memset(bytes(0, 1), 'b', kPageBytes);
  pool.share(0, 2);
  EXPECT_EQ(page(2, 0), page(0, 0));
  EXPECT_EQ(page(2, 1), page(0, 1));
  EXPECT_EQ(pool.freePages(), 10);

  ASSERT_TRUE(pool.prepare(2, 6, 7));
  EXPECT_EQ(page(2, 0), page(0, 0)) << "the full page stays shared";
  EXPECT_NE(page(2, 1), page(0, 1));
  EXPECT_EQ(memcmp(bytes(2, 1), bytes(0, 1), kPageBytes), 0);
  EXPECT_EQ(pool.freePages(), 9);

  const int32_t own = page(0, 1);
  ASSERT_TRUE(pool.prepare(0, 6, 7));
  EXPECT_EQ(page(0, 1), own) << "the last owner writes in place";
  EXPECT_EQ(pool.freePages(), 9);
}

TEST_F(KvPoolTest, TheFirstPageIsRepeatedIntoOthersOfItsSlot) {
  create(12);
  ASSERT_TRUE(pool.prepare(0, 0, 4));
  ASSERT_TRUE(pool.prepare(1, 0, 4));
  memset(bytes(0, 0), 'a', kPageBytes);
  memset(bytes(1, 0), 'b', kPageBytes);
  ASSERT_TRUE(pool.prepare(1, 4, 13));
  pool.repeatFirst(1, 4, 9);
  for (int64_t i : {1, 2})
    EXPECT_EQ(memcmp(bytes(1, i), bytes(1, 0), kPageBytes), 0) << "page " << i;
  EXPECT_EQ(bytes(1, 3)[0], 0) << "not behind position 8";
  EXPECT_EQ(bytes(0, 0)[0], 'a');
}

TEST_F(KvPoolTest, PagesLiveUntilTheLastOwnerLetsGo) {
  create(2);
  ASSERT_TRUE(pool.prepare(0, 0, 8));
  pool.share(0, 1);
  pool.share(0, 2);
  pool.truncate(0, 0);
  EXPECT_EQ(pool.freePages(), 0);
  pool.truncate(1, 0);
  EXPECT_EQ(pool.freePages(), 0);
  pool.truncate(2, 0);
  EXPECT_EQ(pool.freePages(), 2);
}

TEST_F(KvPoolTest, AnEmptyPoolRefusesAndRecovers) {
  create(3);
  ASSERT_TRUE(pool.prepare(0, 0, 8));
  EXPECT_FALSE(pool.prepare(1, 0, 8));
  pool.truncate(1, 0);
  EXPECT_EQ(pool.freePages(), 1);
  EXPECT_EQ(page(1, 0), -1);
  pool.truncate(0, 0);
  ASSERT_TRUE(pool.prepare(1, 0, 12));
  EXPECT_EQ(pool.freePages(), 0);
}

TEST_F(KvPoolTest, CopyNeedsAFreePage) {
  create(1);
  ASSERT_TRUE(pool.prepare(0, 0, 2));
  pool.share(0, 1);
  EXPECT_FALSE(pool.prepare(1, 2, 3));
  EXPECT_EQ(page(1, 0), page(0, 0)) << "still shared";
}

TEST_F(KvPoolTest, ModelsWithoutAttentionHaveNoPages) {
  ASSERT_TRUE(pool.create(0, 0, 1, kSlots, 0));
  EXPECT_TRUE(pool.prepare(0, 0, 100));
  pool.share(0, 1);
  pool.truncate(0, 0);
  EXPECT_EQ(pool.freePages(), 0);
}

TEST(KvPool, RefusesWhatCannotBe) {
  KvPool pool;
  EXPECT_FALSE(pool.create(INT32_MAX, int64_t(1) << 40, 16, 1, 1));
  EXPECT_FALSE(pool.create(16, 64, 16, 1 << 16, INT32_MAX));
}

} // namespace
} // namespace moire
