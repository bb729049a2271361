#include "codegen/artifact/Cache.h"
#include "test/codegen/artifact/TestFiles.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace moire;
using namespace moire::test;

namespace {

std::string keyOf(const std::string &path) {
  CacheKey key;
  std::string message;
  if (llvm::Error error = key.addFile(path))
    takeError(std::move(error), message);
  EXPECT_EQ(message, "");
  return key.hex();
}

TEST(CacheKey, TellsInputsApart) {
  auto key = [](const char *name, const char *value) {
    CacheKey key;
    key.add(name, value);
    return key.hex();
  };
  EXPECT_EQ(key("ab", "c"), key("ab", "c"));
  EXPECT_NE(key("ab", "c"), key("a", "bc"));
  EXPECT_NE(key("cpu", "x86-64-v3"), key("cpu", "x86-64-v4"));
  EXPECT_EQ(key("a", "b").size(), 32u);
}

TEST(CacheKey, SmallFilesCountByContentAlone) {
  TestFolder folder;
  writeFile(folder / "a", "config");
  writeFile(folder / "b", "config");
  ASSERT_EQ(utimensat(AT_FDCWD, (folder / "b").c_str(), nullptr, 0), 0);
  EXPECT_EQ(keyOf(folder / "a"), keyOf(folder / "b"));
  writeFile(folder / "b", "confiG");
  EXPECT_NE(keyOf(folder / "a"), keyOf(folder / "b"));
}

TEST(CacheKey, LargeFilesCountByHeadPiecesTailAndTime) {
  TestFolder folder;
  std::string path = folder / "weights";
  constexpr off_t kSize = 100 << 20;
  int file = open(path.c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_EQ(ftruncate(file, kSize), 0); // a hole: costs no space
  timespec then[2] = {{1000, 0}, {1000, 0}};
  auto poke = [&](off_t offset, char value) {
    EXPECT_EQ(pwrite(file, &value, 1, offset), 1);
    futimens(file, then);
  };
  poke(0, 0);
  std::string key = keyOf(path);
  for (off_t offset : {off_t(5), off_t(8 << 20), kSize - 1}) {
    poke(offset, 1);
    EXPECT_NE(keyOf(path), key) << offset;
    poke(offset, 0);
    EXPECT_EQ(keyOf(path), key) << offset;
  }
  then[1].tv_nsec = 1;
  futimens(file, then);
  EXPECT_NE(keyOf(path), key);
  close(file);
}

TEST(CacheKey, FoldersCountByNamesAndContents) {
  TestFolder a, b;
  auto key = [](const TestFolder &folder) {
    CacheKey key;
    EXPECT_FALSE(llvm::errorToBool(key.addFolder(folder.path())));
    return key.hex();
  };
  writeFile(a / "config.json", "{}");
  writeFile(b / "config.json", "{}");
  EXPECT_EQ(key(a), key(b));
  std::filesystem::rename(b / "config.json", b / "other.json");
  EXPECT_NE(key(a), key(b));
}

TEST(CacheKey, MissingFilesAreErrors) {
  CacheKey key;
  std::string message;
  EXPECT_EQ(takeError(key.addFile("/no/such/file"), message), 1);
  EXPECT_NE(message.find("/no/such/file"), std::string::npos);
}

class ProgramCacheTest : public testing::Test {
protected:
  ProgramCacheTest() {
    setenv("MOIRE_CACHE", folder.path().c_str(), 1);
    unsetenv("MOIRE_CACHE_SIZE");
  }

  static ProgramCache open() {
    auto cache = ProgramCache::open();
    if (!cache)
      ADD_FAILURE() << llvm::toString(cache.takeError());
    return std::move(*cache);
  }

  /// A finished program of `bytes` bytes, last used `age` seconds ago.
  static void add(const ProgramCache &cache, const std::string &key, size_t bytes, time_t age) {
    writeFile(cache.pathOf(key), std::string(bytes, 'x'));
    timespec then = {time(nullptr) - age, 0};
    timespec times[2] = {then, then};
    utimensat(AT_FDCWD, cache.pathOf(key).c_str(), times, 0);
  }

  TestFolder folder;
  const std::string a = std::string(31, '0') + "a", b = std::string(31, '0') + "b",
                    c = std::string(31, '0') + "c";
};

TEST_F(ProgramCacheTest, KeepsTheMostRecentlyUsed) {
  setenv("MOIRE_CACHE_SIZE", "2K", 1);
  ProgramCache cache = open();
  EXPECT_EQ(cache.sizeLimit(), 2000u);
  add(cache, a, 900, 30);
  add(cache, b, 900, 20);
  add(cache, c, 900, 10);
  cache.describe(b, "model b");
  EXPECT_TRUE(cache.find(a)); // used: now b is the oldest
  EXPECT_EQ(cache.trim(c), 900u);
  EXPECT_TRUE(cache.find(a));
  EXPECT_FALSE(cache.find(b));
  EXPECT_FALSE(std::filesystem::exists(cache.pathOf(b) + ".about"));
  EXPECT_TRUE(cache.find(c));
}

TEST_F(ProgramCacheTest, NeverDropsWhatIsAboutToRun) {
  setenv("MOIRE_CACHE_SIZE", "100", 1);
  ProgramCache cache = open();
  add(cache, a, 900, 30);
  add(cache, b, 10, 10);
  EXPECT_EQ(cache.trim(a), 10u);
  EXPECT_TRUE(cache.find(a));
}

TEST_F(ProgramCacheTest, ListsAndCleans) {
  ProgramCache cache = open();
  add(cache, a, 10, 30);
  add(cache, b, 20, 10);
  cache.describe(a, "smollm2.gguf, x86-64-v3");
  writeFile(cache.folder() + "/.unfinished.partial", "new");
  writeFile(cache.folder() + "/.abandoned.partial", "old");
  timespec longAgo[2] = {{1000, 0}, {1000, 0}};
  utimensat(AT_FDCWD, (cache.folder() + "/.abandoned.partial").c_str(), longAgo, 0);
  std::vector<CachedProgram> programs = cache.list();
  ASSERT_EQ(programs.size(), 2u);
  EXPECT_EQ(programs[0].key, b);
  EXPECT_EQ(programs[1].about, "smollm2.gguf, x86-64-v3");
  EXPECT_EQ(programs[1].bytes, 10u);
  EXPECT_EQ(cache.clean(), 33u);
  EXPECT_TRUE(cache.list().empty());
  EXPECT_TRUE(std::filesystem::exists(cache.folder() + "/.unfinished.partial"));
  EXPECT_FALSE(std::filesystem::exists(cache.folder() + "/.abandoned.partial"));
}

TEST_F(ProgramCacheTest, ALockKeepsOthersOutOfOneKeyOnly) {
  ProgramCache cache = open();
  auto held = std::make_unique<llvm::Expected<ProgramCache::Lock>>(cache.lock(a));
  ASSERT_TRUE(bool(*held));
  EXPECT_TRUE(bool(cache.lock(b))); // would hang
  std::atomic<bool> entered = false;
  std::thread other([&] {
    auto lock = cache.lock(a);
    EXPECT_TRUE(bool(lock));
    entered = true;
  });
  usleep(50000);
  EXPECT_FALSE(entered);
  held.reset();
  other.join();
  EXPECT_TRUE(entered);
}

TEST_F(ProgramCacheTest, RefusesSizesThatAreNone) {
  for (const char *size : {"x", "20GB", "-1", "99999999999T"}) {
    setenv("MOIRE_CACHE_SIZE", size, 1);
    auto cache = ProgramCache::open();
    ASSERT_FALSE(bool(cache)) << size;
    std::string message;
    EXPECT_EQ(takeError(cache.takeError(), message), 2);
    EXPECT_NE(message.find(size), std::string::npos) << message;
  }
}

TEST_F(ProgramCacheTest, FollowsTheEnvironment) {
  setenv("XDG_CACHE_HOME", (folder / "xdg").c_str(), 1);
  setenv("HOME", (folder / "home").c_str(), 1);
  unsetenv("MOIRE_CACHE");
  EXPECT_EQ(open().folder(), folder / "xdg/moire/programs");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_EQ(open().folder(), folder / "home/.cache/moire/programs");
  unsetenv("HOME");
  EXPECT_TRUE(llvm::errorToBool(ProgramCache::open().takeError()));
}

} // namespace
