// Errors in model descriptions: where, what was expected, what was found.

#ifndef MOIRE_FRONTENDS_NATIVE_DIAGNOSTICS_H
#define MOIRE_FRONTENDS_NATIVE_DIAGNOSTICS_H

#include "frontends/weights/Container.h"

namespace moire {

/// A stretch of one line. Lines and columns count from 1; line 0 means no place in particular.
struct SourceRange {
  uint32_t line = 0;
  uint32_t column = 0;
  uint32_t length = 1;
};

/// The text of a description and the name under which messages speak of it.
struct SourceText {
  std::string path;
  std::string text;

  /// Line `number` (from 1) without its end; empty if there is none.
  std::string_view line(uint32_t number) const;
};

/// Collects errors, so that several are reported in one go.
class Diagnostics {
public:
  explicit Diagnostics(const SourceText &source) : source(source) {}

  /// The description, or the model that it is applied to, is wrong (exit code 3).
  void error(SourceRange at, std::string message);
  /// The model is well-formed, but needs what the description or Moire does not have (exit code 4).
  void unsupported(SourceRange at, std::string message);

  bool ok() const { return entries.empty(); }
  /// Adds the errors of `other`, which speaks of the same text.
  void append(const Diagnostics &other);
  /// All errors in the order of their lines, each with its line and a caret:
  ///   path:line:column: error: message
  ///     the line
  ///        ^~~~
  /// The kind is Unsupported if nothing else is wrong. At most 20 are shown.
  ReadError report() const;

private:
  struct Entry {
    SourceRange at;
    ReadError::Kind kind;
    std::string message;
  };
  void add(Entry entry);

  const SourceText &source;
  std::vector<Entry> entries;
};

/// `text` in quotes as it may be shown on a terminal: bytes outside printable ASCII escaped, long
/// text cut.
std::string quote(std::string_view text);

/// The one of `candidates` that `name` was most likely meant to be, or empty if none is near.
std::string nearestName(std::string_view name, const std::vector<std::string_view> &candidates);

/// ` (did you mean "…"?)`, or empty.
std::string hint(std::string_view name, const std::vector<std::string_view> &candidates);

} // namespace moire

#endif
