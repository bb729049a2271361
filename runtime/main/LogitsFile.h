// The safetensors file of --logits, written piece by piece.

#ifndef MOIRE_RUNTIME_MAIN_LOGITSFILE_H
#define MOIRE_RUNTIME_MAIN_LOGITSFILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace moire {

/// What the file holds, for each of `tokens` tokens: `logits` [tokens, vocab]; with `hidden` > 0
/// `hidden.0` … `hidden.{layers}` [tokens, hidden]; `route.{i}.experts` and `route.{i}.weights`
/// [tokens, route[i]] for each layer i where `route` is not 0. The experts are int32, all else is
/// float32.
struct LogitsShape {
  int64_t tokens = 0, vocab = 0, layers = 0, hidden = 0;
  std::vector<int64_t> route; // [layers], or empty
};

/// Written to a temporary file beside the wanted one; `commit` gives it its name, and a file that
/// was not committed is removed.
class LogitsFile {
public:
  LogitsFile() = default;
  ~LogitsFile();
  LogitsFile(const LogitsFile &) = delete;
  LogitsFile &operator=(const LogitsFile &) = delete;

  /// The functions return an exit code, after a complaint if it is not kDone.
  int create(const std::string &path, const LogitsShape &shape);
  /// Rows first .. first+count-1 of `logits`: [count, vocab].
  int writeLogits(int64_t first, int64_t count, const float *rows);
  /// The same rows of all `hidden.i`: [layers + 1, count, hidden].
  int writeHidden(int64_t first, int64_t count, const float *taps);
  /// The same rows of all `route.i`: [layers, count, width], of which each layer has the first
  /// route[i] columns.
  int writeRoute(int64_t first, int64_t count, int64_t width, const int32_t *ids,
                 const float *weights);
  int commit();

private:
  int write(const void *bytes, uint64_t count, uint64_t offset);
  int complainAboutFile(const char *what) const;

  std::string path, temporary;
  int file = -1;
  LogitsShape shape;
  uint64_t dataOffset = 0;
};

} // namespace moire

#endif
