#include "runtime/Json.h"

#include "runtime/Format.h"
#include "runtime/text/Utf8.h"

#include <charconv>
#include <cmath>
#include <cstdlib>

namespace moire {

namespace {
constexpr int kDeepest = 64;

class Parser {
public:
  Parser(std::string_view text, std::string &error) : text(text), error(error) {}

  bool document(JsonValue &value) {
    skipSpace();
    if (!parse(value, 0))
      return false;
    skipSpace();
    return at == text.size() || fail("the end of the text");
  }

private:
  bool fail(const char *expected) {
    error = format("expected %s at byte %zu", expected, at);
    return false;
  }

  char peek() const { return at < text.size() ? text[at] : '\0'; }
  bool take(char wanted) {
    if (at == text.size() || text[at] != wanted)
      return false;
    ++at;
    return true;
  }
  bool takeWord(std::string_view word) {
    if (text.substr(at, word.size()) != word)
      return false;
    at += word.size();
    return true;
  }
  void skipSpace() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r')
      ++at;
  }

  bool parse(JsonValue &value, int depth) {
    if (depth == kDeepest)
      return fail("no deeper nesting");
    switch (peek()) {
    case '{':
      return object(value, depth);
    case '[':
      return array(value, depth);
    case '"':
      value.kind = JsonValue::String;
      return string(value.string);
    case 't':
    case 'f':
      value.kind = JsonValue::Bool;
      value.boolean = peek() == 't';
      return takeWord(value.boolean ? "true" : "false") || fail("true or false");
    case 'n':
      value.kind = JsonValue::Null;
      return takeWord("null") || fail("null");
    default:
      return number(value);
    }
  }

  bool object(JsonValue &value, int depth) {
    value.kind = JsonValue::Object;
    ++at;
    skipSpace();
    if (take('}'))
      return true;
    do {
      skipSpace();
      std::string key;
      if (peek() != '"')
        return fail("a key in quotes");
      if (!string(key))
        return false;
      if (value.find(key))
        return fail("a key that is not there yet before this place");
      skipSpace();
      if (!take(':'))
        return fail("':'");
      skipSpace();
      if (!parse(value.members.emplace_back(JsonMember{std::move(key), {}}).value, depth + 1))
        return false;
      skipSpace();
    } while (take(','));
    return take('}') || fail("',' or '}'");
  }

  bool array(JsonValue &value, int depth) {
    value.kind = JsonValue::Array;
    ++at;
    skipSpace();
    if (take(']'))
      return true;
    do {
      skipSpace();
      if (!parse(value.items.emplace_back(), depth + 1))
        return false;
      skipSpace();
    } while (take(','));
    return take(']') || fail("',' or ']'");
  }

  static bool isDigit(char c) { return c >= '0' && c <= '9'; }
  bool digits() {
    if (!isDigit(peek()))
      return fail("a digit");
    while (isDigit(peek()))
      ++at;
    return true;
  }

  bool number(JsonValue &value) {
    size_t start = at;
    if (peek() != '-' && !isDigit(peek()))
      return fail("a value");
    take('-');
    if (!take('0') && !digits())
      return false;
    bool integral = true;
    if (take('.')) {
      integral = false;
      if (!digits())
        return false;
    }
    if (peek() == 'e' || peek() == 'E') {
      integral = false;
      ++at;
      if (!take('+'))
        take('-');
      if (!digits())
        return false;
    }
    std::string spelled(text.substr(start, at - start));
    value.real = strtod(spelled.c_str(), nullptr);
    auto [end, status] =
        std::from_chars(spelled.data(), spelled.data() + spelled.size(), value.integer);
    value.kind = integral && status == std::errc() ? JsonValue::Integer : JsonValue::Real;
    return std::isfinite(value.real) || fail("a number within the range of double precision");
  }

  bool hexadecimal(uint32_t &unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i, ++at) {
      char c = peek();
      uint32_t digit = isDigit(c)             ? c - '0'
                       : c >= 'a' && c <= 'f' ? c - 'a' + 10
                       : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                              : 16;
      if (digit == 16)
        return fail("four hexadecimal digits");
      unit = unit * 16 + digit;
    }
    return true;
  }

  bool escape(std::string &out) {
    switch (char c = peek()) {
    case '"':
    case '\\':
    case '/':
      out += c;
      break;
    case 'b':
      out += '\b';
      break;
    case 'f':
      out += '\f';
      break;
    case 'n':
      out += '\n';
      break;
    case 'r':
      out += '\r';
      break;
    case 't':
      out += '\t';
      break;
    case 'u':
      ++at;
      return unicodeEscape(out);
    default:
      return fail("an escape sequence");
    }
    ++at;
    return true;
  }

  bool unicodeEscape(std::string &out) {
    uint32_t unit, low;
    if (!hexadecimal(unit))
      return false;
    if (unit >= 0xD800 && unit < 0xDC00) {
      if (!takeWord("\\u"))
        return fail("the second half of a surrogate pair");
      if (!hexadecimal(low))
        return false;
      if (low < 0xDC00 || low > 0xDFFF)
        return fail("the second half of a surrogate pair before this place");
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    } else if (unit >= 0xDC00 && unit < 0xE000) {
      return fail("the first half of a surrogate pair before this place");
    }
    auto append = [&](uint32_t byte) { out += static_cast<char>(byte); };
    if (unit < 0x80) {
      append(unit);
    } else if (unit < 0x800) {
      append(0xC0 | unit >> 6);
      append(0x80 | (unit & 0x3F));
    } else {
      if (unit < 0x10000) {
        append(0xE0 | unit >> 12);
      } else {
        append(0xF0 | unit >> 18);
        append(0x80 | (unit >> 12 & 0x3F));
      }
      append(0x80 | (unit >> 6 & 0x3F));
      append(0x80 | (unit & 0x3F));
    }
    return true;
  }

  bool string(std::string &out) {
    ++at;
    while (at < text.size()) {
      unsigned char c = text[at];
      if (c == '"') {
        ++at;
        return true;
      }
      if (c == '\\') {
        ++at;
        if (!escape(out))
          return false;
        continue;
      }
      if (c < 0x20)
        return fail("an escape sequence instead of a control character");
      Utf8Character character = firstUtf8Character(text.substr(at));
      if (character.form != Utf8Character::Whole)
        return fail("well-formed UTF-8");
      out.append(text.substr(at, character.bytes));
      at += character.bytes;
    }
    return fail("'\"'");
  }

  std::string_view text;
  std::string &error;
  size_t at = 0;
};

// Characters that some programs take for the end of a line: JSON lines must survive them.
bool endsLineOrControls(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

void appendQuoted(std::string &out, std::string_view value) {
  out += '"';
  while (!value.empty()) {
    Utf8Character character = firstUtf8Character(value);
    unsigned char c = value.front();
    if (character.form != Utf8Character::Whole)
      out += "\xEF\xBF\xBD";
    else if (c == '"' || c == '\\')
      (out += '\\') += static_cast<char>(c);
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (endsLineOrControls(character.codePoint))
      out += format("\\u%04x", static_cast<unsigned>(character.codePoint));
    else
      out += value.substr(0, character.bytes);
    value.remove_prefix(character.bytes);
  }
  out += '"';
}
} // namespace

const JsonValue *JsonValue::find(std::string_view key) const {
  if (kind == Object)
    for (const auto &[name, value] : members)
      if (name == key)
        return &value;
  return nullptr;
}

bool parseJson(std::string_view text, JsonValue &value, std::string &error) {
  value = {};
  return Parser(text, error).document(value);
}

void JsonWriter::separate() {
  if (!first)
    text += ", ";
  first = false;
}

JsonWriter &JsonWriter::open(char bracket) {
  separate();
  text += bracket;
  first = true;
  return *this;
}

JsonWriter &JsonWriter::close(char bracket) {
  text += bracket;
  first = false;
  return *this;
}

JsonWriter &JsonWriter::key(std::string_view name) {
  separate();
  appendQuoted(text, name);
  text += ": ";
  first = true;
  return *this;
}

JsonWriter &JsonWriter::null() {
  separate();
  text += "null";
  return *this;
}

JsonWriter &JsonWriter::boolean(bool value) {
  separate();
  text += value ? "true" : "false";
  return *this;
}

JsonWriter &JsonWriter::integer(int64_t value) {
  separate();
  text += format("%lld", static_cast<long long>(value));
  return *this;
}

JsonWriter &JsonWriter::real(double value) {
  if (!std::isfinite(value))
    return null();
  separate();
  text += format("%.9g", value);
  return *this;
}

JsonWriter &JsonWriter::string(std::string_view value) {
  separate();
  appendQuoted(text, value);
  return *this;
}

} // namespace moire
