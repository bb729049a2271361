#include "test/runtime/ProgramFixture.h"

#include "test/runtime/ByteTokenizer.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

namespace moire {

Process::Process(const TemporaryFolder &folder, std::vector<std::string> arguments,
                 const std::string &input) {
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

void Process::interrupt() const { kill(child, SIGINT); }

Result Process::wait() const {
  Result result;
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child)
    return result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  result.output = readBytes(outputPath);
  result.errors = readBytes(errorPath);
  return result;
}

namespace {

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

} // namespace

std::string *ProgramTest::images;

void ProgramTest::SetUpTestSuite() {
  images = new std::string[ImageCount];
  TemporaryFolder folder;
  images[Plain] = link(folder, FAKE_PLAIN);
  images[NeedsUnknownCpu] = link(folder, FAKE_NEEDS_UNKNOWN_CPU);
  images[Slow] = link(folder, FAKE_SLOW);
  images[Profiled] = link(folder, FAKE_PROFILED);
}

ProgramTest::ProgramTest() : path(folder / "program"), file(images[Plain]) {
  file.add("weights", fakeWeights());
  file.add("metadata", kMetadata);
  file.add("tokenizer", byteTokenizerSection());
  file.add("licenses", "MIT or so\n");
  install();
}

void ProgramTest::install() {
  file.seal();
  writeBytes(path, file.bytes());
  chmod(path.c_str(), 0700);
}

void ProgramTest::useImage(Image which) {
  file = SectionedFile(images[which]);
  file.add("weights", fakeWeights());
  file.add("tokenizer", byteTokenizerSection());
  install();
}

Result ProgramTest::run(std::vector<std::string> arguments, const std::string &input) {
  arguments.insert(arguments.begin(), path);
  return Process(folder, std::move(arguments), input).wait();
}

void ProgramTest::expectOutput(std::vector<std::string> arguments, const std::string &output,
                               const std::string &input) {
  Result result = run(std::move(arguments), input);
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.output, output);
  EXPECT_EQ(result.errors, "");
}

void ProgramTest::expectError(std::vector<std::string> arguments, int code, const std::string &why,
                              const std::string &input) {
  Result result = run(std::move(arguments), input);
  EXPECT_EQ(result.code, code);
  EXPECT_NE(result.errors.find(why), std::string::npos) << result.errors;
  EXPECT_EQ(result.errors.find("error: "), 0u) << result.errors;
}

JsonValue parsed(const std::string &text) {
  JsonValue value;
  std::string error;
  EXPECT_TRUE(parseJson(text, value, error)) << error << " in " << text;
  return value;
}

} // namespace moire
