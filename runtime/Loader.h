// The file of a compiled program: its sections, found through the trailer at the file's end.
//
// The file is not trusted: every offset and size is checked before it is used.

#ifndef MOIRE_RUNTIME_LOADER_H
#define MOIRE_RUNTIME_LOADER_H

#include "runtime/Abi.h"
#include "runtime/moire.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

/// One section as the table states it. The name is NUL-terminated within the mapping of the file.
struct SectionView {
  const char *name;
  std::span<const uint8_t> bytes;
  uint64_t offset;
  uint64_t checksum;
};

/// A compiled program, mapped read-only and whole. Its sections live as long as it does.
class ProgramFile {
public:
  ProgramFile() = default;
  ~ProgramFile();
  ProgramFile(const ProgramFile &) = delete;
  ProgramFile &operator=(const ProgramFile &) = delete;

  /// Maps `path`, or the running executable when `path` is null, and reads the section table.
  /// Errors (FILE, RESOURCES) with the reason in `error`. Call it once.
  moire_status open(const char *path, std::string &error);

  const std::string &path() const { return name; }
  const std::vector<SectionView> &sections() const { return views; }
  /// The section called `name`, or null.
  const SectionView *find(std::string_view name) const;

private:
  std::string checkTable();

  std::string name;
  const uint8_t *data = nullptr;
  uint64_t size = 0;
  std::vector<SectionView> views;
};

/// Empty when the runtime can run `program` with the weights section `weights` (null: missing);
/// otherwise what does not fit.
std::string checkProgram(const moire_program &program, const SectionView *weights);

/// Empty when a processor with the features `available` can run code that needs `needed`; otherwise
/// a message that names what is missing.
std::string missingCpuFeatures(int64_t needed, int64_t available);

} // namespace moire

#endif
