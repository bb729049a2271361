// Cuts a description into lines of tokens.

#ifndef MOIRE_FRONTENDS_NATIVE_LEXER_H
#define MOIRE_FRONTENDS_NATIVE_LEXER_H

#include "frontends/native/Diagnostics.h"

namespace moire {

struct Token {
  enum class Kind : uint8_t {
    Word,    // a name, a keyword or a key with dots
    Integer, // integer
    Real,    // real
    String,  // text without the quotes
    Mark,    // an operator or a bracket
    End,     // after the last token of a line
  };
  Kind kind = Kind::End;
  SourceRange at;
  std::string text;
  int64_t integer = 0;
  double real = 0;
};

/// A statement: one line, or several while a bracket is open. Empty lines are left out.
struct TokenLine {
  uint32_t indent = 0;       // spaces before the first token
  std::vector<Token> tokens; // ends with Token::Kind::End
};

/// Comments run from `#` to the end of the line. Wrong characters, numbers and brackets are
/// reported.
std::vector<TokenLine> tokenize(const SourceText &source, Diagnostics &diagnostics);

} // namespace moire

#endif
