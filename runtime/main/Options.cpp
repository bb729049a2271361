#include "runtime/main/Options.h"

#include "runtime/Format.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string_view>

namespace moire {

namespace {
enum class Takes : uint8_t { Nothing, Value, MaybeValue };

class Parser {
public:
  Parser(const std::vector<std::string> &arguments, Options &options, std::string &error)
      : arguments(arguments), options(options), error(error) {}

  bool parse() {
    while (next < arguments.size() && error.empty())
      argument();
    if (error.empty())
      checkTogether();
    return error.empty();
  }

private:
  struct Option {
    std::string_view name, shortName;
    Takes takes;
    void (Parser::*set)();
  };
  static const Option table[];

  void argument() {
    std::string_view spelled = arguments[next++];
    size_t equals = spelled.substr(0, 2) == "--" ? spelled.find('=') : spelled.npos;
    given = spelled.substr(0, equals);
    hasValue = equals != spelled.npos;
    value = hasValue ? spelled.substr(equals + 1) : "";
    const Option *option = find(given);
    if (!option) {
      if (given.substr(0, 1) == "-")
        fail("there is no such option; --help lists them");
      else
        error = format("'%s' is no option; a prompt is given with -p \"…\"",
                       arguments[next - 1].c_str());
      return;
    }
    if (option->takes == Takes::Nothing && hasValue)
      return fail("takes no value");
    if (option->takes == Takes::Value && !hasValue) {
      if (next == arguments.size())
        return fail("needs a value");
      value = arguments[next++];
    }
    (this->*option->set)();
  }

  static const Option *find(std::string_view name);

  void fail(const std::string &why) {
    if (error.empty())
      error = format("%s: %s", std::string(given).c_str(), why.c_str());
  }

  template <typename T> T integer(int64_t least, int64_t most) {
    int64_t number = 0;
    auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (status != std::errc() || end != value.data() + value.size() || number < least ||
        number > most)
      fail(format("'%s' is not a whole number in %lld .. %lld", std::string(value).c_str(),
                  static_cast<long long>(least), static_cast<long long>(most)));
    return static_cast<T>(number);
  }

  float real(double least, double most) {
    std::string spelled(value);
    char *end = nullptr;
    double number = strtod(spelled.c_str(), &end);
    if (spelled.empty() || *end || !(number >= least && number <= most))
      fail(format("'%s' is not a number in %g .. %g", spelled.c_str(), least, most));
    return static_cast<float>(number);
  }

  // "1,2,3": whole numbers of at least `least`, with or without spaces.
  std::vector<int64_t> list(int64_t least) {
    std::vector<int64_t> numbers;
    std::string_view all = value;
    for (size_t start = 0; start <= all.size();) {
      size_t end = std::min(all.find(',', start), all.size());
      value = all.substr(start, end - start);
      while (!value.empty() && value.front() == ' ')
        value.remove_prefix(1);
      while (!value.empty() && value.back() == ' ')
        value.remove_suffix(1);
      numbers.push_back(integer<int64_t>(least, INT32_MAX));
      start = end + 1;
    }
    return numbers;
  }

  void mode(Mode wanted) {
    if (options.mode == Mode::Help)
      return;
    if (options.mode != Mode::Generate && options.mode != wanted && wanted != Mode::Help)
      return fail("only one of --tokenize, --detokenize, --perplexity, --bench, --info, --verify, "
                  "--licenses, --version at a time");
    options.mode = wanted;
  }

  void prompt() { options.prompt = value; }
  void promptFile() { options.promptFile = value; }
  void tokenIds() {
    std::vector<int64_t> ids = list(0);
    options.tokenIds.emplace(ids.begin(), ids.end());
  }
  void chat() { options.chat = true; }
  void noChat() { options.chat = false; }
  void noSpecial() { options.noSpecial = true; }
  void generate() { options.generate = integer<int64_t>(0, INT32_MAX); }
  void context() { options.context = integer<int64_t>(1, INT32_MAX); }
  void chunk() { options.chunk = integer<int64_t>(1, INT32_MAX); }
  void threads() { options.threads = integer<int32_t>(1, 1024); }
  void temperature() { options.temperature = real(0, 1e6); }
  void topK() { options.topK = integer<int32_t>(0, INT32_MAX); }
  void topP() { options.topP = real(0, 1); }
  void minP() { options.minP = real(0, 1); }
  void seed() { options.seed = integer<uint64_t>(0, INT64_MAX); }
  void printIds() { options.printIds = true; }
  void json() { options.json = true; }
  void timings() { options.timings = true; }
  void logits() {
    options.logitsFile = value;
    if (value.empty())
      fail("needs the name of a file");
  }
  void perplexity() {
    mode(Mode::Perplexity);
    options.perplexityFile = value;
  }
  void bench() {
    mode(Mode::Bench);
    if (!hasValue)
      return;
    std::vector<int64_t> numbers = list(1);
    if (numbers.size() != 3)
      return fail("takes three numbers: prompt tokens, generated tokens, runs");
    options.benchPrompt = numbers[0];
    options.benchGenerate = numbers[1];
    options.benchRuns = numbers[2];
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
    else if (!options.logitsFile.empty() && options.mode != Mode::Generate)
      error = "--logits needs a prompt";
  }

  const std::vector<std::string> &arguments;
  Options &options;
  std::string &error;
  size_t next = 0;
  std::string_view given, value; // of the option that is being read
  bool hasValue = false;
};

const Parser::Option Parser::table[] = {
    {"--prompt", "-p", Takes::Value, &Parser::prompt},
    {"--prompt-file", "-f", Takes::Value, &Parser::promptFile},
    {"--token-ids", "", Takes::Value, &Parser::tokenIds},
    {"--chat", "", Takes::Nothing, &Parser::chat},
    {"--no-chat", "--raw", Takes::Nothing, &Parser::noChat},
    {"--no-special", "", Takes::Nothing, &Parser::noSpecial},
    {"--predict", "-n", Takes::Value, &Parser::generate},
    {"--ctx", "-c", Takes::Value, &Parser::context},
    {"--chunk", "", Takes::Value, &Parser::chunk},
    {"--threads", "-t", Takes::Value, &Parser::threads},
    {"--temp", "", Takes::Value, &Parser::temperature},
    {"--top-k", "", Takes::Value, &Parser::topK},
    {"--top-p", "", Takes::Value, &Parser::topP},
    {"--min-p", "", Takes::Value, &Parser::minP},
    {"--seed", "", Takes::Value, &Parser::seed},
    {"--print-ids", "", Takes::Nothing, &Parser::printIds},
    {"--json", "", Takes::Nothing, &Parser::json},
    {"--timings", "", Takes::Nothing, &Parser::timings},
    {"--logits", "", Takes::Value, &Parser::logits},
    {"--perplexity", "", Takes::Value, &Parser::perplexity},
    {"--bench", "", Takes::MaybeValue, &Parser::bench},
    {"--tokenize", "", Takes::Nothing, &Parser::tokenize},
    {"--detokenize", "", Takes::Nothing, &Parser::detokenize},
    {"--info", "", Takes::Nothing, &Parser::info},
    {"--verify", "", Takes::Nothing, &Parser::verify},
    {"--licenses", "", Takes::Nothing, &Parser::licenses},
    {"--version", "", Takes::Nothing, &Parser::version},
    {"--help", "-h", Takes::Nothing, &Parser::help},
};

const Parser::Option *Parser::find(std::string_view name) {
  for (const Option &option : table)
    if (name == option.name || (name == option.shortName && !name.empty()))
      return &option;
  return nullptr;
}
} // namespace

bool parseOptions(const std::vector<std::string> &arguments, Options &options, std::string &error) {
  error.clear();
  options = {};
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
Text      --tokenize          standard input: a JSON string a line; output: its ids as a JSON list
          --detokenize        the reverse; --no-special: control tokens are plain text, or left out
          --perplexity FILE   of the text in FILE
About     --info  --licenses  --version  --help
          --verify            reads everything and compares checksums
          --bench[=P,N,R]     speed of P prompt and N generated tokens, R runs (512,128,5)
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 damaged or wrong input, 4 not supported here,
5 out of memory, disk or context, 130 interrupted.
)";
}

} // namespace moire
