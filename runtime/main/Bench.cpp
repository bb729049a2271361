// How fast the program is here.

#include "runtime/Format.h"
#include "runtime/Json.h"
#include "runtime/main/Console.h"
#include "runtime/main/Modes.h"

#include <algorithm>

namespace moire {

namespace {
struct Result {
  std::string test;         // "pp512", "tg128" as llama-bench calls them
  std::vector<double> runs; // tokens per second

  double mean() const {
    double sum = 0;
    for (double run : runs)
      sum += run;
    return sum / static_cast<double>(runs.size());
  }
  double deviation() const { // of the sample
    double sum = 0, middle = mean();
    for (double run : runs)
      sum += (run - middle) * (run - middle);
    return runs.size() > 1 ? __builtin_sqrt(sum / static_cast<double>(runs.size() - 1)) : 0;
  }
  double median() const {
    std::vector<double> sorted = runs;
    std::sort(sorted.begin(), sorted.end());
    size_t half = sorted.size() / 2;
    return sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  }
};

// Tokens without a meaning, spread over the vocabulary: routers and caches see no repetition.
std::vector<int32_t> madeUpTokens(int64_t count, int64_t vocab) {
  std::vector<int32_t> tokens;
  uint64_t state = 1;
  while (static_cast<int64_t>(tokens.size()) < count) {
    state = state * 6364136223846793005ull + 1442695040888963407ull; // Knuth's MMIX generator
    tokens.push_back(static_cast<int32_t>((state >> 33) % static_cast<uint64_t>(vocab)));
  }
  return tokens;
}

// One run from an empty context. Seconds, or a negative exit code.
double timePrompt(Program &program, const std::vector<int32_t> &tokens, float *logits) {
  moire_slot_reset(program.state, 0);
  double start = seconds();
  int code = program.feed(tokens, logits);
  return code ? -code : seconds() - start;
}

double timeGeneration(Program &program, const std::vector<int32_t> &tokens, float *logits) {
  moire_slot_reset(program.state, 0);
  double start = seconds();
  for (const int32_t &token : tokens) {
    moire_status status = moire_feed(program.state, 0, &token, 1, 0, logits);
    if (status != MOIRE_OK)
      return -program.complainAboutState(status);
    if (interrupted())
      return -kInterrupted;
  }
  return seconds() - start;
}

void printTable(const Program &program, const std::vector<Result> &results, int32_t threads) {
  print("| model                  |       size | threads |    test |               t/s |     "
        "median |\n"
        "| ---------------------- | ---------: | ------: | ------: | ----------------: | "
        "---------: |\n");
  for (const Result &result : results)
    print(format("| %-22s | %10s | %7d | %7s | %8.2f ± %6.2f | %10.2f |\n",
                 program.metadata.name.substr(0, 22).c_str(),
                 formatBytes(program.info.weight_bytes).c_str(), threads, result.test.c_str(),
                 result.mean(), result.deviation(), result.median()));
}

void printJson(const Program &program, const std::vector<Result> &results, int32_t threads) {
  JsonWriter json;
  json.beginArray();
  for (const Result &result : results) {
    json.beginObject().key("model").string(program.metadata.name);
    json.key("weight_bytes").integer(program.info.weight_bytes).key("threads").integer(threads);
    json.key("test").string(result.test).key("median").real(result.median());
    json.key("mean").real(result.mean()).key("deviation").real(result.deviation());
    json.key("runs").beginArray();
    for (double run : result.runs)
      json.real(run);
    json.endArray().endObject();
  }
  print(json.endArray().text + "\n");
}
} // namespace

int runBench(Program &program) {
  const Options &options = program.options;
  const int64_t longest = std::max(options.benchPrompt, options.benchGenerate);
  if (longest > program.context())
    return complain(
        kUsage, format("--bench of %lld tokens does not fit the context of %lld; choose "
                       "smaller numbers with --bench=P,N,R",
                       static_cast<long long>(longest), static_cast<long long>(program.context())));
  if (int code = program.createState(std::min(options.chunk, options.benchPrompt)))
    return code;
  FloatBuffer logits;
  if (int code = logits.allocate(program.info.vocab))
    return code;
  const struct {
    const char *kind;
    int64_t tokens;
    double (*time)(Program &, const std::vector<int32_t> &, float *);
  } tests[] = {{"pp", options.benchPrompt, timePrompt},
               {"tg", options.benchGenerate, timeGeneration}};

  std::vector<Result> results;
  Progress progress("bench", 2 * (options.benchRuns + 1));
  uint64_t done = 0;
  for (const auto &test : tests) {
    std::vector<int32_t> tokens = madeUpTokens(test.tokens, program.info.vocab);
    Result &result = results.emplace_back();
    result.test = format("%s%lld", test.kind, static_cast<long long>(test.tokens));
    for (int64_t run = 0; run <= options.benchRuns; ++run) {
      double time = test.time(program, tokens, logits.data());
      if (time < 0)
        return static_cast<int>(-time);
      if (run > 0) // the first one pages the weights in
        result.runs.push_back(static_cast<double>(test.tokens) / time);
      progress.show(++done);
    }
  }
  moire_state_options state = {};
  moire_state_get_options(program.state, &state);
  (options.json ? printJson : printTable)(program, results, state.threads);
  return finishOutput();
}

} // namespace moire
