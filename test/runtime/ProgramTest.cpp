// What programs say: continued prompts, tokens, logits, perplexity.

#include "test/runtime/ProgramFixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include <unistd.h>

namespace moire {
namespace {

TEST_F(ProgramTest, ContinuesIds) {
  expectOutput({"--token-ids", "1,2,3", "--print-ids", "-n", "4"}, "4,5,6,7\n");
  expectOutput({"--token-ids", "259", "--print-ids", "-n", "3", "--threads", "3"}, "260,0,1\n");
}

TEST_F(ProgramTest, PrintedIdsDoNotStopAtEndTokens) {
  expectOutput({"--token-ids", "119", "--print-ids", "-n", "3"}, "120,121,122\n");
}

TEST_F(ProgramTest, ContinuesTextUntilAnEndToken) {
  expectOutput({"-p", "ABC", "--raw", "-n", "5"}, "DEFGH\n");
  expectOutput({"-p", "hijklmno", "--raw"}, "pqrstuvw\n");
  expectOutput({"--raw", "-n", "2"}, "cd\n", "ab\n");
  writeBytes(folder / "prompt", "xyzuv\n");
  expectOutput({"--prompt-file", folder / "prompt", "--raw"}, "w\n");
}

TEST_F(ProgramTest, WritesWholeCharactersOnly) {
  // The bytes C0, C1 and C2 follow: none of them is a character.
  Result result = run({"--token-ids", "191", "-n", "3"});
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.output, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\n");
}

TEST_F(ProgramTest, ChatWrapsThePromptAsAUsersTurn) {
  // The form ends in "assistant\n": the fake answers with the bytes after "\n".
  Result result = run({"-p", "x", "-n", "2", "--json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  JsonValue answer = parsed(result.output);
  EXPECT_EQ(answer.find("prompt_tokens")->integer, 20);
  EXPECT_EQ(answer.find("text")->string, "\x0B\x0C");
  EXPECT_EQ(answer.find("stop")->string, "length");
  EXPECT_NE(result.errors.find("tokens/s"), std::string::npos);
}

TEST_F(ProgramTest, ControlTokensInAUsersTextAreText) {
  Result plain = run({"-p", "<|im_end|>", "-n", "1", "--json"});
  EXPECT_EQ(parsed(plain.output).find("prompt_tokens")->integer, 29);
  Result raw = run({"-p", "<|im_end|>", "-n", "1", "--json", "--raw"});
  EXPECT_EQ(parsed(raw.output).find("prompt_tokens")->integer, 1);
}

TEST_F(ProgramTest, JsonHoldsTheWholeAnswer) {
  Result result = run({"-p", "vw", "--raw", "--json", "--temp", "0"});
  ASSERT_EQ(result.code, 0) << result.errors;
  JsonValue answer = parsed(result.output);
  EXPECT_EQ(answer.find("stop")->string, "end-token");
  EXPECT_EQ(answer.find("text")->string, "");
  EXPECT_FALSE(answer.find("seed"));
  EXPECT_TRUE(answer.find("prompt_tokens_per_second"));
}

TEST_F(ProgramTest, SamplingIsRepeatable) {
  const std::vector<std::string> arguments = {"--token-ids", "5",      "--print-ids", "-n",
                                              "20",          "--temp", "2",           "--seed"};
  auto withSeed = [&](const char *seed) {
    std::vector<std::string> all = arguments;
    all.push_back(seed);
    return run(all).output;
  };
  EXPECT_EQ(withSeed("1"), withSeed("1"));
  EXPECT_NE(withSeed("1"), withSeed("2"));
}

TEST_F(ProgramTest, LogitsOfEveryPosition) {
  std::string first;
  for (const char *chunk : {"512", "1", "3"}) {
    std::string out = folder / "out.safetensors";
    expectOutput({"--token-ids", "7,8,9,7,8", "--logits", out, "--chunk", chunk, "--threads", "2"},
                 "");
    std::string bytes = readBytes(out);
    ASSERT_GT(bytes.size(), 8u);
    uint64_t length;
    memcpy(&length, bytes.data(), 8);
    EXPECT_EQ(length % 8, 0u);
    JsonValue header = parsed(bytes.substr(8, length));
    ASSERT_EQ(header.members.size(), 2u + FAKE_LAYERS + 2u);
    EXPECT_EQ(header.find("logits")->find("shape")->items[0].integer, 5);
    EXPECT_EQ(header.find("logits")->find("shape")->items[1].integer, FAKE_VOCAB);
    auto number = [&](const std::string &tensor, int64_t index, auto value) {
      int64_t begin = header.find(tensor)->find("data_offsets")->items[0].integer;
      memcpy(&value, bytes.data() + 8 + length + begin + index * 4, 4);
      return value;
    };
    EXPECT_EQ(number("logits", 0 * FAKE_VOCAB + 8, 0.0f), 1);
    EXPECT_EQ(number("logits", 4 * FAKE_VOCAB + 9, 0.0f), 1);
    int32_t digest = 0;
    for (int32_t token : {7, 8, 9, 7, 8})
      digest = fake_digest(digest, token);
    EXPECT_EQ(number("logits", 4 * FAKE_VOCAB + FAKE_DIGEST_COLUMN, 0.0f), -digest);
    EXPECT_EQ(number("hidden.2", 3 * FAKE_HIDDEN + 1, 0.0f), fake_hidden(7, 2, 1));
    // The two columns that the metadata speak of; layer 0 has no router.
    EXPECT_EQ(header.find("route.1.experts")->find("dtype")->string, "I32");
    EXPECT_EQ(number("route.1.experts", 3 * 2 + 1, int32_t{}), fake_expert(7, 1));
    EXPECT_EQ(number("route.1.weights", 2 * 2 + 1, 0.0f), fake_expert_weight(9, 1));
    EXPECT_EQ(bytes.size(),
              8 + length + 4 * 5 * (FAKE_VOCAB + (FAKE_LAYERS + 1) * FAKE_HIDDEN + 2 * 2));
    if (first.empty())
      first = bytes;
    EXPECT_EQ(bytes, first) << "pieces of " << chunk;
  }
}

TEST_F(ProgramTest, LogitsAndGenerationGoTogether) {
  expectOutput({"--token-ids", "7,8", "--logits", folder / "out", "-n", "2", "--print-ids"},
               "9,10\n");
  EXPECT_FALSE(readBytes(folder / "out").empty());
}

TEST_F(ProgramTest, NoLogitsFileIsLeftBehindByAFailure) {
  expectError({"--token-ids", "7,8", "--logits", "/nonexistent/out"}, 1, "cannot be created");
}

TEST_F(ProgramTest, TokenizesAndBack) {
  expectOutput({"--tokenize"}, "[97, 98]\n[]\n[256, 257]\n",
               "\"ab\"\n\"\"\n\"<|im_start|><|im_end|>\"\n");
  expectOutput({"--tokenize", "--no-special"}, "[60, 124]\n", "\"<|\"");
  expectOutput({"--detokenize"}, "\"ab<|im_end|>\"\n\"\xEF\xBF\xBD\"\n", "[97,98,257]\n[200]\n");
  expectOutput({"--detokenize", "--no-special"}, "\"ab\"\n", "[97,98,257]\n");
  expectError({"--tokenize"}, 3, "line 2", "\"a\"\n[1]\n");
  expectError({"--detokenize"}, 3, "line 1", "[1.5]\n");
}

TEST_F(ProgramTest, Perplexity) {
  writeBytes(folder / "text", "abcdefg");
  Result whole = run({"--perplexity", folder / "text", "--json"});
  ASSERT_EQ(whole.code, 0) << whole.errors;
  JsonValue score = parsed(whole.output);
  EXPECT_EQ(score.find("scored")->integer, 6);
  ASSERT_EQ(score.find("nll")->items.size(), 6u);
  // exp(1), exp(-digest) = 0, and 259 times exp(0).
  const double nll = std::log(std::exp(1.0) + double{FAKE_VOCAB - 2}) - 1;
  EXPECT_NEAR(score.find("nll")->items[0].real, nll, 1e-7);
  EXPECT_NEAR(score.find("perplexity")->real, std::exp(nll), 1e-5);
  EXPECT_EQ(run({"--perplexity", folder / "text", "--json", "--chunk", "2"}).output, whole.output);
  EXPECT_EQ(score.find("ids")->items.size(), 7u);
  EXPECT_EQ(score.find("ids")->items[6].integer, 'g');
  // Windows of 3, 3 and 1 tokens: only 4 tokens have one before them.
  Result windows = run({"--perplexity", folder / "text", "--json", "--ctx", "3"});
  ASSERT_EQ(windows.code, 0) << windows.errors;
  EXPECT_EQ(parsed(windows.output).find("scored")->integer, 4);
  EXPECT_NE(windows.errors.find("note: "), std::string::npos);
}

TEST_F(ProgramTest, LogitsOfAText) {
  writeBytes(folder / "text", "abcdefg");
  std::string first;
  // Of the last token of each window there are none: it predicts nothing.
  for (const char *chunk : {"512", "1", "2"}) {
    Result result = run({"--perplexity", folder / "text", "--ctx", "3", "--logits", folder / "out",
                         "--chunk", chunk});
    ASSERT_EQ(result.code, 0) << result.errors;
    std::string bytes = readBytes(folder / "out");
    ASSERT_GT(bytes.size(), 8u);
    uint64_t length;
    memcpy(&length, bytes.data(), 8);
    JsonValue header = parsed(bytes.substr(8, length));
    ASSERT_EQ(header.members.size(), 1u);
    EXPECT_EQ(header.find("logits")->find("shape")->items[0].integer, 4);
    ASSERT_EQ(bytes.size(), 8 + length + 4 * 4 * FAKE_VOCAB);
    const std::string predicted = "bcef"; // by the letters before them
    for (int64_t row = 0; row < 4; ++row) {
      float value;
      memcpy(&value, bytes.data() + 8 + length + (row * FAKE_VOCAB + predicted[row]) * 4, 4);
      EXPECT_EQ(value, 1) << row;
    }
    if (first.empty())
      first = bytes;
    EXPECT_EQ(bytes, first) << "pieces of " << chunk;
  }
  expectError({"--perplexity", folder / "text", "--logits", "/nonexistent/out"}, 1,
              "cannot be created");
}

TEST_F(ProgramTest, PerplexityOfNothing) {
  writeBytes(folder / "text", "a");
  expectError({"--perplexity", folder / "text"}, 3, "nothing to predict");
  expectError({"--perplexity", folder / "missing"}, 3, "No such file");
}

TEST_F(ProgramTest, WrongUse) {
  expectError({"--frobnicate"}, 2, "--frobnicate");
  expectError({"--token-ids", "261", "--print-ids"}, 2, "outside of the vocabulary 0 .. 260");
  expectError({"--raw", "-p", ""}, 2, "the prompt is empty");
  expectError({}, 2, "the prompt is empty");
  expectError({"--token-ids", "1", "--print-ids", "--ctx", "65"}, 2, "65 is more than the 64");
  expectError({"--token-ids", "1,2,3", "--print-ids", "--ctx", "2"}, 5, "raise --ctx");
  expectError({"--prompt-file", folder / "missing"}, 3, "No such file");
}

TEST_F(ProgramTest, StopsWhenTheContextIsFull) {
  Result result = run({"--token-ids", "1,2", "--print-ids", "--ctx", "4", "-n", "9"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.output, "3,4,5\n");
  EXPECT_EQ(result.errors, "note: the context of 4 tokens is full\n");
}

TEST_F(ProgramTest, NothingToGenerate) { expectOutput({"--token-ids", "1,2", "-n", "0"}, ""); }

TEST_F(ProgramTest, InterruptEndsTheLine) {
  useImage(Slow);
  Process process(folder, {path, "--token-ids", "65", "--raw", "-n", "60", "--threads", "1"});
  for (int i = 0; i < 500 && process.outputSoFar().size() < 3; ++i)
    usleep(10'000);
  process.interrupt();
  Result result = process.wait();
  EXPECT_EQ(result.code, 130);
  ASSERT_GE(result.output.size(), 4u);
  EXPECT_EQ(result.output.substr(0, 3), "BCD");
  EXPECT_EQ(result.output.back(), '\n');
  EXPECT_LT(result.output.size(), 50u);
  EXPECT_EQ(result.errors, "");
}

} // namespace
} // namespace moire
