// Files with sections and a trailer, right or wrong, as the compiler writes them at the end of a
// program.

#ifndef MOIRE_TEST_RUNTIME_SECTIONEDFILE_H
#define MOIRE_TEST_RUNTIME_SECTIONEDFILE_H

#include "runtime/Abi.h"
#include "runtime/Checksum.h"
#include "test/runtime/fake/FakeProgram.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

namespace moire {

/// A folder that is removed with what is in it.
class TemporaryFolder {
public:
  TemporaryFolder() {
    char name[] = "/tmp/moire-test-XXXXXX";
    if (!mkdtemp(name))
      abort();
    path = name;
  }
  ~TemporaryFolder() {
    if (system(("rm -rf " + path).c_str()) != 0)
      fprintf(stderr, "%s stays behind\n", path.c_str());
  }
  std::string operator/(const std::string &name) const { return path + "/" + name; }

private:
  std::string path;
};

inline std::string readBytes(const std::string &path) {
  std::string bytes;
  FILE *file = fopen(path.c_str(), "rb");
  if (!file)
    return bytes;
  char buffer[65536];
  while (size_t length = fread(buffer, 1, sizeof buffer, file))
    bytes.append(buffer, length);
  fclose(file);
  return bytes;
}

inline void writeBytes(const std::string &path, const std::string &bytes) {
  FILE *file = fopen(path.c_str(), "wb");
  if (!file || fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size() || fclose(file) != 0)
    abort();
}

template <typename T> uint64_t checksumOf(const T &bytes) {
  return checksum({reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
}

/// An image (an executable, or nothing) with sections after it. Tests change single fields of
/// `table` and `trailer` before they ask for the bytes.
struct SectionedFile {
  std::string body;
  std::vector<moire_section> table;
  moire_trailer trailer = {};

  explicit SectionedFile(std::string image = "") : body(std::move(image)) {}

  void add(const char *name, const std::string &bytes) {
    body.resize((body.size() + 4095) / 4096 * 4096);
    moire_section section = {};
    strncpy(section.name, name, sizeof section.name);
    section.offset = body.size();
    section.bytes = bytes.size();
    section.checksum = checksumOf(bytes);
    table.push_back(section);
    body += bytes;
  }

  std::string tableBytes() const {
    return {reinterpret_cast<const char *>(table.data()), table.size() * sizeof(moire_section)};
  }

  /// Fills the trailer in from the table.
  void seal() {
    trailer.table_offset = body.size();
    trailer.section_count = table.size();
    trailer.table_checksum = checksumOf(tableBytes());
    memcpy(trailer.magic, MOIRE_TRAILER_MAGIC, sizeof trailer.magic);
  }

  std::string bytes() const {
    return body + tableBytes() +
           std::string(reinterpret_cast<const char *>(&trailer), sizeof trailer);
  }
};

/// The weights of the fake program: 1.0f, then zeros.
inline std::string fakeWeights() {
  std::string bytes(FAKE_WEIGHT_BYTES, '\0');
  const float one = 1;
  memcpy(bytes.data(), &one, sizeof one);
  return bytes;
}

} // namespace moire

#endif
