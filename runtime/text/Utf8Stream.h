// Putting UTF-8 characters together from tokens that may hold parts of them.

#ifndef MOIRE_RUNTIME_TEXT_UTF8STREAM_H
#define MOIRE_RUNTIME_TEXT_UTF8STREAM_H

#include <cstddef>
#include <string>
#include <string_view>

namespace moire {

/// Takes bytes as they come and gives out whole characters only. Bytes that cannot become a
/// character are replaced by U+FFFD as soon as that is certain, one for each maximal part of a
/// well-formed sequence (the Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal
/// Subparts").
class Utf8Stream {
public:
  /// Appends to `text` the characters that `bytes` completes. The rest, at most 3 bytes, waits.
  void feed(std::string_view bytes, std::string &text);
  /// Appends U+FFFD if an incomplete character waits. The stream can be used again afterwards.
  void flush(std::string &text);

private:
  char waiting[4];
  size_t count = 0; // bytes in `waiting`: a proper prefix of a well-formed character
};

} // namespace moire

#endif
