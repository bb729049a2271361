// What a benchmark measured, and how it is printed: as a table, CSV, JSON or lines of JSON.
//
// Names of tests and of fields are those of llama-bench where it has one. What is printed is listed
// in BenchReport.cpp: a column of the table, or a field of the other formats, is a row there.

#ifndef MOIRE_RUNTIME_MAIN_BENCHREPORT_H
#define MOIRE_RUNTIME_MAIN_BENCHREPORT_H

#include "runtime/IdealTime.h"
#include "runtime/main/BenchOptions.h"

#include <span>

namespace moire {

/// A prompt, or a generation.
struct BenchTest {
  int64_t prompt = 0, generate = 0; // tokens of a sequence; one of them is 0
  int64_t depth = 0;                // tokens of each sequence before
  int64_t sequences = 1;            // 1 with a prompt
  int32_t threads = 0;

  /// "pp512", "tg32 x8", "pp512 @ d4096".
  std::string name() const;
  /// Of all sequences.
  int64_t tokens() const { return (prompt + generate) * sequences; }
  /// That a sequence must have room for.
  int64_t context() const { return depth + prompt + generate; }
};

/// The least seconds that a test can take on the machine. 0: unknown.
struct BenchIdeal {
  double memory = 0;     // for the bytes that it has to read, at the machine's bandwidth
  double operations = 0; // for the multiply-adds that it needs, at the machine's peaks
  double all = 0;        // the larger of both, step by step
};

struct BenchResult {
  BenchTest test;
  std::vector<double> seconds;         // of each run; at least one
  std::vector<BenchIdeal> ideals = {}; // of each run, as the machine was then; or none
  StepNeeds needs = {};                // of a run; 0: unknown
};

/// What all results have in common.
struct BenchSubject {
  std::string model;       // its name
  std::string type;        // of most weights, "q4_0"
  std::string activations; // "int8"
  std::string kvType;      // "f16"
  std::string compiler;    // name and version
  std::string cpu;         // the processor's name
  int64_t bytes = 0;       // of the weights, as packed
  int64_t parameters = 0;  // 0: unknown
  int64_t batch = 0;       // most tokens of a prompt in a step
  std::string depthBy;     // how depths were reached: "prefill", "copies"
};

struct Statistics {
  double mean = 0, deviation = 0, median = 0; // the deviation of a sample: n - 1
};
/// `samples` holds one at least.
Statistics statistics(std::span<const double> samples);

/// The whole text, with a newline at the end.
std::string benchReport(BenchFormat format, const BenchSubject &subject,
                        std::span<const BenchResult> results);

} // namespace moire

#endif
