#include "runtime/main/LogitsFile.h"

#include "runtime/Format.h"
#include "runtime/Json.h"
#include "runtime/main/Console.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace moire {

namespace {
std::string safetensorsHeader(int64_t tokens, int64_t vocab, int64_t layers, int64_t hidden) {
  JsonWriter json;
  int64_t offset = 0;
  auto tensor = [&](const std::string &name, int64_t columns) {
    int64_t end = offset + tokens * columns * static_cast<int64_t>(sizeof(float));
    json.key(name).beginObject().key("dtype").string("F32");
    json.key("shape").beginArray().integer(tokens).integer(columns).endArray();
    json.key("data_offsets").beginArray().integer(offset).integer(end).endArray().endObject();
    offset = end;
  };
  json.beginObject();
  tensor("logits", vocab);
  for (int64_t i = 0; i <= layers; ++i)
    tensor(format("hidden.%lld", static_cast<long long>(i)), hidden);
  json.endObject();
  // The data begins at a multiple of 8.
  json.text.resize((json.text.size() + 7) / 8 * 8, ' ');
  return std::move(json.text);
}
} // namespace

LogitsFile::~LogitsFile() {
  if (file < 0)
    return;
  close(file);
  unlink(temporary.c_str());
}

int LogitsFile::complainAboutFile(const char *what) const {
  int reason = errno;
  int code = reason == ENOSPC || reason == EDQUOT || reason == EFBIG ? kOutOfResources : kFailed;
  return complain(code,
                  format("--logits: %s cannot be %s: %s", path.c_str(), what, strerror(reason)));
}

int LogitsFile::create(const std::string &wanted, int64_t tokenCount, int64_t vocabulary,
                       int64_t layerCount, int64_t width) {
  path = wanted;
  temporary = format("%s.%ld.part", wanted.c_str(), static_cast<long>(getpid()));
  tokens = tokenCount;
  vocab = vocabulary;
  layers = layerCount;
  hidden = width;
  file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    return complainAboutFile("created");
  std::string header = safetensorsHeader(tokens, vocab, layers, hidden);
  uint64_t length = header.size();
  dataOffset = sizeof length + length;
  if (int code = write(&length, sizeof length, 0))
    return code;
  return write(header.data(), length, sizeof length);
}

int LogitsFile::write(const void *bytes, uint64_t count, uint64_t offset) {
  const char *from = static_cast<const char *>(bytes);
  while (count) {
    ssize_t written = pwrite(file, from, count, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0)
      return complainAboutFile("written");
    from += written;
    offset += written;
    count -= written;
  }
  return kDone;
}

int LogitsFile::writeLogits(int64_t first, int64_t count, const float *rows) {
  const uint64_t rowBytes = vocab * sizeof(float);
  return write(rows, count * rowBytes, dataOffset + first * rowBytes);
}

int LogitsFile::writeHidden(int64_t first, int64_t count, const float *taps) {
  const uint64_t rowBytes = hidden * sizeof(float);
  const uint64_t start = dataOffset + tokens * vocab * sizeof(float);
  for (int64_t i = 0; i <= layers; ++i)
    if (int code = write(taps + i * count * hidden, count * rowBytes,
                         start + (i * tokens + first) * rowBytes))
      return code;
  return kDone;
}

int LogitsFile::commit() {
  int closed = close(file);
  file = -1;
  if (closed == 0 && rename(temporary.c_str(), path.c_str()) == 0)
    return kDone;
  int code = complainAboutFile("written");
  unlink(temporary.c_str());
  return code;
}

} // namespace moire
