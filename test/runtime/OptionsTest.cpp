#include "runtime/main/Options.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace moire {
namespace {

Options parsed(const std::vector<std::string> &arguments) {
  Options options;
  std::string error;
  EXPECT_TRUE(parseOptions(arguments, options, error)) << error;
  return options;
}

std::string refusal(const std::vector<std::string> &arguments) {
  Options options;
  std::string error;
  EXPECT_FALSE(parseOptions(arguments, options, error));
  return error;
}

TEST(Options, Defaults) {
  Options options = parsed({});
  EXPECT_EQ(options.mode, Mode::Generate);
  EXPECT_FALSE(options.prompt || options.promptFile || options.tokenIds || options.chat ||
               options.generate || options.seed);
  EXPECT_EQ(options.chunk, 512);
  EXPECT_EQ(options.threads, 0);
  EXPECT_EQ(options.temperature, 0);
}

TEST(Options, ValuesInBothForms) {
  Options options = parsed(
      {"--prompt=a=b", "-n",     "5",         "--temp",     "0.7", "--top-k=40", "--top-p", "0.9",
       "--min-p=0.05", "--seed", "7",         "--threads",  "3",   "--ctx=100",  "--chunk", "1",
       "--raw",        "--json", "--timings", "--print-ids"});
  EXPECT_EQ(*options.prompt, "a=b");
  EXPECT_EQ(*options.generate, 5);
  EXPECT_FLOAT_EQ(options.temperature, 0.7f);
  EXPECT_EQ(options.topK, 40);
  EXPECT_FLOAT_EQ(options.topP, 0.9f);
  EXPECT_FLOAT_EQ(options.minP, 0.05f);
  EXPECT_EQ(*options.seed, 7u);
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.context, 100);
  EXPECT_EQ(options.chunk, 1);
  EXPECT_FALSE(*options.chat);
  EXPECT_TRUE(options.json && options.timings && options.printIds);
}

TEST(Options, PromptsMayLookLikeOptions) {
  EXPECT_EQ(*parsed({"-p", "--help"}).prompt, "--help");
  EXPECT_EQ(*parsed({"--prompt="}).prompt, "");
}

TEST(Options, TokenIds) {
  EXPECT_EQ(*parsed({"--token-ids", "1, 2,30"}).tokenIds, (std::vector<int32_t>{1, 2, 30}));
  for (const char *wrong : {"", ",", "1,", "1,,2", "-1", "x", "1 2", "3000000000"})
    EXPECT_NE(refusal({"--token-ids", wrong}).find("not a whole number"), std::string::npos)
        << wrong;
}

TEST(Options, Modes) {
  EXPECT_EQ(parsed({"--info"}).mode, Mode::Info);
  EXPECT_EQ(parsed({"--verify", "--json"}).mode, Mode::Verify);
  EXPECT_EQ(parsed({"--tokenize", "--no-special"}).mode, Mode::Tokenize);
  EXPECT_EQ(parsed({"--perplexity", "f"}).perplexityFile, "f");
  EXPECT_EQ(parsed({"-p", "x", "--help"}).mode, Mode::Help);
  EXPECT_EQ(parsed({"--help", "--info"}).mode, Mode::Help);
}

TEST(Options, BehindBenchStandOtherOnes) {
  EXPECT_EQ(parsed({"--bench"}).mode, Mode::Bench);
  const BenchOptions defaults = parsed({"--bench"}).bench;
  EXPECT_EQ(defaults.prompts, (std::vector<int64_t>{512}));
  EXPECT_EQ(defaults.generations, (std::vector<int64_t>{128}));
  EXPECT_EQ(defaults.depths, (std::vector<int64_t>{0}));
  EXPECT_EQ(defaults.threads, (std::vector<int64_t>{0})) << "the default team";
  EXPECT_FALSE(defaults.fillState);
  const BenchOptions bench =
      parsed({"--bench", "-p", "16, 8", "--n-gen=4,0", "-d", "0,4096", "-s", "1,4", "-t", "2,1",
              "-r", "7", "-b", "32", "-o", "jsonl", "--fill-state", "9"})
          .bench;
  EXPECT_EQ(bench.prompts, (std::vector<int64_t>{16, 8}));
  EXPECT_EQ(bench.generations, (std::vector<int64_t>{4})) << "0 is no test";
  EXPECT_EQ(bench.depths, (std::vector<int64_t>{0, 4096}));
  EXPECT_EQ(bench.sequences, (std::vector<int64_t>{1, 4}));
  EXPECT_EQ(bench.threads, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(bench.repetitions, 7);
  EXPECT_EQ(bench.batch, 32);
  EXPECT_EQ(*bench.fillState, 9u);
  EXPECT_EQ(bench.format, BenchFormat::JsonLines);
  EXPECT_EQ(parsed({"--bench", "--json"}).bench.format, BenchFormat::Json);
  EXPECT_TRUE(parsed({"--bench", "--help"}).bench.help);
}

TEST(Options, BenchRefuses) {
  EXPECT_EQ(refusal({"--bench", "-p", "0", "-n", "0"}),
            "there is nothing to measure: -p and -n are both 0");
  EXPECT_EQ(refusal({"--bench", "-p", "4,x"}), "-p: 'x' is not a whole number in 0 .. 2147483647");
  EXPECT_EQ(refusal({"--bench", "-r", "0"}), "-r: '0' is not a whole number in 1 .. 2147483647");
  EXPECT_EQ(refusal({"--bench", "-o", "xml"}), "-o: 'xml' is none of md, csv, json, jsonl");
  EXPECT_EQ(refusal({"--bench", "hello"}),
            "'hello' is no option; --help lists the options of --bench");
  EXPECT_EQ(refusal({"--bench", "--prompt", "hello"}),
            "--prompt: there is no such option; --help lists them");
}

TEST(Options, RefusalsNameTheOption) {
  EXPECT_EQ(refusal({"--frobnicate"}), "--frobnicate: there is no such option; --help lists them");
  EXPECT_EQ(refusal({"hello"}), "'hello' is no option; a prompt is given with -p \"…\"");
  EXPECT_EQ(refusal({"-p"}), "-p: needs a value");
  EXPECT_EQ(refusal({"--json=1"}), "--json: takes no value");
  EXPECT_EQ(refusal({"--threads", "0"}), "--threads: '0' is not a whole number in 1 .. 1024");
  EXPECT_EQ(refusal({"-n", "5x"}), "-n: '5x' is not a whole number in 0 .. 2147483647");
  EXPECT_EQ(refusal({"--top-p", "1.5"}), "--top-p: '1.5' is not a number in 0 .. 1");
  EXPECT_EQ(refusal({"--temp", "nan"}), "--temp: 'nan' is not a number in 0 .. 1e+06");
  EXPECT_NE(refusal({""}), "");
}

TEST(Options, RefusesContradictions) {
  EXPECT_NE(refusal({"-p", "a", "--token-ids", "1"}).find("only one of"), std::string::npos);
  EXPECT_NE(refusal({"--info", "--verify"}).find("only one of"), std::string::npos);
  EXPECT_NE(refusal({"--tokenize", "-p", "a"}).find("only for generating"), std::string::npos);
  EXPECT_NE(refusal({"-t", "2", "--bench"}).find("--bench: comes first"), std::string::npos);
}

TEST(Options, HelpFitsAScreenAndStartsWithAnExample) {
  EXPECT_EQ(helpText("program").find("Example: program -p"), 0u);
  EXPECT_EQ(benchHelpText("program").find("Example: program --bench -p"), 0u);
  for (const std::string &help : {helpText("program"), benchHelpText("program")}) {
    EXPECT_LE(std::count(help.begin(), help.end(), '\n'), 24);
    for (size_t start = 0; start < help.size();) {
      size_t end = help.find('\n', start);
      EXPECT_LE(end - start, 100u) << help.substr(start, end - start);
      start = end + 1;
    }
  }
}

} // namespace
} // namespace moire
