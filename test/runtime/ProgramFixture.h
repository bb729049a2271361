// Whole programs: the stub, linked with a fake generated object as `moire compile` does, with
// sections after it, run through its command line.

#ifndef MOIRE_TEST_RUNTIME_PROGRAMFIXTURE_H
#define MOIRE_TEST_RUNTIME_PROGRAMFIXTURE_H

#include "runtime/Json.h"
#include "test/runtime/SectionedFile.h"

#include <gtest/gtest.h>

namespace moire {

struct Result {
  int code = -1; // exit code, or 1000 + the signal that ended it
  std::string output, errors;
};

/// A child process whose streams are files.
class Process {
public:
  Process(const TemporaryFolder &folder, std::vector<std::string> arguments,
          const std::string &input = "");

  std::string outputSoFar() const { return readBytes(outputPath); }
  void interrupt() const;
  Result wait() const;

private:
  pid_t child = -1;
  std::string outputPath, errorPath;
};

class ProgramTest : public ::testing::Test {
protected:
  enum Image { Plain, NeedsUnknownCpu, Slow, Profiled, ImageCount };

  static void SetUpTestSuite();
  static void TearDownTestSuite() { delete[] images; }

  /// A plain program with metadata, tokenizer and licenses.
  ProgramTest();

  /// Writes `file` as the program.
  void install();
  /// A program without metadata and licenses.
  void useImage(Image which);

  Result run(std::vector<std::string> arguments, const std::string &input = "");
  void expectOutput(std::vector<std::string> arguments, const std::string &output,
                    const std::string &input = "");
  void expectError(std::vector<std::string> arguments, int code, const std::string &why,
                   const std::string &input = "");

  static std::string *images; // [ImageCount] without sections
  TemporaryFolder folder;
  std::string path;
  SectionedFile file;
};

/// `text` as JSON; anything else is a test failure.
JsonValue parsed(const std::string &text);

} // namespace moire

#endif
