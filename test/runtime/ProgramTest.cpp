// Whole programs: the stub, linked with a fake generated object as `moire compile` does, with
// sections after it, run through its command line.

#include "runtime/Json.h"
#include "test/runtime/ByteTokenizer.h"
#include "test/runtime/SectionedFile.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <fstream>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

namespace moire {
namespace {

struct Result {
  int code = -1; // exit code, or 1000 + the signal that ended it
  std::string output, errors;
};

// A child process whose streams are files.
class Process {
public:
  Process(const TemporaryFolder &folder, std::vector<std::string> arguments,
          const std::string &input = "") {
    outputPath = folder / "stdout";
    errorPath = folder / "stderr";
    writeBytes(folder / "stdin", input);
    std::vector<char *> pointers;
    for (std::string &argument : arguments)
      pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, (folder / "stdin").c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, outputPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    posix_spawn_file_actions_addopen(&actions, 2, errorPath.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                     0600);
    if (posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ) != 0)
      child = -1;
    posix_spawn_file_actions_destroy(&actions);
  }

  std::string outputSoFar() const { return readBytes(outputPath); }
  void interrupt() const { kill(child, SIGINT); }

  Result wait() const {
    Result result;
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child)
      return result;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
    result.output = readBytes(outputPath);
    result.errors = readBytes(errorPath);
    return result;
  }

private:
  pid_t child = -1;
  std::string outputPath, errorPath;
};

// Links `generated` with the stub: only ld.lld and the C library take part.
std::string link(const TemporaryFolder &folder, const char *generated) {
  std::string image = folder / "image";
  Result result =
      Process(folder,
              {MOIRE_LLD, "-pie", "-o", image, MOIRE_STUB, generated, "--as-needed", LIBC,
               LOADER_FILE, "--eh-frame-hdr", "--gc-sections", "-S", "-x", "-dynamic-linker",
               "/lib64/ld-linux-x86-64.so.2", "--no-undefined", "--fatal-warnings"})
          .wait();
  EXPECT_EQ(result.code, 0) << result.errors;
  return readBytes(image);
}

const char kMetadata[] =
    R"({"name": "fake", "architecture": "counting", "parameters": 16, "type": "f32",
  "weights": {"f32": 64}, "eos": [120], "chat": "chatml", "system": "",
  "compiler": "moire 0.0", "kv_type": "i32", "route": [0, 2]})";

class ProgramTest : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    images = new std::string[4];
    TemporaryFolder folder;
    images[0] = link(folder, FAKE_PLAIN);
    images[1] = link(folder, FAKE_NEEDS_UNKNOWN_CPU);
    images[2] = link(folder, FAKE_SLOW);
    images[3] = link(folder, FAKE_PROFILED);
  }
  static void TearDownTestSuite() { delete[] images; }

  ProgramTest() : path(folder / "program"), file(images[0]) {
    file.add("weights", fakeWeights());
    file.add("metadata", kMetadata);
    file.add("tokenizer", byteTokenizerSection());
    file.add("licenses", "MIT or so\n");
    install();
  }

  void install() {
    file.seal();
    writeBytes(path, file.bytes());
    chmod(path.c_str(), 0700);
  }
  void useImage(int which) {
    file = SectionedFile(images[which]);
    file.add("weights", fakeWeights());
    file.add("tokenizer", byteTokenizerSection());
    install();
  }

  Result run(std::vector<std::string> arguments, const std::string &input = "") {
    arguments.insert(arguments.begin(), path);
    return Process(folder, std::move(arguments), input).wait();
  }
  void expectOutput(std::vector<std::string> arguments, const std::string &output,
                    const std::string &input = "") {
    Result result = run(std::move(arguments), input);
    EXPECT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(result.output, output);
    EXPECT_EQ(result.errors, "");
  }
  void expectError(std::vector<std::string> arguments, int code, const std::string &why,
                   const std::string &input = "") {
    Result result = run(std::move(arguments), input);
    EXPECT_EQ(result.code, code);
    EXPECT_NE(result.errors.find(why), std::string::npos) << result.errors;
    EXPECT_EQ(result.errors.find("error: "), 0u) << result.errors;
  }

  static std::string *images;
  TemporaryFolder folder;
  std::string path;
  SectionedFile file;
};
std::string *ProgramTest::images;

JsonValue parsed(const std::string &text) {
  JsonValue value;
  std::string error;
  EXPECT_TRUE(parseJson(text, value, error)) << error << " in " << text;
  return value;
}

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
  // Windows of 3, 3 and 1 tokens: only 4 tokens have one before them.
  Result windows = run({"--perplexity", folder / "text", "--json", "--ctx", "3"});
  ASSERT_EQ(windows.code, 0) << windows.errors;
  EXPECT_EQ(parsed(windows.output).find("scored")->integer, 4);
  EXPECT_NE(windows.errors.find("note: "), std::string::npos);
}

TEST_F(ProgramTest, PerplexityOfNothing) {
  writeBytes(folder / "text", "a");
  expectError({"--perplexity", folder / "text"}, 3, "nothing to predict");
  expectError({"--perplexity", folder / "missing"}, 3, "No such file");
}

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
  useImage(2); // 20 ms a step: 100 s in all
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
    file = SectionedFile(images[3]);
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
  file = SectionedFile(images[3]);
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
  writeBytes(path, images[0]);
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
  useImage(1);
  expectError({"--token-ids", "1", "--print-ids"}, 4, "lacks features 0x10000000000");
  EXPECT_EQ(run({"--info"}).code, 0) << "what needs no generated code works";
}

TEST_F(ProgramTest, WithoutATokenizerIdsStillWork) {
  file = SectionedFile(images[0]);
  file.add("weights", fakeWeights());
  install();
  expectOutput({"--token-ids", "1", "--print-ids", "-n", "2"}, "2,3\n");
  expectError({"-p", "x"}, 4, "without a tokenizer");
  expectError({"--tokenize"}, 4, "without a tokenizer");
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

TEST_F(ProgramTest, FullDiskIsAnError) {
  const std::string command = path + " --licenses > /dev/full 2> " + (folder / "stderr");
  const int status = system(command.c_str());
  EXPECT_EQ(WEXITSTATUS(status), 5);
  EXPECT_NE(readBytes(folder / "stderr").find("No space left"), std::string::npos);
}

TEST_F(ProgramTest, InterruptEndsTheLine) {
  useImage(2);
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
  EXPECT_LT(images[0].size(), 288u << 10); // 24 kB of it are names
  EXPECT_LT(readBytes(MOIRE_STUB).size(), 512u << 10);
}

} // namespace
} // namespace moire
