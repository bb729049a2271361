// How fast the program is here.
//
// A team is measured after the other, each with a state of its own. For a team, every sequence
// reaches the greatest depth once, in a slot that is then only forked from: a run takes the fork
// and cuts it to its depth. So runs of different tests can take turns, which spreads what disturbs
// the machine over all of them, and each starts from the same pages.

#include "runtime/Format.h"
#include "runtime/cpu/Features.h"
#include "runtime/main/BenchIdeal.h"
#include "runtime/main/BenchLimits.h"
#include "runtime/main/Console.h"
#include "runtime/main/Modes.h"
#include "runtime/main/Profiler.h"

#include <unistd.h>

namespace moire {

namespace {
// A number without a pattern for each i: SplitMix64's finalizer (Steele, Lea, Flood 2014).
uint64_t scramble(uint64_t i) {
  i = (i + 1) * 0x9E3779B97F4A7C15ull;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9ull;
  i = (i ^ (i >> 27)) * 0x94D049BB133111EBull;
  return i ^ (i >> 31);
}

// Tokens without a meaning, spread over the vocabulary: routers and caches see no repetition.
std::vector<int32_t> madeUpTokens(uint64_t seed, int64_t count, int64_t vocab) {
  std::vector<int32_t> tokens;
  for (uint64_t i = 0; i < static_cast<uint64_t>(count); ++i)
    tokens.push_back(static_cast<int32_t>(scramble(scramble(seed) + i) % vocab));
  return tokens;
}

class Benchmark {
public:
  explicit Benchmark(Program &program) : program(program), options(program.options.bench) {}

  int run();

private:
  int plan();
  int openLimits();
  int measureLimits(int64_t threads, MachineLimits &now);
  int measureTeam(std::span<BenchResult> tests);
  int createState(std::span<BenchResult> tests);
  int reachDepth(int32_t sequence, int64_t depth, Progress &progress, int64_t &done);
  int time(const BenchTest &test, bool onlyOneStep, double &time);
  int step(std::span<const int32_t> tokens, std::span<const int32_t> slots, int64_t rows);
  void report() const;

  Program &program;
  const BenchOptions &options;
  std::vector<BenchResult> results; // those of a team beside each other
  int32_t sequences = 1;            // slots 0 .. sequences-1 hold depths, as many more do the runs
  BenchLimits limits;
  FloatBuffer logits; // [sequences, vocab]
};

// Fills in `results`, without samples.
int Benchmark::plan() {
  for (int64_t threads : options.threads)
    for (int64_t depth : options.depths) {
      BenchTest test;
      test.threads = static_cast<int32_t>(threads);
      test.depth = depth;
      for (int64_t prompt : options.prompts) {
        test.prompt = prompt;
        results.push_back({test, {}});
      }
      test.prompt = 0;
      for (int64_t generate : options.generations)
        for (int64_t together : options.sequences) {
          test.generate = generate;
          test.sequences = together;
          sequences = std::max(sequences, static_cast<int32_t>(together));
          results.push_back({test, {}});
        }
    }
  for (BenchResult &result : results) {
    result.needs = needsOf(result.test, options.batch, program.metadata.work);
    if (result.test.context() > program.info.context)
      return complain(kUsage, format("%s does not fit the context of %lld tokens that the model "
                                     "was made for; choose less with -p, -n or -d",
                                     result.test.name().c_str(),
                                     static_cast<long long>(program.info.context)));
  }
  return kDone;
}

// Before anything is measured: whoever asks for fractions would not like to wait without getting
// them.
int Benchmark::openLimits() {
  std::string error;
  if (!limits.open(options.limits, error))
    return complain(kBadInput, "--limits: " + error);
  if (limits.known() && program.metadata.work.empty())
    return complain(kUnsupported, "--limits: this program does not say what its steps need; "
                                  "compile the model again");
  return kDone;
}

int Benchmark::measureLimits(int64_t threads, MachineLimits &now) {
  std::string error;
  return !limits.known() || limits.measure(threads, now, error)
             ? kDone
             : complain(kFailed, "--limits: " + error);
}

int Benchmark::createState(std::span<BenchResult> tests) {
  moire_state_options wanted = {};
  wanted.slots = 2 * sequences;
  wanted.threads = tests.front().test.threads;
  int64_t longest = 1; // piece of a prompt
  for (const BenchResult &result : tests) {
    wanted.context = std::max(wanted.context, result.test.context());
    longest = std::max({longest, result.test.prompt, result.test.depth});
  }
  wanted.max_tokens = std::max<int64_t>(std::min(options.batch, longest), sequences);
  // Memory is taken as it is touched, and more than there is would end the process without a word.
  const uint64_t needed = sequences * wanted.context * program.info.kv_bytes_per_token;
  const uint64_t memory = static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  if (needed > memory)
    return complain(kOutOfResources,
                    format("%d sequences of %lld tokens need %s for keys and values, and this "
                           "machine has %s; choose less with -s or -d",
                           sequences, static_cast<long long>(wanted.context),
                           formatBytes(needed).c_str(), formatBytes(memory).c_str()));
  if (int code = program.createState(wanted))
    return code;
  moire_state_get_options(program.state, &wanted);
  for (BenchResult &result : tests)
    result.test.threads = wanted.threads;
  return kDone;
}

// Runs a step; the logits of its last `rows` tokens are computed.
int Benchmark::step(std::span<const int32_t> tokens, std::span<const int32_t> slots, int64_t rows) {
  if (interrupted())
    return kInterrupted;
  std::vector<int32_t> wanted(rows);
  for (int64_t i = 0; i < rows; ++i)
    wanted[i] = static_cast<int32_t>(static_cast<int64_t>(tokens.size()) - rows + i);
  moire_batch batch = {};
  batch.tokens = tokens.data();
  batch.slots = slots.data();
  batch.token_count = static_cast<int64_t>(tokens.size());
  batch.rows = wanted.data();
  batch.row_count = rows;
  batch.logits = logits.data();
  moire_status status = moire_step_run(program.state, &batch);
  return status == MOIRE_OK ? kDone : program.complainAboutState(status);
}

// Fills slot `sequence`. `done` counts tokens of all sequences.
int Benchmark::reachDepth(int32_t sequence, int64_t depth, Progress &progress, int64_t &done) {
  program.countStepsAs("");
  const int64_t page = program.info.kv_page_positions;
  int64_t fed = options.fillState ? std::min(depth, page) : depth;
  const uint64_t seed = scramble(options.fillState.value_or(0)) + sequence;
  const std::vector<int32_t> tokens = madeUpTokens(seed, fed, program.info.vocab);
  const std::vector<int32_t> slots(std::min(options.batch, fed), sequence);
  for (int64_t start = 0; start < fed; start += options.batch) {
    int64_t count = std::min(options.batch, fed - start);
    if (int code = step(std::span(tokens).subspan(start, count), std::span(slots).first(count), 0))
      return code;
    progress.show(done += count);
  }
  // Page by page, since a long context takes seconds.
  while (fed < depth) {
    if (interrupted())
      return kInterrupted;
    const int64_t next = page ? std::min(depth, fed + page) : depth;
    moire_status status = moire_slot_repeat(program.state, sequence, next);
    if (status != MOIRE_OK)
      return program.complainAboutState(status);
    progress.show(done += next - fed);
    fed = next;
  }
  return kDone;
}

// A run of `test`: its seconds in `time`.
int Benchmark::time(const BenchTest &test, bool onlyOneStep, double &time) {
  program.countStepsAs(onlyOneStep ? "" : test.name());
  const int64_t vocab = program.info.vocab;
  std::vector<int32_t> slots;
  for (int32_t i = 0; i < test.sequences; ++i) {
    slots.push_back(sequences + i);
    moire_slot_fork(program.state, i, slots[i]);
    moire_slot_truncate(program.state, slots[i], test.depth);
  }
  if (test.prompt) {
    const std::vector<int32_t> tokens = madeUpTokens(1, test.prompt, vocab);
    slots.assign(std::min(options.batch, test.prompt), slots.front());
    const double start = seconds();
    for (int64_t at = 0; at < test.prompt; at += options.batch) {
      const int64_t count = std::min(options.batch, test.prompt - at);
      if (int code = step(std::span(tokens).subspan(at, count), std::span(slots).first(count),
                          at + count == test.prompt))
        return code;
      if (onlyOneStep)
        break;
    }
    time = seconds() - start;
    return kDone;
  }
  const std::vector<int32_t> tokens = madeUpTokens(2, test.generate * test.sequences, vocab);
  const double start = seconds();
  for (int64_t at = 0; at < test.generate; ++at) {
    if (int code = step(std::span(tokens).subspan(at * test.sequences, test.sequences), slots,
                        test.sequences))
      return code;
    if (onlyOneStep)
      break;
  }
  time = seconds() - start;
  return kDone;
}

int Benchmark::measureTeam(std::span<BenchResult> tests) {
  if (int code = createState(tests))
    return code;
  int64_t deepest = 0;
  for (const BenchResult &result : tests)
    deepest = std::max(deepest, result.test.depth);
  {
    Progress progress("prefill", deepest * sequences);
    int64_t done = 0;
    for (int32_t sequence = 0; sequence < sequences; ++sequence)
      if (int code = reachDepth(sequence, deepest, progress, done))
        return code;
  }
  Progress progress("bench", (options.repetitions + 1) * tests.size());
  uint64_t done = 0;
  MachineLimits before, after;
  for (int64_t run = 0; run <= options.repetitions; ++run)
    for (BenchResult &result : tests) {
      double time;
      const bool warmUp = run == 0; // reads the weights from the disk, and touches memory
      if (int code = this->time(result.test, warmUp, time))
        return code;
      // Between any two runs: beside other work the machine gives more and less within seconds.
      if (int code = !warmUp || &result == &tests.back() ? measureLimits(result.test.threads, after)
                                                         : kDone)
        return code;
      if (!warmUp) {
        result.seconds.push_back(time);
        before += after;
        if (limits.known())
          result.ideals.push_back(
              idealOf(result.test, options.batch, program.metadata.work, before * 0.5));
      }
      before = after;
      progress.show(++done);
    }
  return kDone;
}

void Benchmark::report() const {
  BenchSubject subject;
  subject.model = program.metadata.name;
  subject.type = program.metadata.type;
  subject.activations = program.metadata.activations;
  subject.kvType = program.metadata.kvType;
  subject.compiler = program.metadata.compiler;
  subject.cpu = cpuName();
  subject.bytes = program.info.weight_bytes;
  subject.parameters = program.metadata.parameters;
  subject.batch = options.batch;
  subject.depthBy = options.fillState ? "copies" : "prefill";
  std::vector<BenchResult> measured;
  for (const BenchResult &result : results)
    if (!result.seconds.empty())
      measured.push_back(result);
  if (program.profiler && limits.known()) {
    std::map<int64_t, MachineLimits> ofTeams;
    for (const BenchResult &result : measured)
      ofTeams[result.test.threads] = limits.mean(result.test.threads);
    program.profiler->limits = [ofTeams](int64_t threads) mutable {
      const MachineLimits &found = ofTeams[threads];
      return ProfileLimits{found.read, found.int8 / 2, found.bf16 / 2, found.f32 / 2};
    };
  }
  if (!measured.empty())
    print(benchReport(options.format, subject, measured));
  if (!measured.empty() && options.format == BenchFormat::Markdown)
    print(limits.changes());
}

int Benchmark::run() {
  int code = openLimits();
  if (code == kDone)
    code = plan();
  if (code == kDone)
    code = logits.allocate(sequences * program.info.vocab, "--sequences");
  const size_t ofTeam = results.size() / options.threads.size();
  for (size_t start = 0; start < results.size() && code == kDone; start += ofTeam)
    code = measureTeam(std::span(results).subspan(start, ofTeam));
  if (code != kDone && code != kInterrupted)
    return code;
  report(); // after Ctrl-C, what there is
  const int written = finishOutput();
  return code != kDone ? code : written;
}
} // namespace

int runBench(Program &program) { return Benchmark(program).run(); }

} // namespace moire
