// Writes a finished program: ELF image, page-aligned sections, section table, trailer (the layout
// is described in runtime/Abi.h).
//
// The file appears under its name only when it is complete. Until then it has no name at all where
// the file system allows that (O_TMPFILE), else a hidden one that is removed on failure and on
// SIGINT, SIGTERM and the like; it gets its execute permission last.

#ifndef MOIRE_CODEGEN_ARTIFACT_PROGRAMWRITER_H
#define MOIRE_CODEGEN_ARTIFACT_PROGRAMWRITER_H

#include "codegen/artifact/ArtifactError.h"
#include "runtime/Abi.h"

#include "llvm/ADT/StringRef.h"

#include <memory>
#include <span>
#include <vector>

namespace moire {

class ProgramWriter {
public:
  /// Opens a temporary file in the folder of `target`. `bytes` is about what will be written (image
  /// and sections): a file system with less free space is an error before any work is done.
  static llvm::Expected<std::unique_ptr<ProgramWriter>> create(const std::string &target,
                                                               uint64_t bytes);
  /// Without finish() before, nothing remains of the file.
  ~ProgramWriter();
  ProgramWriter(const ProgramWriter &) = delete;
  ProgramWriter &operator=(const ProgramWriter &) = delete;

  /// The ELF file, before any section.
  llvm::Error writeImage(std::span<const uint8_t> image);

  /// Ends the section before and starts one at the next page. `name` has at most 15 bytes.
  llvm::Error beginSection(llvm::StringRef name);
  /// More bytes of the section, in order.
  llvm::Error append(std::span<const uint8_t> bytes);
  /// beginSection and append of a whole section.
  llvm::Error addSection(llvm::StringRef name, llvm::StringRef bytes);

  /// Writes table and trailer, syncs the file to the disk, makes it executable and puts it in the
  /// place of whatever regular file had its name. Returns the size of the file in bytes.
  llvm::Expected<uint64_t> finish();

  /// The sections so far; complete after finish().
  const std::vector<moire_section> &sections() const { return table; }

private:
  ProgramWriter(std::string path, int descriptor, std::string temporary);

  llvm::Error write(const void *bytes, size_t count);
  llvm::Error padTo(uint64_t alignment);
  void endSection();
  llvm::Error publish();
  void discard();

  struct Checksum;

  std::string path;
  int descriptor;
  std::string temporary; // its name; empty while it has none
  uint64_t size = 0;     // bytes written
  uint64_t flushed = 0;  // bytes that the kernel was asked to bring to the disk
  std::vector<moire_section> table;
  bool inSection = false;
  std::unique_ptr<Checksum> checksum; // of the section being written
};

} // namespace moire

#endif
