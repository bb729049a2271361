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
  Options bench = parsed({"--bench"});
  EXPECT_EQ(bench.benchPrompt, 512);
  bench = parsed({"--bench=16,8,2"});
  EXPECT_EQ(bench.benchPrompt, 16);
  EXPECT_EQ(bench.benchGenerate, 8);
  EXPECT_EQ(bench.benchRuns, 2);
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
  EXPECT_EQ(refusal({"--bench=1,2"}),
            "--bench: takes three numbers: prompt tokens, generated tokens, runs");
  EXPECT_NE(refusal({""}), "");
}

TEST(Options, RefusesContradictions) {
  EXPECT_NE(refusal({"-p", "a", "--token-ids", "1"}).find("only one of"), std::string::npos);
  EXPECT_NE(refusal({"--info", "--verify"}).find("only one of"), std::string::npos);
  EXPECT_NE(refusal({"--tokenize", "-p", "a"}).find("only for generating"), std::string::npos);
  EXPECT_NE(refusal({"--bench", "--logits", "f"}).find("needs a prompt"), std::string::npos);
}

TEST(Options, HelpFitsAScreenAndStartsWithAnExample) {
  std::string help = helpText("program");
  EXPECT_EQ(help.find("Example: program -p"), 0u);
  EXPECT_LE(std::count(help.begin(), help.end(), '\n'), 24);
  for (size_t start = 0; start < help.size();) {
    size_t end = help.find('\n', start);
    EXPECT_LE(end - start, 100u) << help.substr(start, end - start);
    start = end + 1;
  }
}

} // namespace
} // namespace moire
