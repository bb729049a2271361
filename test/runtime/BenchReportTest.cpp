#include "runtime/main/BenchReport.h"

#include "runtime/Json.h"

#include <gtest/gtest.h>

namespace moire {
namespace {

BenchSubject subject() {
  BenchSubject subject;
  subject.model = "a \"b\" | ç";
  subject.type = "q4_0";
  subject.activations = "int8";
  subject.kvType = "f16";
  subject.compiler = "moire 0.0";
  subject.cpu = "a processor";
  subject.bytes = 3'800'000'000;
  subject.parameters = 6'740'000'000;
  subject.batch = 512;
  subject.depthBy = "prefill";
  return subject;
}

// A prompt at 100, 200 and 400 tokens/s, and a generation of 8 sequences.
std::vector<BenchResult> results() {
  return {{{.prompt = 64, .threads = 2}, {0.64, 0.16, 0.32}},
          {{.generate = 32, .depth = 4096, .sequences = 8, .threads = 2}, {4}}};
}

JsonValue parsed(const std::string &text) {
  JsonValue value;
  std::string error;
  EXPECT_TRUE(parseJson(text, value, error)) << error << " in " << text;
  return value;
}

TEST(BenchReport, NamesTests) {
  EXPECT_EQ((BenchTest{.prompt = 512}).name(), "pp512");
  EXPECT_EQ((BenchTest{.generate = 128}).name(), "tg128");
  EXPECT_EQ((BenchTest{.prompt = 512, .depth = 4096}).name(), "pp512 @ d4096");
  EXPECT_EQ((BenchTest{.generate = 32, .sequences = 8}).name(), "tg32 x8");
  EXPECT_EQ((BenchTest{.generate = 32, .depth = 1, .sequences = 2}).name(), "tg32 x2 @ d1");
}

TEST(BenchReport, Statistics) {
  const std::vector<double> odd = {5, 1, 3}, even = {4, 1, 3, 2}, one = {7};
  EXPECT_DOUBLE_EQ(statistics(odd).mean, 3);
  EXPECT_DOUBLE_EQ(statistics(odd).deviation, 2);
  EXPECT_DOUBLE_EQ(statistics(odd).median, 3);
  EXPECT_DOUBLE_EQ(statistics(even).median, 2.5);
  EXPECT_DOUBLE_EQ(statistics(one).deviation, 0);
}

TEST(BenchReport, Table) {
  EXPECT_EQ(benchReport(BenchFormat::Markdown, subject(), results()),
            "| model      |    size | params | type | threads |            test |             t/s "
            "| median |\n"
            "| ---------- | ------: | -----: | ---- | ------: | --------------: | --------------: "
            "| -----: |\n"
            "| a \"b\" \\| ç | 3.80 GB | 6.74 B | q4_0 |       2 |            pp64 | 233.33 ± "
            "152.75 | 200.00 |\n"
            "| a \"b\" \\| ç | 3.80 GB | 6.74 B | q4_0 |       2 | tg32 x8 @ d4096 |    64.00 ± "
            "0.00 |  64.00 |\n");
}

TEST(BenchReport, Json) {
  const JsonValue tests = parsed(benchReport(BenchFormat::Json, subject(), results()));
  ASSERT_EQ(tests.items.size(), 2u);
  const JsonValue &prompt = tests.items[0], &generation = tests.items[1];
  EXPECT_EQ(prompt.find("model")->string, subject().model);
  EXPECT_EQ(prompt.find("model_size")->integer, 3'800'000'000);
  EXPECT_EQ(prompt.find("model_n_params")->integer, 6'740'000'000);
  EXPECT_EQ(prompt.find("n_prompt")->integer, 64);
  EXPECT_EQ(prompt.find("n_gen")->integer, 0);
  EXPECT_EQ(prompt.find("n_threads")->integer, 2);
  EXPECT_EQ(prompt.find("avg_ns")->integer, 373'333'333);
  EXPECT_NEAR(prompt.find("avg_ts")->real, 700 / 3.0, 1e-6);
  EXPECT_NEAR(prompt.find("stddev_ts")->real, 152.752523, 1e-6);
  EXPECT_EQ(prompt.find("median_ts")->real, 200);
  ASSERT_EQ(prompt.find("samples_ts")->items.size(), 3u);
  EXPECT_EQ(prompt.find("samples_ts")->items[1].real, 400);
  EXPECT_EQ(prompt.find("samples_ns")->items[1].integer, 160'000'000);
  EXPECT_EQ(generation.find("test")->string, "tg32 x8 @ d4096");
  EXPECT_EQ(generation.find("n_gen")->integer, 32);
  EXPECT_EQ(generation.find("n_depth")->integer, 4096);
  EXPECT_EQ(generation.find("n_sequences")->integer, 8);
  EXPECT_EQ(generation.find("avg_ts")->real, 64);
  EXPECT_EQ(generation.find("depth_by")->string, "prefill");
}

// Fractions of the ideal time, of 0.64, 0.16 and 0.32 s: the medians of what each run reached of
// the machine as it was then.
TEST(BenchReport, FractionsWhereLimitsAreKnown) {
  std::vector<BenchResult> known = results();
  known[0].ideals = {{.memory = 0.064, .operations = 0.48, .all = 0.48},  // 0.1 and 0.75
                     {.memory = 0.02, .operations = 0.128, .all = 0.25},  // 0.125 and 0.8
                     {.memory = 0.064, .operations = 0.16, .all = 0.16}}; // 0.2 and 0.5
  known[0].needs = {.f32 = 1, .bf16 = 2, .int8 = 4, .bytes = 8};
  const std::string table = benchReport(BenchFormat::Markdown, subject(), known);
  EXPECT_NE(table.find("| median | of bandwidth | of peak |\n"), std::string::npos) << table;
  EXPECT_NE(table.find("| 200.00 |        0.125 |   0.750 |\n"), std::string::npos) << table;
  EXPECT_NE(table.find("|  64.00 |              |         |\n"), std::string::npos) << table;
  const JsonValue tests = parsed(benchReport(BenchFormat::Json, subject(), known));
  EXPECT_NEAR(tests.items[0].find("ideal_ns")->real, 2.5e8, 1);
  EXPECT_NEAR(tests.items[0].find("of_bandwidth")->real, 0.125, 1e-9);
  EXPECT_NEAR(tests.items[0].find("of_peak")->real, 0.75, 1e-9);
  EXPECT_EQ(tests.items[0].find("need_operations")->real, 7);
  EXPECT_EQ(tests.items[0].find("need_bytes")->real, 8);
  EXPECT_EQ(tests.items[1].find("of_peak")->kind, JsonValue::Null);
  const std::string csv = benchReport(BenchFormat::Csv, subject(), results());
  EXPECT_NE(csv.find(",\"\",\"\",\"\"\n"), std::string::npos) << csv;
}

TEST(BenchReport, JsonLinesAreTheItemsOfJson) {
  const std::string lines = benchReport(BenchFormat::JsonLines, subject(), results());
  std::string array = lines.substr(0, lines.size() - 1);
  const size_t end = array.find('\n');
  ASSERT_NE(end, std::string::npos);
  array.replace(end, 1, ", ");
  EXPECT_EQ("[" + array + "]\n", benchReport(BenchFormat::Json, subject(), results()));
}

TEST(BenchReport, Csv) {
  const std::string text = benchReport(BenchFormat::Csv, subject(), results());
  ASSERT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  const std::string names = text.substr(0, text.find('\n'));
  EXPECT_EQ(names.find("build,cpu_info,model,model_type,"), 0u) << names;
  EXPECT_EQ(names.find("samples"), std::string::npos) << "lists have no place in a cell";
  EXPECT_NE(
      text.find("\n\"moire 0.0\",\"a processor\",\"a \"\"b\"\" | ç\",\"q4_0\",\"3800000000\","),
      std::string::npos)
      << text;
  EXPECT_NE(
      text.find(",\"tg32 x8 @ "
                "d4096\",\"4000000000\",\"0\",\"64\",\"0\",\"64\",\"\",\"\",\"\",\"\",\"\"\n"),
      std::string::npos)
      << text;
}

} // namespace
} // namespace moire
