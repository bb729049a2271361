#include "frontends/weights/Json.h"
#include "frontends/weights/Checks.h"
#include <algorithm>

using namespace moire;
using llvm::Twine;

namespace {

/// One pass over the text without a stack: it measures what the parser would have to hold and finds
/// the literals that only Python writes. It need not tell whether the text is correct.
class Scan {
public:
  Scan(std::string_view text, const std::string &name) : text(text), name(name) {}

  bool run(ReadError &error);

  size_t depth = 0;
  size_t values = 0;
  std::vector<std::string_view> outermostNames; // with quotes, escapes as written
  std::vector<size_t> pythonLiterals;           // positions of NaN and Infinity

private:
  size_t endOfString(size_t begin) const;

  std::string_view text;
  const std::string &name;
};

} // namespace

/// Returns the position after the closing quote of the string that begins at `begin`.
size_t Scan::endOfString(size_t begin) const {
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

bool Scan::run(ReadError &error) {
  std::string_view lastString;
  for (size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
    case '"': {
      size_t end = endOfString(i);
      lastString = text.substr(i, end - i);
      i = end - 1;
      break;
    }
    case ':':
      if (depth == 1)
        outermostNames.push_back(lastString);
      break;
    case '{':
    case '[':
      ++values;
      if (++depth > maxJsonDepth)
        return badInput(error, Twine(name) + ": byte " + Twine(i) + ": JSON nested deeper than " +
                                   Twine(maxJsonDepth) + " levels");
      break;
    case '}':
    case ']':
      depth -= depth > 0;
      break;
    case ',':
      ++values;
      break;
    case 'N':
      if (text.substr(i).starts_with("NaN"))
        pythonLiterals.push_back(i);
      break;
    case 'I':
      if (text.substr(i).starts_with("Infinity"))
        pythonLiterals.push_back(i);
      break;
    }
    if (values > maxJsonValues)
      return badInput(error,
                      Twine(name) + ": JSON of more than " + Twine(maxJsonValues) + " values");
  }
  return true;
}

/// Replaces NaN by null and Infinity by a number that overflows to it.
static std::string withoutPythonLiterals(std::string_view text,
                                         const std::vector<size_t> &literals) {
  std::string result;
  size_t copied = 0;
  for (size_t position : literals) {
    result += text.substr(copied, position - copied);
    const bool isNaN = text[position] == 'N';
    result += isNaN ? "null" : "1e999";
    copied = position + std::string_view(isNaN ? "NaN" : "Infinity").size();
  }
  result += text.substr(copied);
  return result;
}

bool moire::parseJsonObject(std::string_view text, const std::string &name, RepeatedNames repeated,
                            llvm::json::Object &object, ReadError &error) {
  Scan scan(text, name);
  if (!scan.run(error))
    return false;

  std::string plain;
  std::string_view toParse = text;
  if (!scan.pythonLiterals.empty())
    toParse = plain = withoutPythonLiterals(text, scan.pythonLiterals);
  llvm::Expected<llvm::json::Value> value = llvm::json::parse(toParse);
  if (!value)
    return badInput(error, Twine(name) + ": no valid JSON: " + llvm::toString(value.takeError()));
  llvm::json::Object *parsed = value->getAsObject();
  if (!parsed)
    return badInput(error, Twine(name) + ": a JSON object was expected");

  if (repeated == RepeatedNames::Refuse && parsed->size() != scan.outermostNames.size()) {
    std::sort(scan.outermostNames.begin(), scan.outermostNames.end());
    auto twice = std::adjacent_find(scan.outermostNames.begin(), scan.outermostNames.end());
    // Names that differ only in their escapes are found by the count alone.
    return badInput(error, Twine(name) + ": " +
                               (twice == scan.outermostNames.end()
                                    ? std::string("a name")
                                    : quoted(twice->substr(1, twice->size() - 2))) +
                               " occurs twice; the file is damaged");
  }
  object = std::move(*parsed);
  return true;
}
