// The section table of a compiled program. Its checksum is made right, so that all that follows it
// is reached.

#include "runtime/Checksum.h"
#include "runtime/Loader.h"

#include <cstdlib>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

using namespace moire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // Two pages for sections, then the input as the table and the count.
  std::string bytes(8192, 'x');
  const std::string table(reinterpret_cast<const char *>(data), size);
  moire_trailer trailer = {};
  trailer.table_offset = bytes.size();
  trailer.section_count = size / sizeof(moire_section);
  trailer.table_checksum = checksum({data, size});
  memcpy(trailer.magic, MOIRE_TRAILER_MAGIC, sizeof trailer.magic);
  bytes += table + std::string(reinterpret_cast<const char *>(&trailer), sizeof trailer);

  static const int file = memfd_create("program", MFD_CLOEXEC);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 ||
      pwrite(file, bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    abort();
  ProgramFile program;
  std::string error;
  if (program.open(path.c_str(), error) != MOIRE_OK)
    return 0;
  for (const SectionView &section : program.sections())
    checksum(section.bytes); // every byte can be read
  return 0;
}
