// What programs say of themselves and of their file, whole or damaged.

#include "test/runtime/ProgramFixture.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include <sys/stat.h>
#include <sys/wait.h>

namespace moire {
namespace {

TEST_F(ProgramTest, TellsAboutItself) {
  Result info = run({"--info"});
  EXPECT_EQ(info.code, 0);
  EXPECT_NE(info.output.find("KV cache      16 bytes a token in i32"), std::string::npos)
      << info.output;
  JsonValue json = parsed(run({"--info", "--json"}).output);
  EXPECT_EQ(json.find("architecture")->string, "counting");
  EXPECT_EQ(json.find("kv_bytes_per_token")->integer, 16);
  ASSERT_EQ(json.find("route")->items.size(), 2u);
  EXPECT_EQ(json.find("route")->items[1].integer, 2);
  EXPECT_EQ(json.find("sections")->items.size(), 4u);
  expectOutput({"--licenses"}, "MIT or so\n");
  expectOutput({"--version"}, "fake, compiled by moire 0.0 (host interface 4)\n");
  Result help = run({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_EQ(help.output.find("Example: program -p"), 0u);
}

TEST_F(ProgramTest, VerifyFindsDamage) {
  EXPECT_EQ(run({"--verify"}).code, 0);
  std::string bytes = file.bytes();
  bytes[file.table[2].offset + 5] ^= 1;
  writeBytes(path, bytes);
  chmod(path.c_str(), 0700);
  Result result = run({"--verify"});
  EXPECT_EQ(result.code, 3);
  EXPECT_NE(result.output.find("tokenizer"), std::string::npos);
  EXPECT_NE(result.output.find("DAMAGED"), std::string::npos);
}

TEST_F(ProgramTest, StrippedFileSaysSo) {
  writeBytes(path, images[Plain]);
  chmod(path.c_str(), 0700);
  expectError({"-p", "x"}, 3, "was the file stripped");
  EXPECT_EQ(run({"--help"}).code, 0);
}

TEST_F(ProgramTest, DamagedTableSaysSo) {
  std::string bytes = file.bytes();
  bytes[file.body.size()] ^= 1;
  writeBytes(path, bytes);
  chmod(path.c_str(), 0700);
  expectError({"--info"}, 3, "checksum of its section table");
}

TEST_F(ProgramTest, MissingCpuFeatureIsAMessage) {
  useImage(NeedsUnknownCpu);
  expectError({"--token-ids", "1", "--print-ids"}, 4, "lacks features 0x10000000000");
  EXPECT_EQ(run({"--info"}).code, 0) << "what needs no generated code works";
}

TEST_F(ProgramTest, WithoutATokenizerIdsStillWork) {
  file = SectionedFile(images[Plain]);
  file.add("weights", fakeWeights());
  install();
  expectOutput({"--token-ids", "1", "--print-ids", "-n", "2"}, "2,3\n");
  expectError({"-p", "x"}, 4, "without a tokenizer");
  expectError({"--tokenize"}, 4, "without a tokenizer");
}

TEST_F(ProgramTest, FullDiskIsAnError) {
  const std::string command = path + " --licenses > /dev/full 2> " + (folder / "stderr");
  const int status = system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 5);
  EXPECT_NE(readBytes(folder / "stderr").find("No space left"), std::string::npos);
}

TEST_F(ProgramTest, NeedsTheCLibraryOnly) {
  Result result = Process(folder, {MOIRE_READELF, "-d", path}).wait();
  ASSERT_EQ(result.code, 0) << result.errors;
  const size_t needed = result.output.find("(NEEDED)");
  ASSERT_NE(needed, std::string::npos);
  const std::string line = result.output.substr(needed, result.output.find('\n', needed) - needed);
  EXPECT_NE(line.find("[libc.so.6]"), std::string::npos) << line;
  EXPECT_EQ(result.output.find("(NEEDED)", needed + 1), std::string::npos) << result.output;
  EXPECT_EQ(result.output.find("INIT_ARRAY"), std::string::npos) << "no static constructors";
}

TEST_F(ProgramTest, StubIsSmall) {
  EXPECT_LT(images[Plain].size(), 288u << 10); // 24 kB of it are names
  EXPECT_LT(readBytes(MOIRE_STUB).size(), 512u << 10);
}

} // namespace
} // namespace moire
