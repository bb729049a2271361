#include "runtime/main/BenchOptions.h"

#include "runtime/Format.h"

namespace moire {

namespace {
constexpr int64_t kMostSequences = 1024, kMostThreads = 1024;

class Parser : OptionReader {
public:
  Parser(const std::vector<std::string> &arguments, BenchOptions &options, std::string &error)
      : OptionReader(arguments, "--help lists the options of --bench", error), options(options) {}

  bool parse();
  static std::vector<OptionName> names();

private:
  static const Row<Parser> table[];

  void prompts() { options.prompts = list(0, INT32_MAX); }
  void generations() { options.generations = list(0, INT32_MAX); }
  void depths() { options.depths = list(0, INT32_MAX); }
  void sequences() { options.sequences = list(1, kMostSequences); }
  void threads() { options.threads = list(1, kMostThreads); }
  void repetitions() { options.repetitions = integer(1, INT32_MAX); }
  void batch() { options.batch = integer(1, INT32_MAX); }
  void fillState() { options.fillState = integer(0, INT64_MAX); }
  void trace() {
    options.traceFile = value;
    if (value.empty())
      fail("needs the name of a file");
  }
  void limits() { options.limits = value; }
  void json() { options.format = BenchFormat::Json; }
  void help() { options.help = true; }

  void output() {
    static constexpr struct {
      std::string_view name;
      BenchFormat format;
    } formats[] = {{"md", BenchFormat::Markdown},
                   {"csv", BenchFormat::Csv},
                   {"json", BenchFormat::Json},
                   {"jsonl", BenchFormat::JsonLines}};
    for (auto [name, format] : formats)
      if (value == name) {
        options.format = format;
        return;
      }
    fail(format("'%s' is none of md, csv, json, jsonl", std::string(value).c_str()));
  }

  BenchOptions &options;
};

const Parser::Row<Parser> Parser::table[] = {
    {{"--n-prompt", "-p", Takes::Value}, &Parser::prompts},
    {{"--n-gen", "-n", Takes::Value}, &Parser::generations},
    {{"--n-depth", "-d", Takes::Value}, &Parser::depths},
    {{"--sequences", "-s", Takes::Value}, &Parser::sequences},
    {{"--threads", "-t", Takes::Value}, &Parser::threads},
    {{"--repetitions", "-r", Takes::Value}, &Parser::repetitions},
    {{"--batch-size", "-b", Takes::Value}, &Parser::batch},
    {{"--fill-state", "", Takes::Value}, &Parser::fillState},
    {{"--trace", "", Takes::Value}, &Parser::trace},
    {{"--limits", "", Takes::Value}, &Parser::limits},
    {{"--output", "-o", Takes::Value}, &Parser::output},
    {{"--json", "", Takes::Nothing}, &Parser::json},
    {{"--help", "-h", Takes::Nothing}, &Parser::help},
};

bool Parser::parse() {
  if (!read<Parser>(*this, table) || options.help)
    return error.empty();
  // 0 tokens stand for no such test.
  std::erase(options.prompts, 0);
  std::erase(options.generations, 0);
  if (options.prompts.empty() && options.generations.empty())
    error = "there is nothing to measure: -p and -n are both 0";
  return error.empty();
}

std::vector<OptionName> Parser::names() {
  std::vector<OptionName> names;
  for (const Row<Parser> &row : table)
    names.push_back(row.option);
  return names;
}
} // namespace

bool parseBenchOptions(const std::vector<std::string> &arguments, BenchOptions &options,
                       std::string &error) {
  error.clear();
  options = {};
  return Parser(arguments, options, error).parse();
}

std::vector<OptionName> benchOptionNames() { return Parser::names(); }

const char benchOptionsHelp[] =
    R"(  -p, --n-prompt 512,64     prompts of so many tokens (512; 0: none)
  -n, --n-gen 128           tokens to generate, one a step (128; 0: none)
  -d, --n-depth 0,4096      tokens that are there before (0)
  -s, --sequences 1,8       sequences that generate together, a token each in a step (1)
  -t, --threads 1,2         threads (the cores that this process may use)
  -r, --repetitions 5       runs of each test, by turns, after a first step that does not count (5)
  -b, --batch-size 512      most tokens of a prompt in a step (512)
  --fill-state SEED         reach a depth by copies of one page of keys and values, not by a prefill
  --trace FILE              where the time goes, for chrome://tracing; compiled with --profile
  -o, --output FORMAT       md (a table), csv, json or jsonl (with all samples); --json: -o json
)";

std::string benchHelpText(const std::string &program) {
  return format("Example: %s --bench -p 512 -n 128 -d 0,4096 -t 1,2\n", program.c_str()) + R"(
Measures tokens per second. Lists make a test of each combination: "pp512" is a prompt of 512
tokens, "tg32 x8 @ d4096" 32 steps of 8 sequences that hold 4096 tokens each.

)" + benchOptionsHelp +
         R"(  --limits FILE             also fractions of the ideal time; FILE: `moire bench --limits -o json`
)";
}

} // namespace moire
