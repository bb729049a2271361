#include "runtime/main/Options.h"

#include "runtime/Format.h"
#include "runtime/main/OptionReader.h"

namespace moire {

namespace {
class Parser : OptionReader {
public:
  Parser(const std::vector<std::string> &arguments, Options &options, std::string &error)
      : OptionReader(arguments, "a prompt is given with -p \"…\"", error), options(options) {}

  bool parse();

private:
  static const Row<Parser> table[];

  void mode(Mode wanted) {
    if (options.mode == Mode::Help)
      return;
    if (options.mode != Mode::Generate && options.mode != wanted && wanted != Mode::Help)
      return fail(
          "only one of --tokenize, --detokenize, --perplexity, --info, --verify, --licenses, "
          "--version at a time");
    options.mode = wanted;
  }

  void prompt() { options.prompt = value; }
  void promptFile() { options.promptFile = value; }
  void tokenIds() {
    std::vector<int64_t> ids = list(0, INT32_MAX);
    options.tokenIds.emplace(ids.begin(), ids.end());
  }
  void chat() { options.chat = true; }
  void noChat() { options.chat = false; }
  void noSpecial() { options.noSpecial = true; }
  void generate() { options.generate = integer(0, INT32_MAX); }
  void context() { options.context = integer(1, INT32_MAX); }
  void chunk() { options.chunk = integer(1, INT32_MAX); }
  void threads() { options.threads = static_cast<int32_t>(integer(1, 1024)); }
  void temperature() { options.temperature = real(0, 1e6); }
  void topK() { options.topK = static_cast<int32_t>(integer(0, INT32_MAX)); }
  void topP() { options.topP = real(0, 1); }
  void minP() { options.minP = real(0, 1); }
  void seed() { options.seed = integer(0, INT64_MAX); }
  void printIds() { options.printIds = true; }
  void json() { options.json = true; }
  void timings() { options.timings = true; }
  void logits() {
    options.logitsFile = value;
    if (value.empty())
      fail("needs the name of a file");
  }
  void trace() {
    options.traceFile = value;
    if (value.empty())
      fail("needs the name of a file");
  }
  void perplexity() {
    mode(Mode::Perplexity);
    options.perplexityFile = value;
  }
  void bench() {
    if (options.mode != Mode::Help)
      fail("comes first: everything behind it is an option of the benchmark");
  }
  void tokenize() { mode(Mode::Tokenize); }
  void detokenize() { mode(Mode::Detokenize); }
  void info() { mode(Mode::Info); }
  void verify() { mode(Mode::Verify); }
  void licenses() { mode(Mode::Licenses); }
  void version() { mode(Mode::Version); }
  void help() { mode(Mode::Help); }

  void checkTogether() {
    int prompts =
        options.prompt.has_value() + options.promptFile.has_value() + options.tokenIds.has_value();
    if (prompts > 1)
      error = "only one of --prompt, --prompt-file and --token-ids at a time";
    else if (prompts && options.mode != Mode::Generate && options.mode != Mode::Help)
      error = "a prompt is only for generating; --tokenize and --detokenize read standard input";
    else if (!options.logitsFile.empty() && options.mode != Mode::Generate &&
             options.mode != Mode::Perplexity)
      error = "--logits needs a prompt, or --perplexity";
  }

  Options &options;
};

const Parser::Row<Parser> Parser::table[] = {
    {{"--prompt", "-p", Takes::Value}, &Parser::prompt},
    {{"--prompt-file", "-f", Takes::Value}, &Parser::promptFile},
    {{"--token-ids", "", Takes::Value}, &Parser::tokenIds},
    {{"--chat", "", Takes::Nothing}, &Parser::chat},
    {{"--no-chat", "--raw", Takes::Nothing}, &Parser::noChat},
    {{"--no-special", "", Takes::Nothing}, &Parser::noSpecial},
    {{"--predict", "-n", Takes::Value}, &Parser::generate},
    {{"--ctx", "-c", Takes::Value}, &Parser::context},
    {{"--chunk", "", Takes::Value}, &Parser::chunk},
    {{"--threads", "-t", Takes::Value}, &Parser::threads},
    {{"--temp", "", Takes::Value}, &Parser::temperature},
    {{"--top-k", "", Takes::Value}, &Parser::topK},
    {{"--top-p", "", Takes::Value}, &Parser::topP},
    {{"--min-p", "", Takes::Value}, &Parser::minP},
    {{"--seed", "", Takes::Value}, &Parser::seed},
    {{"--print-ids", "", Takes::Nothing}, &Parser::printIds},
    {{"--json", "", Takes::Nothing}, &Parser::json},
    {{"--timings", "", Takes::Nothing}, &Parser::timings},
    {{"--logits", "", Takes::Value}, &Parser::logits},
    {{"--trace", "", Takes::Value}, &Parser::trace},
    {{"--perplexity", "", Takes::Value}, &Parser::perplexity},
    {{"--bench", "", Takes::Nothing}, &Parser::bench},
    {{"--tokenize", "", Takes::Nothing}, &Parser::tokenize},
    {{"--detokenize", "", Takes::Nothing}, &Parser::detokenize},
    {{"--info", "", Takes::Nothing}, &Parser::info},
    {{"--verify", "", Takes::Nothing}, &Parser::verify},
    {{"--licenses", "", Takes::Nothing}, &Parser::licenses},
    {{"--version", "", Takes::Nothing}, &Parser::version},
    {{"--help", "-h", Takes::Nothing}, &Parser::help},
};

bool Parser::parse() {
  if (read<Parser>(*this, table))
    checkTogether();
  return error.empty();
}
} // namespace

bool parseOptions(const std::vector<std::string> &arguments, Options &options, std::string &error) {
  error.clear();
  options = {};
  if (!arguments.empty() && arguments.front() == "--bench") {
    std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
    options.mode = Mode::Bench;
    return parseBenchOptions(rest, options.bench, error);
  }
  return Parser(arguments, options, error).parse();
}

std::string helpText(const std::string &program) {
  const char *name = program.c_str();
  return format("Example: %s -p \"Give three primary colors.\"     or: echo \"Once upon a time\" | "
                "%s\n",
                name, name) +
         R"(
Prompt    -p, --prompt TEXT   -f, --prompt-file FILE   --token-ids 1,2,3   or standard input
          --chat, --no-chat   as a user's turn (where the model has a chat form), or as it stands
Length    -n N                most tokens to generate (512)
          -c, --ctx N         context in tokens (the model's own)
Sampling  --temp T            temperature; 0, the default, takes the most likely token
          --top-k K  --top-p P  --min-p P  --seed S
Speed     -t, --threads N     threads (the cores that this process may use)
          --chunk N           tokens of the prompt per step (512)
Output    --json              one JSON object; --timings: tokens per second, to standard error
          --print-ids         ids instead of text; end tokens do not end it
          --logits FILE       logits (and kept hidden states) of the prompt as safetensors; -n 0
          --trace FILE        where the time goes, for chrome://tracing; compiled with --profile
Text      --tokenize          standard input: a JSON string a line; output: its ids as a JSON list
          --detokenize        the reverse; --no-special: control tokens are plain text, or left out
          --perplexity FILE   of the text in FILE; --logits: of every token that predicts one
About     --info  --licenses  --version  --help
          --verify            reads everything and compares checksums
          --bench             tokens per second; its own options follow: --bench --help
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 damaged or wrong input, 4 not supported here,
5 out of memory, disk or context, 130 interrupted.
)";
}

} // namespace moire
