// The command line of a compiled program, as plain data.

#ifndef MOIRE_RUNTIME_MAIN_OPTIONS_H
#define MOIRE_RUNTIME_MAIN_OPTIONS_H

#include "runtime/main/BenchOptions.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace moire {

enum class Mode : uint8_t {
  Generate,
  Tokenize,
  Detokenize,
  Perplexity,
  Bench,
  Info,
  Verify,
  Licenses,
  Version,
  Help,
};

struct Options {
  Mode mode = Mode::Generate;

  std::optional<std::string> prompt;
  std::optional<std::string> promptFile; // "-" is standard input
  std::optional<std::vector<int32_t>> tokenIds;
  std::optional<bool> chat; // unset: when the model has a chat form
  bool noSpecial = false;

  std::optional<int64_t> generate; // most tokens to generate; unset: 512, or 0 with --logits
  int64_t context = 0;             // tokens; 0: the model's
  int64_t chunk = 512;             // tokens of the prompt in one step
  int32_t threads = 0;             // 0: the default team

  float temperature = 0, topP = 1, minP = 0;
  int32_t topK = 0;
  std::optional<uint64_t> seed;

  bool printIds = false, json = false, timings = false;
  std::string logitsFile;
  std::string perplexityFile;
  std::string traceFile; // of a program compiled with --profile
  BenchOptions bench;

  /// Where a trace is wanted; empty: nowhere.
  const std::string &trace() const { return mode == Mode::Bench ? bench.traceFile : traceFile; }
};

/// Reads the arguments (without the program's name). On failure returns false; `error` says which
/// argument is wrong and what it should be. Behind a first `--bench` stand the options of
/// BenchOptions.h, and no others.
bool parseOptions(const std::vector<std::string> &arguments, Options &options, std::string &error);

/// The text of --help: at most 24 lines of at most 100 columns.
std::string helpText(const std::string &program);

} // namespace moire

#endif
