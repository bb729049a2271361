#include "frontends/native/ExprParser.h"

#include <algorithm>
#include <array>

using namespace moire;

bool moire::isKeyword(std::string_view word) {
  static constexpr std::array<std::string_view, 15> keywords = {
      "and", "bias", "choose",   "default",   "false", "from", "ignore", "none",
      "not", "or",   "optional", "otherwise", "true",  "when", "with"};
  return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

void LineCursor::advance() {
  if (token().kind != Token::Kind::End)
    ++position;
}

bool LineCursor::isMark(std::string_view mark) const {
  return token().kind == Token::Kind::Mark && token().text == mark;
}

// The last token is Token::Kind::End, so that a word always has a token after it.
bool LineCursor::isCall() const {
  const Token *word = &token();
  return word->kind == Token::Kind::Word && word[1].kind == Token::Kind::Mark &&
         word[1].text == "(";
}

bool LineCursor::isKeywordArgument() const {
  const Token *word = &token();
  return word->kind == Token::Kind::Word && word[1].kind == Token::Kind::Mark &&
         word[1].text == "=";
}

bool LineCursor::takeMark(std::string_view mark) {
  if (!isMark(mark))
    return false;
  advance();
  return true;
}

bool LineCursor::takeWord(std::string_view word) {
  if (token().kind != Token::Kind::Word || token().text != word)
    return false;
  advance();
  return true;
}

bool LineCursor::expectMark(std::string_view mark) {
  return takeMark(mark) || fail("expected `" + std::string(mark) + "`");
}

bool LineCursor::expectWord(std::string_view word) {
  return takeWord(word) || fail("expected `" + std::string(word) + "`");
}

bool LineCursor::expectString(std::string_view what, std::string &text) {
  if (!isString())
    return fail("expected " + std::string(what));
  text = token().text;
  advance();
  return true;
}

bool LineCursor::expectName(std::string_view what, std::string &name) {
  if (token().kind != Token::Kind::Word)
    return fail("expected " + std::string(what));
  if (isKeyword(token().text))
    return fail("expected " + std::string(what) + ", and `" + token().text +
                "` is a word of the language");
  if (token().text.find('.') != std::string::npos)
    return fail("expected " + std::string(what) + ", and a name has no dots");
  name = token().text;
  advance();
  return true;
}

bool LineCursor::expectKey(Key &key) {
  key.at = here();
  if (token().kind != Token::Kind::String && token().kind != Token::Kind::Word)
    return fail("expected a key of the config");
  key.text = token().text;
  advance();
  return true;
}

bool LineCursor::expectEnd() {
  return token().kind == Token::Kind::End || fail("expected the end of the line");
}

bool LineCursor::fail(const std::string &message) {
  std::string found;
  switch (token().kind) {
  case Token::Kind::End:
    found = "the line ends";
    break;
  case Token::Kind::String:
    found = quote(token().text);
    break;
  default:
    found = "`" + token().text.substr(0, 60) + "`";
  }
  diagnostics.error(here(), message + "; found: " + found);
  return false;
}

namespace {

/// Deeper expressions are refused: each level is a few calls on the stack.
constexpr unsigned maxDepth = 32;

ExprPtr make(Expr::Kind kind, SourceRange at, std::string text = {}) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->at = at;
  expr->text = std::move(text);
  return expr;
}

/// From the beginning of `from` to the end of the last token before `to` on the same line.
SourceRange spanning(SourceRange from, SourceRange last) {
  if (from.line == last.line && last.column + last.length > from.column)
    from.length = last.column + last.length - from.column;
  return from;
}

class ExprParser {
public:
  explicit ExprParser(LineCursor &cursor) : cursor(cursor) {}

  ExprPtr parse() { return parseBinary(0); }

private:
  /// The binary operators from the loosest to the tightest.
  static constexpr std::array<std::array<std::string_view, 6>, 5> levels = {{
      {"or"},
      {"and"},
      {"==", "!=", "<", "<=", ">", ">="},
      {"+", "-"},
      {"*", "/", "%"},
  }};

  ExprPtr parseBinary(size_t level) {
    if (level == levels.size())
      return parseUnary();
    if (level == 2 && cursor.token().kind == Token::Kind::Word && cursor.token().text == "not")
      return parseNot();
    ExprPtr left = parseBinary(level + 1);
    bool comparison = level == 2;
    while (left) {
      if (comparison && cursor.isMark("=")) {
        cursor.fail("expected `==` for a comparison");
        return nullptr;
      }
      const Token &token = cursor.token();
      bool known = token.kind == Token::Kind::Mark || token.kind == Token::Kind::Word;
      if (!known || token.text.empty() ||
          std::find(levels[level].begin(), levels[level].end(), token.text) == levels[level].end())
        return left;
      ExprPtr binary = make(Expr::Kind::Binary, token.at, token.text);
      cursor.advance();
      if (++length > maxLength)
        return tooLong();
      ExprPtr right = parseBinary(level + 1);
      if (!right)
        return nullptr;
      binary->operands.push_back(std::move(left));
      binary->operands.push_back(std::move(right));
      left = std::move(binary);
      if (comparison)
        return left;
    }
    return nullptr;
  }

  ExprPtr parseNot() {
    ExprPtr expr = make(Expr::Kind::Unary, cursor.here(), "not");
    cursor.advance();
    if (++depth > maxDepth)
      return tooDeep();
    ExprPtr operand = parseBinary(2);
    --depth;
    if (!operand)
      return nullptr;
    expr->operands.push_back(std::move(operand));
    return expr;
  }

  ExprPtr parseUnary() {
    if (!cursor.isMark("-"))
      return parsePrimary();
    ExprPtr expr = make(Expr::Kind::Unary, cursor.here(), "-");
    cursor.advance();
    if (++depth > maxDepth)
      return tooDeep();
    ExprPtr operand = parseUnary();
    --depth;
    if (!operand)
      return nullptr;
    expr->operands.push_back(std::move(operand));
    return expr;
  }

  ExprPtr parsePrimary() {
    if (depth >= maxDepth)
      return tooDeep();
    const Token &token = cursor.token();
    if (cursor.takeMark("(")) {
      ++depth;
      ExprPtr inner = parse();
      --depth;
      if (!inner || !cursor.expectMark(")"))
        return nullptr;
      return inner;
    }
    if (cursor.isCall())
      return parseCall();
    if (token.kind == Token::Kind::Word && !isKeyword(token.text))
      return parseName();
    return parseLiteral(cursor);
  }

  ExprPtr parseName() {
    ExprPtr expr = make(Expr::Kind::Name, cursor.here());
    if (!cursor.expectName("a value", expr->text))
      return nullptr;
    if (!cursor.takeMark("["))
      return expr;
    expr->kind = Expr::Kind::Index;
    ++depth;
    ExprPtr index = parse();
    --depth;
    SourceRange last = cursor.here();
    if (!index || !cursor.expectMark("]"))
      return nullptr;
    expr->at = spanning(expr->at, last);
    expr->operands.push_back(std::move(index));
    return expr;
  }

  ExprPtr parseCall() {
    ExprPtr expr = make(Expr::Kind::Call, cursor.here());
    if (!cursor.expectName("a word of the vocabulary or a part", expr->text) ||
        !cursor.expectMark("("))
      return nullptr;
    if (cursor.takeMark(")"))
      return expr;
    ++depth;
    do {
      Argument argument;
      argument.at = cursor.here();
      ExprPtr value = parseArgument(argument);
      if (!value)
        return nullptr;
      argument.value = std::move(value);
      expr->arguments.push_back(std::move(argument));
      if (expr->arguments.size() > maxArguments) {
        cursor.fail("more than " + std::to_string(maxArguments) + " arguments");
        return nullptr;
      }
    } while (cursor.takeMark(","));
    --depth;
    if (!cursor.expectMark(")"))
      return nullptr;
    return expr;
  }

  ExprPtr parseArgument(Argument &argument) {
    if (cursor.isKeywordArgument()) {
      if (!cursor.expectName("the name of an argument", argument.keyword) ||
          !cursor.expectMark("="))
        return nullptr;
    }
    return parse();
  }

  ExprPtr tooDeep() {
    cursor.fail("expressions nest at most " + std::to_string(maxDepth) + " deep");
    return nullptr;
  }

  ExprPtr tooLong() {
    cursor.fail("an expression has at most " + std::to_string(maxLength) + " operators");
    return nullptr;
  }

  // A chain of operators is a tree as deep as the chain is long.
  static constexpr unsigned maxLength = 64;
  static constexpr size_t maxArguments = 32;
  LineCursor &cursor;
  unsigned depth = 0;
  unsigned length = 0;
};

} // namespace

ExprPtr moire::parseExpr(LineCursor &cursor) { return ExprParser(cursor).parse(); }

ExprPtr moire::parseLiteral(LineCursor &cursor) {
  SourceRange at = cursor.here();
  bool negative = cursor.takeMark("-");
  const Token &token = cursor.token();
  ExprPtr expr;
  if (token.kind == Token::Kind::Integer) {
    expr = make(Expr::Kind::Integer, at);
    expr->integer = negative ? -token.integer : token.integer;
  } else if (token.kind == Token::Kind::Real) {
    expr = make(Expr::Kind::Real, at);
    expr->real = negative ? -token.real : token.real;
  } else if (negative) {
    cursor.fail("expected a number");
    return nullptr;
  } else if (token.kind == Token::Kind::String) {
    expr = make(Expr::Kind::String, at, token.text);
  } else if (token.kind == Token::Kind::Word && (token.text == "true" || token.text == "false")) {
    expr = make(Expr::Kind::Bool, at);
    expr->boolean = token.text == "true";
  } else if (token.kind == Token::Kind::Word && token.text == "none") {
    expr = make(Expr::Kind::None, at);
  } else {
    cursor.fail("expected a value");
    return nullptr;
  }
  cursor.advance();
  return expr;
}
