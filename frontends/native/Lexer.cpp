#include "frontends/native/Lexer.h"

#include <charconv>
#include <cmath>

using namespace moire;

namespace {

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
public:
  Lexer(const SourceText &source, Diagnostics &diagnostics)
      : text(source.text), diagnostics(diagnostics) {}

  std::vector<TokenLine> run() {
    while (position < text.size())
      readPhysicalLine();
    checkClosed();
    finishLine();
    return std::move(lines);
  }

private:
  SourceRange range(size_t from, size_t to) const {
    return {lineNumber, static_cast<uint32_t>(from - lineStart + 1),
            static_cast<uint32_t>(to > from ? to - from : 1)};
  }

  char at(size_t offset) const { return offset < text.size() ? text[offset] : '\0'; }

  void readPhysicalLine() {
    ++lineNumber;
    lineStart = position;
    while (at(position) == ' ')
      ++position;
    auto indent = static_cast<uint32_t>(position - lineStart);
    bool blank = position >= text.size() || at(position) == '\n' || at(position) == '#' ||
                 (at(position) == '\r' && at(position + 1) == '\n');
    // A line at the margin always begins something new, whatever was left open before it.
    if (!blank && indent == 0)
      checkClosed();
    if (!blank && open.empty()) {
      finishLine();
      line.indent = indent;
    }
    while (position < text.size() && text[position] != '\n')
      readToken();
    ++position;
  }

  void readToken() {
    size_t start = position;
    char c = text[position];
    if (c == ' ' || (c == '\r' && at(position + 1) == '\n')) {
      ++position;
    } else if (c == '#') {
      while (position < text.size() && text[position] != '\n')
        ++position;
    } else if (isLetter(c)) {
      readWord();
    } else if (isDigit(c)) {
      readNumber();
    } else if (c == '"') {
      readString();
    } else if (size_t length = markLength()) {
      position += length;
      push(Token::Kind::Mark, start);
      trackBracket(c);
    } else {
      // Bytes of one UTF-8 character are one mistake.
      do
        ++position;
      while ((at(position) & 0xC0) == 0x80);
      diagnostics.error(range(start, start + 1),
                        c == '\t' ? "a tab; indent and align with spaces"
                                  : "unexpected character " +
                                        quote(text.substr(start, position - start)));
    }
  }

  /// Keys such as `rope_scaling.factor` are one word: a dot belongs to it if a letter or digit
  /// follows.
  void readWord() {
    size_t start = position;
    while (isLetter(at(position)) || isDigit(at(position)) ||
           (at(position) == '.' && (isLetter(at(position + 1)) || isDigit(at(position + 1)))))
      ++position;
    push(Token::Kind::Word, start);
  }

  void readNumber() {
    size_t start = position;
    bool real = false;
    while (isDigit(at(position)))
      ++position;
    if (at(position) == '.' && isDigit(at(position + 1))) {
      real = true;
      ++position;
      while (isDigit(at(position)))
        ++position;
    }
    if (at(position) == 'e' || at(position) == 'E') {
      size_t exponent = position + 1;
      if (at(exponent) == '+' || at(exponent) == '-')
        ++exponent;
      if (isDigit(at(exponent))) {
        real = true;
        position = exponent;
        while (isDigit(at(position)))
          ++position;
      }
    }
    const char *first = text.data() + start, *last = text.data() + position;
    Token &token = push(real ? Token::Kind::Real : Token::Kind::Integer, start);
    std::from_chars_result parsed = real ? std::from_chars(first, last, token.real)
                                         : std::from_chars(first, last, token.integer);
    if (parsed.ec != std::errc() || !std::isfinite(token.real))
      diagnostics.error(token.at, "the number is too large");
    if (isLetter(at(position)))
      diagnostics.error(range(position, position + 1), "a letter in a number");
  }

  void readString() {
    size_t start = position++;
    while (position < text.size() && text[position] != '"' && text[position] != '\n')
      ++position;
    if (at(position) != '"') {
      diagnostics.error(range(start, position), "the string has no closing quote on its line");
      push(Token::Kind::String, start);
      return;
    }
    ++position;
    Token &token = push(Token::Kind::String, start);
    token.text = text.substr(start + 1, position - start - 2);
  }

  size_t markLength() const {
    std::string_view two = std::string_view(text).substr(position, 2);
    if (two == "==" || two == "!=" || two == "<=" || two == ">=")
      return 2;
    return std::string_view("=<>+-*/%()[],:").find(text[position]) != std::string_view::npos;
  }

  void trackBracket(char c) {
    const SourceRange &here = line.tokens.back().at;
    if (c == '(' || c == '[') {
      open.push_back({c, here});
    } else if (c == ')' || c == ']') {
      char partner = c == ')' ? '(' : '[';
      if (!open.empty() && open.back().mark == partner)
        open.pop_back();
      else
        diagnostics.error(here, std::string("no open \"") + partner + "\" for this \"" + c + "\"");
    }
  }

  void checkClosed() {
    if (!open.empty()) // the innermost: what closes it comes first
      diagnostics.error(open.back().at,
                        std::string("this \"") + open.back().mark + "\" is never closed");
    open.clear();
  }

  Token &push(Token::Kind kind, size_t start) {
    Token token;
    token.kind = kind;
    token.at = range(start, position);
    token.text = text.substr(start, position - start);
    line.tokens.push_back(std::move(token));
    return line.tokens.back();
  }

  void finishLine() {
    if (line.tokens.empty())
      return;
    Token end;
    end.at = line.tokens.back().at;
    end.at.column += end.at.length;
    end.at.length = 1;
    line.tokens.push_back(std::move(end));
    lines.push_back(std::move(line));
    line = {};
  }

  struct Bracket {
    char mark;
    SourceRange at;
  };
  const std::string &text;
  Diagnostics &diagnostics;
  size_t position = 0, lineStart = 0;
  uint32_t lineNumber = 0;
  std::vector<Bracket> open;
  TokenLine line;
  std::vector<TokenLine> lines;
};

} // namespace

std::vector<TokenLine> moire::tokenize(const SourceText &source, Diagnostics &diagnostics) {
  return Lexer(source, diagnostics).run();
}
