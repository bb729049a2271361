#include "frontends/weights/Container.h"
#include "frontends/weights/Checks.h"
#include <bit>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace moire;
using llvm::Twine;

static_assert(std::endian::native == std::endian::little,
              "the formats are little-endian and their bytes are used in place");

const StorageTypeInfo &moire::storageTypeInfo(StorageType type) {
  static constexpr StorageTypeInfo infos[] = {
      {"f32", 1, 4}, {"f16", 1, 2}, {"bf16", 1, 2},
#define MOIRE_BLOCK(enumerator, name, number, elements, bytes, panel) {name, elements, bytes},
#include "dialects/Formats.def"
      {"i8", 1, 1},  {"i16", 1, 2}, {"i32", 1, 4},  {"i64", 1, 8},
      {"u8", 1, 1},  {"f64", 1, 8}, {"bool", 1, 1},
  };
  static_assert(std::size(infos) == size_t(StorageType::Bool) + 1);
  return infos[size_t(type)];
}

const uint8_t *TensorEntry::bytesAt(uint64_t from, uint64_t count,
                                    std::vector<uint8_t> &scratch) const {
  if (!maker)
    return data().data() + from;
  scratch.resize(count);
  maker->make(from, scratch);
  return scratch.data();
}

namespace {

/// Closes a file descriptor at the end of its scope; the mapping does not need it any more.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0)
      close(number);
  }
};

} // namespace

/// Says why the operating system refused; a file that is not there is the user's mistake.
static std::nullptr_t refused(const std::string &path, const char *what, ReadError &error) {
  const bool missing = errno == ENOENT || errno == ENOTDIR;
  error.kind = missing ? ReadError::Kind::BadInput : ReadError::Kind::Io;
  error.message = path + ": " + what + ": " + std::strerror(errno);
  return nullptr;
}

std::shared_ptr<MappedFile> MappedFile::open(const std::string &path, ReadError &error) {
  // Without O_NONBLOCK, opening a pipe would wait for somebody who writes into it.
  Descriptor descriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status;
  if (descriptor.number < 0 || fstat(descriptor.number, &status) != 0)
    return refused(path, "cannot open", error);
  if (!S_ISREG(status.st_mode)) {
    badInput(error, Twine(path) + ": is not a regular file");
    return nullptr;
  }
  std::shared_ptr<MappedFile> file(new MappedFile);
  file->name = path;
  if (status.st_size == 0)
    return file; // mmap refuses empty ranges
  void *address =
      mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, descriptor.number, /*offset=*/0);
  if (address == MAP_FAILED)
    return refused(path, "cannot map into memory", error);
  file->data = static_cast<const uint8_t *>(address);
  file->size = status.st_size;
  return file;
}

MappedFile::~MappedFile() {
  if (data)
    munmap(const_cast<uint8_t *>(data), size);
}
