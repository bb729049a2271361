#include "runtime/Loader.h"

#include "runtime/Checksum.h"
#include "runtime/Format.h"
#include "runtime/cpu/Features.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace moire {

namespace {
constexpr uint64_t kSectionAlignment = 4096;
constexpr uint64_t kMostSections = 64;

// The running executable: /proc, or what the system was asked to execute where /proc is missing.
int openSelf(std::string &name) {
  char target[4096];
  ssize_t length = readlink("/proc/self/exe", target, sizeof target);
  const char *executed = reinterpret_cast<const char *>(getauxval(AT_EXECFN));
  if (length > 0)
    name.assign(target, length);
  else
    name = executed ? executed : "/proc/self/exe";
  int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  return file < 0 && executed ? ::open(executed, O_RDONLY | O_CLOEXEC) : file;
}
} // namespace

ProgramFile::~ProgramFile() {
  if (data)
    munmap(const_cast<uint8_t *>(data), size);
}

moire_status ProgramFile::open(const char *path, std::string &error) {
  if (path)
    name = path;
  int file = path ? ::open(path, O_RDONLY | O_CLOEXEC) : openSelf(name);
  if (file < 0) {
    error = format("%s cannot be opened: %s", name.c_str(), strerror(errno));
    return MOIRE_ERROR_FILE;
  }
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    error = format("%s is not a file", name.c_str());
    close(file);
    return MOIRE_ERROR_FILE;
  }
  size = static_cast<uint64_t>(status.st_size);
  void *memory = size ? mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0) : nullptr;
  int reason = errno;
  close(file);
  if (memory == MAP_FAILED) {
    error = format("%s (%s) cannot be mapped: %s", name.c_str(), formatBytes(size).c_str(),
                   strerror(reason));
    return MOIRE_ERROR_RESOURCES;
  }
  data = static_cast<const uint8_t *>(memory);
  std::string wrong = checkTable();
  if (wrong.empty())
    return MOIRE_OK;
  views.clear();
  error = format("%s %s", name.c_str(), wrong.c_str());
  return MOIRE_ERROR_FILE;
}

std::string ProgramFile::checkTable() {
  moire_trailer trailer = {};
  if (size >= sizeof trailer)
    memcpy(&trailer, data + size - sizeof trailer, sizeof trailer);
  static_assert(sizeof MOIRE_TRAILER_MAGIC == sizeof trailer.magic);
  if (memcmp(trailer.magic, MOIRE_TRAILER_MAGIC, sizeof trailer.magic) != 0)
    return "carries no model: was the file stripped, or cut short while it was copied? "
           "Compile the model again, or copy the program anew";

  // The table ends where the trailer begins, so a table of a plausible length cannot overflow.
  uint64_t tableEnd = size - sizeof trailer;
  uint64_t count = trailer.section_count;
  if (count > kMostSections || count * sizeof(moire_section) > tableEnd ||
      trailer.table_offset != tableEnd - count * sizeof(moire_section))
    return format(
        "is damaged: its section table (%llu sections at byte %llu) does not fit a file of "
        "%llu bytes",
        static_cast<unsigned long long>(count),
        static_cast<unsigned long long>(trailer.table_offset),
        static_cast<unsigned long long>(size));
  std::span<const uint8_t> table(data + trailer.table_offset, count * sizeof(moire_section));
  if (checksum(table) != trailer.table_checksum)
    return format("is damaged: the checksum of its section table (byte %llu) is wrong",
                  static_cast<unsigned long long>(trailer.table_offset));

  for (uint64_t i = 0; i < count; ++i) {
    const uint8_t *bytes = table.data() + i * sizeof(moire_section);
    moire_section section;
    memcpy(&section, bytes, sizeof section);
    const char *sectionName = reinterpret_cast<const char *>(bytes);
    if (!section.name[0] || !memchr(section.name, 0, sizeof section.name) || find(sectionName))
      return format("is damaged: section %llu has no name of its own",
                    static_cast<unsigned long long>(i));
    if (section.offset % kSectionAlignment || section.offset > trailer.table_offset ||
        section.bytes > trailer.table_offset - section.offset)
      return format(
          "is damaged: section '%s' (%llu bytes at byte %llu) does not lie inside the file",
          sectionName, static_cast<unsigned long long>(section.bytes),
          static_cast<unsigned long long>(section.offset));
    views.push_back(
        {sectionName, {data + section.offset, section.bytes}, section.offset, section.checksum});
  }
  return "";
}

const SectionView *ProgramFile::find(std::string_view wanted) const {
  for (const SectionView &view : views)
    if (view.name == wanted)
      return &view;
  return nullptr;
}

std::string checkProgram(const moire_program &program, const SectionView *weights) {
  if (program.abi_version != MOIRE_ABI_VERSION)
    return format("the generated code speaks version %lld of the runtime's interface, this runtime "
                  "version %d",
                  static_cast<long long>(program.abi_version), MOIRE_ABI_VERSION);
  // Products of these sizes are computed later: within these bounds none of them overflows before
  // the system refuses the memory.
  constexpr int64_t kMost = INT32_MAX, kMostBytes = int64_t(1) << 40, kMostExperts = 1 << 16;
  const struct {
    const char *name;
    int64_t value, least, most;
  } fields[] = {
      {"vocab", program.vocab, 1, kMost},
      {"hidden", program.hidden, 1, kMost},
      {"layers", program.layers, 0, kMost},
      {"context", program.context, 1, kMost},
      {"weight_bytes", program.weight_bytes, 0, INT64_MAX},
      {"arena_bytes", program.arena_bytes, 0, kMostBytes},
      {"arena_bytes_per_token", program.arena_bytes_per_token, 0, kMostBytes},
      {"scratch_bytes", program.scratch_bytes, 0, kMostBytes},
      {"scratch_bytes_per_token", program.scratch_bytes_per_token, 0, kMostBytes},
      {"kv_page_bytes", program.kv_page_bytes, 0, kMostBytes},
      {"route_width", program.route_width, 0, kMostExperts},
      {"stamps", program.stamps, 0, kMost},
      {"kv_page_positions", program.kv_page_positions, program.kv_page_bytes > 0, kMost},
  };
  for (const auto &field : fields)
    if (field.value < field.least || field.value > field.most)
      return format("the generated code states %s = %lld, outside of %lld .. %lld", field.name,
                    static_cast<long long>(field.value), static_cast<long long>(field.least),
                    static_cast<long long>(field.most));
  if (!program.step_one || !program.step_many)
    return "the generated code has no step function";
  int64_t bytes = weights ? static_cast<int64_t>(weights->bytes.size()) : 0;
  if (bytes != program.weight_bytes)
    return format("the generated code expects %lld bytes of weights, the file has %lld",
                  static_cast<long long>(program.weight_bytes), static_cast<long long>(bytes));
  return "";
}

std::string missingCpuFeatures(int64_t needed, int64_t available) {
  int64_t missing = needed & ~available;
  if (!missing)
    return "";
  return format("the program was compiled for a processor with %s; %s lacks %s. Compile the model "
                "again on this machine, or with --cpu=x86-64-v3 for any processor with AVX2",
                describeCpuFeatures(needed).c_str(), cpuName().c_str(),
                describeCpuFeatures(missing).c_str());
}

} // namespace moire
