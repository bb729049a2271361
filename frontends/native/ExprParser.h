// Expressions, and the cursor over the tokens of one statement.

#ifndef MOIRE_FRONTENDS_NATIVE_EXPRPARSER_H
#define MOIRE_FRONTENDS_NATIVE_EXPRPARSER_H

#include "frontends/native/Ast.h"
#include "frontends/native/Lexer.h"

namespace moire {

/// Walks over the tokens of a line. `take…` moves on and returns true if the token is there;
/// `expect…` reports what was expected and found if it is not.
class LineCursor {
public:
  LineCursor(const TokenLine &line, Diagnostics &diagnostics)
      : line(line), diagnostics(diagnostics) {}

  const Token &token() const { return line.tokens[position]; }
  SourceRange here() const { return token().at; }
  uint32_t indent() const { return line.indent; }
  void advance();

  bool isMark(std::string_view mark) const;
  bool isString() const { return token().kind == Token::Kind::String; }
  /// A name and `=` come next.
  bool isKeywordArgument() const;
  /// A name and an opening parenthesis come next.
  bool isCall() const;

  bool takeMark(std::string_view mark);
  bool takeWord(std::string_view word);
  bool expectMark(std::string_view mark);
  bool expectWord(std::string_view word);
  bool expectString(std::string_view what, std::string &text);
  /// A name that is no keyword and holds no dots.
  bool expectName(std::string_view what, std::string &name);
  /// A key of the metadata: words joined by dots, or any text in quotes.
  bool expectKey(Key &key);
  bool expectEnd();

  /// Reports `message` and what was found instead; returns false.
  bool fail(const std::string &message);
  void report(SourceRange at, const std::string &message) { diagnostics.error(at, message); }

private:
  const TokenLine &line;
  Diagnostics &diagnostics;
  size_t position = 0;
};

/// An expression, or null after reporting what is wrong.
ExprPtr parseExpr(LineCursor &cursor);
/// A number, a string, `true`, `false` or `none`, or null after reporting.
ExprPtr parseLiteral(LineCursor &cursor);

/// Words that cannot be names.
bool isKeyword(std::string_view word);

} // namespace moire

#endif
