// --tokenize and --detokenize: JSON lines in, JSON lines out.

#include "runtime/Format.h"
#include "runtime/Json.h"
#include "runtime/main/Console.h"
#include "runtime/main/Modes.h"

namespace moire {

namespace {
// Calls `convert(line's value, writer)` for every line of standard input and prints what it wrote.
// `convert` returns what was expected instead, or null.
template <typename Convert> int convertLines(Program &program, Convert convert) {
  if (int code = program.needTokenizer())
    return code;
  std::string input, error;
  if (!readFile("-", input, error))
    return complain(kBadInput, error);
  std::string_view rest = input;
  for (int64_t number = 1; !rest.empty(); ++number) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    JsonValue value;
    JsonWriter output;
    const char *expected = nullptr;
    if (parseJson(line, value, error))
      expected = convert(value, output);
    else
      expected = error.c_str();
    if (expected)
      return complain(kBadInput, format("standard input, line %lld: %s",
                                        static_cast<long long>(number), expected));
    print(output.text + "\n");
  }
  return finishOutput();
}
} // namespace

int runTokenize(Program &program) {
  return convertLines(program, [&](const JsonValue &value, JsonWriter &output) {
    if (value.kind != JsonValue::String)
      return "expected a JSON string";
    output.beginArray();
    for (int32_t id : program.tokenizer.encode(value.string, !program.options.noSpecial))
      output.integer(id);
    output.endArray();
    return static_cast<const char *>(nullptr);
  });
}

int runDetokenize(Program &program) {
  return convertLines(program, [&](const JsonValue &value, JsonWriter &output) {
    const char *expected = "expected a JSON list of token ids";
    if (value.kind != JsonValue::Array)
      return expected;
    std::vector<int32_t> ids;
    for (const JsonValue &item : value.items) {
      if (item.kind != JsonValue::Integer || item.integer < 0 || item.integer > INT32_MAX)
        return expected;
      ids.push_back(static_cast<int32_t>(item.integer));
    }
    output.string(program.tokenizer.decode(ids, program.options.noSpecial));
    return static_cast<const char *>(nullptr);
  });
}

} // namespace moire
