// The command line of a benchmark, `PROGRAM --bench …` and `moire bench MODEL …`, as plain data.
// The options are called as those of llama-bench.

#ifndef MOIRE_RUNTIME_MAIN_BENCHOPTIONS_H
#define MOIRE_RUNTIME_MAIN_BENCHOPTIONS_H

#include "runtime/main/OptionReader.h"

#include <optional>

namespace moire {

enum class BenchFormat : uint8_t { Markdown, Csv, Json, JsonLines };

/// What is to be measured: each prompt and each generation, at each depth, by each team; a
/// generation also with each number of sequences. Lengths are tokens.
struct BenchOptions {
  bool help = false; // nothing is measured
  std::vector<int64_t> prompts = {512}, generations = {128};
  std::vector<int64_t> depths = {0};    // tokens that are there before
  std::vector<int64_t> sequences = {1}; // that generate together, a token each in a step
  std::vector<int64_t> threads = {0};   // 0: the default team
  int64_t repetitions = 5;
  int64_t batch = 512;               // most tokens of a prompt in a step
  std::optional<uint64_t> fillState; // a seed: depths are reached without a prefill
  std::string limits;                // who knows what the machine does at best, or empty
  BenchFormat format = BenchFormat::Markdown;
  std::string traceFile; // of a program compiled with --profile
};

/// Reads what stands behind `--bench`. On failure returns false; `error` says which argument is
/// wrong and what it should be.
bool parseBenchOptions(const std::vector<std::string> &arguments, BenchOptions &options,
                       std::string &error);

/// The names of all options, for a command that hands them on.
std::vector<OptionName> benchOptionNames();

/// Lines of help for the options.
extern const char benchOptionsHelp[];
/// The text of `PROGRAM --bench --help`: at most 24 lines of at most 100 columns.
std::string benchHelpText(const std::string &program);

} // namespace moire

#endif
