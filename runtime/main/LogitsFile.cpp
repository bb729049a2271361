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
// All numbers of the file have this size.
constexpr int64_t kNumber = 4;
static_assert(sizeof(float) == kNumber && sizeof(int32_t) == kNumber);

std::string safetensorsHeader(const LogitsShape &shape) {
  JsonWriter json;
  int64_t offset = 0;
  auto tensor = [&](const std::string &name, const char *type, int64_t columns) {
    int64_t end = offset + shape.tokens * columns * kNumber;
    json.key(name).beginObject().key("dtype").string(type);
    json.key("shape").beginArray().integer(shape.tokens).integer(columns).endArray();
    json.key("data_offsets").beginArray().integer(offset).integer(end).endArray().endObject();
    offset = end;
  };
  json.beginObject();
  tensor("logits", "F32", shape.vocab);
  for (int64_t i = 0; shape.hidden && i <= shape.layers; ++i)
    tensor(format("hidden.%lld", static_cast<long long>(i)), "F32", shape.hidden);
  for (size_t i = 0; i < shape.route.size(); ++i) {
    if (!shape.route[i])
      continue;
    tensor(format("route.%zu.experts", i), "I32", shape.route[i]);
    tensor(format("route.%zu.weights", i), "F32", shape.route[i]);
  }
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

int LogitsFile::create(const std::string &wanted, const LogitsShape &wantedShape) {
  path = wanted;
  temporary = format("%s.%ld.part", wanted.c_str(), static_cast<long>(getpid()));
  shape = wantedShape;
  file = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0)
    return complainAboutFile("created");
  std::string header = safetensorsHeader(shape);
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
  const uint64_t rowBytes = shape.vocab * kNumber;
  return write(rows, count * rowBytes, dataOffset + first * rowBytes);
}

int LogitsFile::writeHidden(int64_t first, int64_t count, const float *taps) {
  const uint64_t rowBytes = shape.hidden * kNumber;
  const uint64_t start = dataOffset + shape.tokens * shape.vocab * kNumber;
  for (int64_t i = 0; i <= shape.layers; ++i)
    if (int code = write(taps + i * count * shape.hidden, count * rowBytes,
                         start + (i * shape.tokens + first) * rowBytes))
      return code;
  return kDone;
}

int LogitsFile::writeRoute(int64_t first, int64_t count, int64_t width, const int32_t *ids,
                           const float *weights) {
  const int64_t before = shape.vocab + (shape.hidden ? (shape.layers + 1) * shape.hidden : 0);
  uint64_t start = dataOffset + shape.tokens * before * kNumber;
  std::vector<char> rows;
  for (size_t i = 0; i < shape.route.size(); ++i) {
    const uint64_t rowBytes = shape.route[i] * kNumber;
    rows.resize(count * rowBytes);
    for (const void *numbers :
         {static_cast<const void *>(ids), static_cast<const void *>(weights)}) {
      const char *layer = static_cast<const char *>(numbers) + i * count * width * kNumber;
      for (int64_t t = 0; t < count; ++t)
        memcpy(rows.data() + t * rowBytes, layer + t * width * kNumber, rowBytes);
      if (int code = write(rows.data(), rows.size(), start + first * rowBytes))
        return code;
      start += shape.tokens * rowBytes;
    }
  }
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
