// The safetensors file of --logits, written piece by piece.

#ifndef MOIRE_RUNTIME_MAIN_LOGITSFILE_H
#define MOIRE_RUNTIME_MAIN_LOGITSFILE_H

#include <cstdint>
#include <string>

namespace moire {

/// `logits` [tokens, vocab] and, with `layers` >= 0, `hidden.0` … `hidden.{layers}` [tokens,
/// hidden], all float32. Written to a temporary file beside the wanted one; `commit` gives it its
/// name, and a file that was not committed is removed.
class LogitsFile {
public:
  LogitsFile() = default;
  ~LogitsFile();
  LogitsFile(const LogitsFile &) = delete;
  LogitsFile &operator=(const LogitsFile &) = delete;

  /// The functions return an exit code, after a complaint if it is not kDone.
  int create(const std::string &path, int64_t tokens, int64_t vocab, int64_t layers,
             int64_t hidden);
  /// Rows first .. first+count-1 of `logits`: [count, vocab].
  int writeLogits(int64_t first, int64_t count, const float *rows);
  /// The same rows of all `hidden.i`: [layers + 1, count, hidden].
  int writeHidden(int64_t first, int64_t count, const float *taps);
  int commit();

private:
  int write(const void *bytes, uint64_t count, uint64_t offset);
  int complainAboutFile(const char *what) const;

  std::string path, temporary;
  int file = -1;
  int64_t tokens = 0, vocab = 0, layers = -1, hidden = 0;
  uint64_t dataOffset = 0;
};

} // namespace moire

#endif
