#include "codegen/artifact/ProgramWriter.h"
#include "test/codegen/artifact/TestFiles.h"

#include <csignal>
#include <cstring>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

using namespace moire;
using namespace moire::test;

namespace {

std::vector<uint8_t> pattern(size_t size) {
  std::vector<uint8_t> bytes(size);
  for (size_t i = 0; i < size; ++i)
    bytes[i] = i * 31 + 7;
  return bytes;
}

/// Takes the error of a step that must succeed.
void expectGood(llvm::Error error) {
  std::string message;
  if (error)
    takeError(std::move(error), message);
  EXPECT_EQ(message, "");
}

std::unique_ptr<ProgramWriter> create(const std::string &path, uint64_t bytes = 0) {
  auto file = ProgramWriter::create(path, bytes);
  if (file)
    return std::move(*file);
  expectGood(file.takeError());
  return nullptr;
}

/// The exit code and text of a creation that must fail.
int failure(const std::string &path, uint64_t bytes, std::string &message) {
  auto file = ProgramWriter::create(path, bytes);
  return file ? 0 : takeError(file.takeError(), message);
}

TEST(ProgramWriter, HasTheLayoutThatTheHeaderDescribes) {
  TestFolder folder;
  std::string path = folder / "program";
  std::vector<uint8_t> image = pattern(5001), weights = pattern(10000);
  auto file = create(path);
  ASSERT_TRUE(file);
  expectGood(file->writeImage(image));
  expectGood(file->beginSection("weights"));
  expectGood(file->append(std::span(weights).first(4097)));
  expectGood(file->append(std::span(weights).subspan(4097)));
  expectGood(file->addSection("metadata", "{\"name\": 1}"));
  expectGood(file->addSection("licenses", ""));
  auto size = file->finish();
  ASSERT_TRUE(bool(size));

  std::vector<uint8_t> bytes = readFile(path);
  ASSERT_EQ(bytes.size(), *size);
  EXPECT_EQ(std::memcmp(bytes.data(), image.data(), image.size()), 0);
  moire_trailer trailer;
  std::memcpy(&trailer, bytes.data() + bytes.size() - sizeof(trailer), sizeof(trailer));
  EXPECT_EQ(std::memcmp(trailer.magic, MOIRE_TRAILER_MAGIC, 8), 0);
  ASSERT_EQ(trailer.section_count, 3u);
  ASSERT_EQ(trailer.table_offset + 3 * sizeof(moire_section) + sizeof(trailer), bytes.size());
  EXPECT_EQ(trailer.table_checksum,
            XXH3_64bits(bytes.data() + trailer.table_offset, 3 * sizeof(moire_section)));
  moire_section sections[3];
  std::memcpy(sections, bytes.data() + trailer.table_offset, sizeof(sections));
  const char *names[] = {"weights", "metadata", "licenses"};
  size_t sizes[] = {weights.size(), 11, 0};
  for (int i = 0; i < 3; ++i) {
    EXPECT_STREQ(sections[i].name, names[i]);
    EXPECT_EQ(sections[i].offset % 4096, 0u);
    ASSERT_EQ(sections[i].bytes, sizes[i]);
    EXPECT_EQ(sections[i].checksum, XXH3_64bits(bytes.data() + sections[i].offset, sizes[i]));
  }
  EXPECT_EQ(std::memcmp(bytes.data() + sections[0].offset, weights.data(), weights.size()), 0);
  for (size_t i = image.size(); i < sections[0].offset; ++i)
    ASSERT_EQ(bytes[i], 0);

  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_TRUE(status.st_mode & S_IXUSR);
  EXPECT_EQ(folder.fileCount(), 1u);
}

TEST(ProgramWriter, ReplacesAFileOnlyWhenItIsComplete) {
  TestFolder folder;
  std::string path = folder / "program";
  writeFile(path, "old");
  {
    auto file = create(path);
    ASSERT_TRUE(file);
    expectGood(file->writeImage(pattern(100)));
  }
  EXPECT_EQ(readFile(path).size(), 3u);
  EXPECT_EQ(folder.fileCount(), 1u);
  auto file = create(path);
  ASSERT_TRUE(file);
  expectGood(file->writeImage(pattern(100)));
  EXPECT_EQ(readFile(path).size(), 3u);
  ASSERT_TRUE(bool(file->finish()));
  EXPECT_EQ(readFile(path).size(), 104u + sizeof(moire_trailer));
  EXPECT_EQ(folder.fileCount(), 1u);
}

TEST(ProgramWriter, FollowsALinkToTheFile) {
  TestFolder folder;
  writeFile(folder / "real", "old");
  ASSERT_EQ(symlink("real", (folder / "link").c_str()), 0);
  auto file = create(folder / "link");
  ASSERT_TRUE(file);
  ASSERT_TRUE(bool(file->finish()));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(readFile(folder / "real").size(), sizeof(moire_trailer));
}

TEST(ProgramWriter, RefusesPlacesThatCannotWork) {
  TestFolder folder;
  std::string message;
  EXPECT_EQ(failure(folder / "full", uint64_t(1) << 62, message), 5);
  EXPECT_NE(message.find("free"), std::string::npos) << message;
  EXPECT_EQ(failure(folder / "none/program", 0, message), 1);
  EXPECT_NE(message.find("none"), std::string::npos) << message;
  EXPECT_EQ(failure(folder.path(), 0, message), 2);
  EXPECT_EQ(failure("/dev/null", 0, message), 2);
  EXPECT_NE(message.find("regular file"), std::string::npos) << message;
}

TEST(ProgramWriter, RefusesLongSectionNames) {
  TestFolder folder;
  auto file = create(folder / "program");
  ASSERT_TRUE(file);
  std::string message;
  EXPECT_EQ(takeError(file->beginSection("sixteen-letters!"), message), 70);
}

TEST(ProgramWriter, AKilledWriterLeavesNothing) {
  for (int signal : {SIGINT, SIGTERM, SIGKILL}) {
    TestFolder folder;
    int ready[2];
    ASSERT_EQ(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
      auto file = create(folder / "program");
      expectGood(file->writeImage(pattern(100000)));
      (void)!write(ready[1], "", 1);
      while (true)
        pause();
    }
    char byte;
    ASSERT_EQ(read(ready[0], &byte, 1), 1);
    kill(child, signal);
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_FALSE(std::filesystem::exists(folder / "program"));
    // Where files without a name exist (as in every temporary folder of a test so far) even
    // SIGKILL leaves nothing; elsewhere a hidden file without execute permission may remain.
    if (signal != SIGKILL)
      EXPECT_EQ(folder.fileCount(), 0u);
    close(ready[0]);
    close(ready[1]);
  }
}

} // namespace
