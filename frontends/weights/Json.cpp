#include "frontends/weights/Json.h"
#include "frontends/weights/Checks.h"
#include "llvm/Support/ConvertUTF.h"
#include <algorithm>

using namespace moire;
using llvm::Twine;

namespace {

/// What the parser shall read instead of a part of the text.
struct Replacement {
  size_t begin, end;
  std::string text;
};

/// One pass over the text without a stack: it measures what the parser would have to hold and finds
/// what the parser cannot read: the literals that only Python writes, and escaped pairs of
/// surrogates (llvm::json combines them wrongly above U+1FFFF). It need not tell whether the text
/// is correct.
class Scan {
public:
  Scan(std::string_view text, const std::string &name) : text(text), name(name) {}

  bool run(ReadError &error);

  size_t depth = 0;
  size_t values = 0;
  std::vector<std::string_view> outermostNames; // with quotes, escapes as written
  std::vector<Replacement> replacements;        // in the order of the text

private:
  size_t endOfString(size_t begin);
  void findPair(size_t backslash);
  void findLiteral(size_t begin, std::string_view literal, std::string_view instead);

  std::string_view text;
  const std::string &name;
};

} // namespace

/// Returns the position after the closing quote of the string that begins at `begin`.
size_t Scan::endOfString(size_t begin) {
  for (size_t i = begin + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      findPair(i++);
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

/// If an escaped pair of surrogates stands at `backslash`, it becomes the character itself.
void Scan::findPair(size_t backslash) {
  auto unit = [&](size_t at) {
    unsigned value = 0;
    const llvm::StringRef escape = llvm::StringRef(text).substr(at, 6);
    return escape.starts_with("\\u") && !escape.substr(2).getAsInteger(16, value) ? value : 0;
  };
  const unsigned high = unit(backslash), low = unit(backslash + 6);
  if (high < 0xD800 || high > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
    return;
  const unsigned codePoint = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
  char utf8[UNI_MAX_UTF8_BYTES_PER_CODE_POINT];
  char *end = utf8;
  llvm::ConvertCodePointToUTF8(codePoint, end);
  replacements.push_back({backslash, backslash + 12, std::string(utf8, end)});
}

void Scan::findLiteral(size_t begin, std::string_view literal, std::string_view instead) {
  if (text.substr(begin).starts_with(literal))
    replacements.push_back({begin, begin + literal.size(), std::string(instead)});
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
      findLiteral(i, "NaN", "null");
      break;
    case 'I':
      findLiteral(i, "Infinity", "1e999"); // overflows to it
      break;
    }
    // Replacements take memory as values do.
    if (values + replacements.size() > maxJsonValues)
      return badInput(error,
                      Twine(name) + ": JSON of more than " + Twine(maxJsonValues) + " values");
  }
  return true;
}

static std::string withReplacements(std::string_view text,
                                    const std::vector<Replacement> &replacements) {
  std::string result;
  size_t copied = 0;
  for (const Replacement &replacement : replacements) {
    result += text.substr(copied, replacement.begin - copied);
    result += replacement.text;
    copied = replacement.end;
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
  if (!scan.replacements.empty())
    toParse = plain = withReplacements(text, scan.replacements);
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
