// Programs that measure themselves: --bench, and time stamps.

#include "test/runtime/ProgramFixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include <unistd.h>

namespace moire {
namespace {

TEST_F(ProgramTest, Bench) {
  Result result = run({"--bench", "-p", "16,5", "-n", "4", "-s", "1,3", "-d", "0,9", "-t", "2,1",
                       "-r", "3", "-b", "6", "--json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  JsonValue tests = parsed(result.output);
  const std::vector<std::string> names = {"pp16",      "pp5",      "tg4",      "tg4 x3",
                                          "pp16 @ d9", "pp5 @ d9", "tg4 @ d9", "tg4 x3 @ d9"};
  ASSERT_EQ(tests.items.size(), 2 * names.size());
  for (size_t i = 0; i < tests.items.size(); ++i) {
    const JsonValue &test = tests.items[i];
    EXPECT_EQ(test.find("test")->string, names[i % names.size()]);
    EXPECT_EQ(test.find("n_threads")->integer, i < names.size() ? 2 : 1);
    EXPECT_EQ(test.find("samples_ts")->items.size(), 3u);
    EXPECT_GT(test.find("median_ts")->real, 0);
  }
  EXPECT_EQ(tests.items[0].find("model")->string, "fake");
  EXPECT_EQ(tests.items[0].find("model_type")->string, "f32");
  EXPECT_EQ(tests.items[0].find("model_n_params")->integer, 16);
  EXPECT_EQ(tests.items[0].find("type_k")->string, "i32");
}

TEST_F(ProgramTest, BenchWithAFilledState) {
  // To a whole page, to less than one, beyond several, and to the end of the context.
  Result result = run({"--bench", "-p", "0", "-n", "2", "-d", "4,3,21,62", "-s", "2", "-r", "1",
                       "--fill-state", "7", "-o", "jsonl"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 4);
  JsonValue test = parsed(result.output.substr(0, result.output.find('\n')));
  EXPECT_EQ(test.find("test")->string, "tg2 x2 @ d4");
  EXPECT_EQ(test.find("depth_by")->string, "copies");
}

TEST_F(ProgramTest, BenchTablesAndHelp) {
  const std::string table = run({"--bench", "-p", "8", "-n", "8", "-r", "1"}).output;
  EXPECT_EQ(table.find("| model |"), 0u) << table;
  EXPECT_NE(table.find("|  tg8 | "), std::string::npos) << table;
  const std::string csv = run({"--bench", "-p", "8", "-n", "0", "-r", "1", "-o", "csv"}).output;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 2) << csv;
  EXPECT_EQ(run({"--bench", "--help"}).output.find("Example: program --bench -p"), 0u);
}

TEST_F(ProgramTest, BenchRefusesWhatCannotBe) {
  expectError({"--bench"}, 2, "pp512 does not fit the context of 64");
  expectError({"--bench", "-p", "8", "-n", "8", "-d", "1,57"}, 2, "pp8 @ d57 does not fit");
  expectError({"--bench=16,4,3"}, 2, "--bench: takes no value");
}

TEST_F(ProgramTest, AnInterruptedBenchShowsWhatItHas) {
  useImage(Slow); // 20 ms a step: 100 s in all
  Process process(folder,
                  {path, "--bench", "-p", "1", "-n", "4", "-r", "1000", "-t", "1", "--json"});
  usleep(1'500'000);
  process.interrupt();
  Result result = process.wait();
  EXPECT_EQ(result.code, 130);
  EXPECT_EQ(result.errors, "");
  JsonValue tests = parsed(result.output);
  ASSERT_EQ(tests.items.size(), 2u);
  EXPECT_GE(tests.items[0].find("samples_ts")->items.size(), 1u);
  EXPECT_LT(tests.items[0].find("samples_ts")->items.size(), 1000u);
}

class ProfiledProgramTest : public ProgramTest {
protected:
  ProfiledProgramTest() {
    file = SectionedFile(images[Profiled]);
    file.add("weights", fakeWeights());
    file.add("metadata", R"({"profile": [
      {"name": "start", "in": "forward", "wait": true}, {"name": "append", "in": "forward"},
      {"name": "barrier", "in": "forward", "wait": true},
      {"name": "head", "in": "forward", "bytes": 64, "arithmetic": "f32", "row_products": 261}]})");
    install();
  }
};

TEST_F(ProfiledProgramTest, TableOfEachKindOfStep) {
  Result result = run({"--token-ids", "1,2,3", "--print-ids", "-n", "4", "--threads", "2"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output, "4,5,6,7\n"); // data, and nothing else
  for (const char *text :
       {"prompt: 1 step, 3 tokens, 2 threads\n", "generation: 3 steps, 3 tokens, 2 threads\n",
        "\n| head  ", "\n| append  ", "\n| barrier  ", "\n| start  ", "\n| end  ", "\n| step  "})
    EXPECT_NE(result.errors.find(text), std::string::npos) << text << " in " << result.errors;
}

TEST_F(ProfiledProgramTest, BenchLeavesTheWarmUpOut) {
  // Each team has a state of its own; reaching a depth is no part of a test.
  Result result = run({"--bench", "-p", "8", "-n", "4", "-d", "0,6", "-t", "1,2", "-r", "2"});
  EXPECT_EQ(result.code, 0) << result.errors;
  for (const char *test : {"pp8", "pp8 @ d6"})
    for (const char *counts :
         {": 2 steps, 16 tokens, 1 thread\n", ": 2 steps, 16 tokens, 2 threads\n"})
      EXPECT_NE(result.errors.find(std::string(test) + counts), std::string::npos)
          << test << counts << result.errors;
  for (const char *test : {"tg4", "tg4 @ d6"})
    for (const char *counts :
         {": 8 steps, 8 tokens, 1 thread\n", ": 8 steps, 8 tokens, 2 threads\n"})
      EXPECT_NE(result.errors.find(std::string(test) + counts), std::string::npos)
          << test << counts << result.errors;
}

TEST_F(ProfiledProgramTest, Trace) {
  Result result = run({"--token-ids", "1", "--print-ids", "-n", "2", "--trace", folder / "trace"});
  EXPECT_EQ(result.code, 0) << result.errors;
  JsonValue trace = parsed(readBytes(folder / "trace"));
  ASSERT_TRUE(trace.find("traceEvents"));
  bool found = false;
  for (const JsonValue &event : trace.find("traceEvents")->items)
    found |= event.find("name")->string == "head" && event.find("dur")->real > 0;
  EXPECT_TRUE(found);
  expectError({"--token-ids", "1", "--print-ids", "-n", "2", "--trace", "/nonexistent/trace"}, 1,
              "/nonexistent/trace: cannot be created: No such file");
}

TEST_F(ProfiledProgramTest, AsksForNothingWhereNoStepRuns) {
  Result result = run({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.errors, "");
}

TEST_F(ProfiledProgramTest, WrongTableOfRegions) {
  file = SectionedFile(images[Profiled]);
  file.add("weights", fakeWeights());
  file.add("metadata", R"({"profile": [{"name": "start"}, 2]})");
  install();
  expectError({"--info"}, 3, "\"profile\" is not a list of regions");
}

TEST_F(ProgramTest, TraceNeedsTimeStamps) {
  expectError({"--token-ids", "1", "--trace", folder / "trace"}, 4,
              "no time stamps; compile the model again with `moire compile MODEL --profile`");
  EXPECT_FALSE(std::ifstream(folder / "trace").good());
  expectError({"--bench", "-p", "8", "-n", "0", "--trace", folder / "trace"}, 4, "no time stamps");
  expectError({"--trace", ""}, 2, "--trace: needs the name of a file");
}

} // namespace
} // namespace moire
