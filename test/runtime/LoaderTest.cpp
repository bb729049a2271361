#include "runtime/Loader.h"

#include "test/runtime/SectionedFile.h"

#include <gtest/gtest.h>

#include <functional>

extern "C" const moire_program fakeProgram __asm__("moire_program");

namespace moire {
namespace {

class LoaderTest : public ::testing::Test {
protected:
  LoaderTest() {
    file.add("weights", fakeWeights());
    file.add("metadata", "{}");
    file.seal();
  }

  moire_status open(const std::string &bytes, ProgramFile &program) {
    writeBytes(folder / "program", bytes);
    return program.open((folder / "program").c_str(), error);
  }

  // Changes the file, makes the trailer fit again if `reseal`, and expects a refusal that says
  // `why`.
  void expectRefusal(const char *why, bool reseal, const std::function<void()> &damage) {
    damage();
    if (reseal)
      file.seal();
    ProgramFile program;
    EXPECT_EQ(open(file.bytes(), program), MOIRE_ERROR_FILE);
    EXPECT_NE(error.find(why), std::string::npos) << error;
    EXPECT_TRUE(program.sections().empty());
  }

  TemporaryFolder folder;
  SectionedFile file{"an ELF image would stand here"};
  std::string error;
};

TEST_F(LoaderTest, FindsSections) {
  ProgramFile program;
  ASSERT_EQ(open(file.bytes(), program), MOIRE_OK) << error;
  ASSERT_EQ(program.sections().size(), 2u);
  const SectionView *weights = program.find("weights");
  ASSERT_TRUE(weights);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(weights->bytes.data()) % 4096, 0u);
  EXPECT_EQ(weights->bytes.size(), size_t(FAKE_WEIGHT_BYTES));
  EXPECT_EQ(checksum(weights->bytes), weights->checksum);
  EXPECT_FALSE(program.find("tokenizer"));
}

TEST_F(LoaderTest, MissingFileIsNamed) {
  ProgramFile program;
  EXPECT_EQ(program.open((folder / "nothing").c_str(), error), MOIRE_ERROR_FILE);
  EXPECT_NE(error.find("nothing cannot be opened: No such file"), std::string::npos) << error;
}

TEST_F(LoaderTest, FolderIsNoFile) {
  ProgramFile program;
  EXPECT_EQ(program.open("/tmp", error), MOIRE_ERROR_FILE);
}

TEST_F(LoaderTest, StrippedFileIsRecognised) {
  for (const std::string &bytes : {file.body.substr(0, 29), std::string(), std::string("x")}) {
    ProgramFile program;
    EXPECT_EQ(open(bytes, program), MOIRE_ERROR_FILE);
    EXPECT_NE(error.find("was the file stripped"), std::string::npos) << error;
  }
}

TEST_F(LoaderTest, EveryCutIsRefused) {
  const std::string bytes = file.bytes();
  for (size_t length = 0; length < bytes.size(); length += length + 200 < bytes.size() ? 997 : 1) {
    ProgramFile program;
    EXPECT_EQ(open(bytes.substr(0, length), program), MOIRE_ERROR_FILE) << length;
  }
}

TEST_F(LoaderTest, TableOutsideOfTheFile) {
  expectRefusal("section table", false, [&] { file.trailer.table_offset = UINT64_MAX - 8; });
}
TEST_F(LoaderTest, TableThatDoesNotEndAtTheTrailer) {
  expectRefusal("section table", false, [&] { file.trailer.table_offset -= 1; });
}
TEST_F(LoaderTest, TooManySections) {
  expectRefusal("section table", false, [&] { file.trailer.section_count = UINT64_MAX / 8; });
}
TEST_F(LoaderTest, MoreSectionsThanTheFileHolds) {
  expectRefusal("section table", false, [&] {
    file.body.resize(64);
    file.trailer.section_count = 60;
  });
}
TEST_F(LoaderTest, ChangedTable) {
  expectRefusal("checksum of its section table", false, [&] { file.table[0].bytes -= 1; });
}
TEST_F(LoaderTest, SectionPastTheEnd) {
  expectRefusal("'weights'", true, [&] { file.table[0].bytes = 1 << 20; });
}
TEST_F(LoaderTest, SectionWhoseEndOverflows) {
  expectRefusal("'weights'", true, [&] { file.table[0].bytes = UINT64_MAX - 4095; });
}
TEST_F(LoaderTest, SectionStartsPastTheEnd) {
  expectRefusal("'weights'", true, [&] { file.table[0].offset = uint64_t(1) << 62; });
}
TEST_F(LoaderTest, MisalignedSection) {
  expectRefusal("'weights'", true, [&] { file.table[0].offset += 64; });
}
TEST_F(LoaderTest, SectionWithoutAName) {
  expectRefusal("no name", true, [&] { file.table[1].name[0] = 0; });
}
TEST_F(LoaderTest, NameWithoutAnEnd) {
  expectRefusal("no name", true, [&] { memset(file.table[1].name, 'x', 16); });
}
TEST_F(LoaderTest, TwoSectionsOfOneName) {
  expectRefusal("no name", true, [&] { strcpy(file.table[1].name, "weights"); });
}

class ProgramCheck : public ::testing::Test {
protected:
  moire_program program = fakeProgram;
  std::vector<uint8_t> bytes = std::vector<uint8_t>(FAKE_WEIGHT_BYTES);
  SectionView weights{"weights", bytes, 0, 0};
};

TEST_F(ProgramCheck, AcceptsTheFake) { EXPECT_EQ(checkProgram(program, &weights), ""); }

TEST_F(ProgramCheck, RefusesAnotherAbi) {
  program.abi_version += 1;
  EXPECT_NE(checkProgram(program, &weights).find("version"), std::string::npos);
}
TEST_F(ProgramCheck, RefusesOtherWeights) {
  EXPECT_NE(checkProgram(program, nullptr).find("the file has 0"), std::string::npos);
  weights.bytes = weights.bytes.subspan(1);
  EXPECT_NE(checkProgram(program, &weights).find("expects 64 bytes"), std::string::npos);
}
TEST_F(ProgramCheck, RefusesImpossibleSizes) {
  program.vocab = 0;
  EXPECT_NE(checkProgram(program, &weights).find("vocab = 0"), std::string::npos);
  program = fakeProgram;
  program.kv_page_positions = 0;
  EXPECT_NE(checkProgram(program, &weights).find("kv_page_positions"), std::string::npos);
  program = fakeProgram;
  program.step_one = nullptr;
  EXPECT_NE(checkProgram(program, &weights).find("step function"), std::string::npos);
}
TEST_F(ProgramCheck, AllowsModelsWithoutAttention) {
  program.kv_page_bytes = program.kv_page_positions = 0;
  EXPECT_EQ(checkProgram(program, &weights), "");
}

TEST(CpuCheck, NamesWhatIsMissing) {
  EXPECT_EQ(missingCpuFeatures(MOIRE_CPU_AVX2, MOIRE_CPU_AVX2 | MOIRE_CPU_AVX512), "");
  std::string message = missingCpuFeatures(MOIRE_CPU_AVX2 | MOIRE_CPU_AVX512_VNNI, MOIRE_CPU_AVX2);
  EXPECT_NE(message.find("lacks AVX-512 VNNI."), std::string::npos) << message;
  EXPECT_NE(message.find("--cpu=x86-64-v3"), std::string::npos) << message;
}

} // namespace
} // namespace moire
