#include "codegen/artifact/ProgramWriter.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace moire {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kFlushBytes = 64
                                 << 20; // written between two requests to bring bytes to the disk

struct ProgramWriter::Checksum {
  XXH3_state_t state;
};

static std::string folderOf(const std::string &path) {
  llvm::StringRef parent = llvm::sys::path::parent_path(path);
  return parent.empty() ? "." : parent.str();
}

static std::string inMegabytes(uint64_t bytes) {
  return std::to_string((bytes + 999999) / 1000000) + " MB";
}

/// Refuses targets that a rename must not replace, and file systems without room.
static llvm::Error checkTarget(const std::string &path, uint64_t bytes) {
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode))
    return artifactError(ArtifactExit::Usage,
                         "cannot write '" + path + "': it exists and is not a regular file");
  std::string folder = folderOf(path);
  struct statvfs space;
  if (statvfs(folder.c_str(), &space) != 0)
    return systemError("write to folder '" + folder + "'", errno);
  uint64_t available = uint64_t(space.f_bavail) * space.f_frsize;
  if (available < bytes)
    return artifactError(ArtifactExit::OutOfResources,
                         "cannot write '" + path + "': it needs " + inMegabytes(bytes) +
                             ", but the file system of '" + folder + "' has " +
                             inMegabytes(available) + " free; name another place with -o");
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<ProgramWriter>> ProgramWriter::create(const std::string &target,
                                                                     uint64_t bytes) {
  // Through a link to the file it names, or the rename would replace the link.
  llvm::SmallString<128> resolved;
  std::string path = target;
  if (!llvm::sys::fs::real_path(target, resolved))
    path = std::string(resolved);
  if (llvm::Error error = checkTarget(path, bytes))
    return std::move(error);
  std::string folder = folderOf(path), temporary;
  int descriptor = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (descriptor < 0) {
    // Not every file system has files without a name (overlays, NFS, FUSE).
    llvm::SmallString<128> name;
    std::string model = folder + "/." + llvm::sys::path::filename(path).str() + ".%%%%%%.partial";
    if (std::error_code code =
            llvm::sys::fs::createUniqueFile(model, descriptor, name, llvm::sys::fs::OF_None,
                                            llvm::sys::fs::all_read | llvm::sys::fs::all_write))
      return systemError("create a file in '" + folder + "'", code.value());
    temporary = std::string(name);
    llvm::sys::RemoveFileOnSignal(temporary);
  }
  return std::unique_ptr<ProgramWriter>(new ProgramWriter(path, descriptor, temporary));
}

ProgramWriter::ProgramWriter(std::string path, int descriptor, std::string temporary)
    : path(std::move(path)), descriptor(descriptor), temporary(std::move(temporary)),
      checksum(std::make_unique<Checksum>()) {}

ProgramWriter::~ProgramWriter() { discard(); }

void ProgramWriter::discard() {
  if (descriptor >= 0)
    close(descriptor);
  descriptor = -1;
  if (temporary.empty())
    return;
  unlink(temporary.c_str());
  llvm::sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
}

llvm::Error ProgramWriter::write(const void *bytes, size_t count) {
  const char *from = static_cast<const char *>(bytes);
  while (count > 0) {
    ssize_t done = ::write(descriptor, from, count);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return systemError("write '" + path + "' beyond " + inMegabytes(size), errno);
    from += done;
    count -= done;
    size += done;
  }
  // Started early, bringing the bytes to the disk runs beside the packing, not after it.
  if (size - flushed >= kFlushBytes) {
    sync_file_range(descriptor, flushed, size - flushed, SYNC_FILE_RANGE_WRITE);
    flushed = size;
  }
  return llvm::Error::success();
}

llvm::Error ProgramWriter::padTo(uint64_t alignment) {
  static const char zeros[kPage] = {};
  return write(zeros, (alignment - size % alignment) % alignment);
}

llvm::Error ProgramWriter::writeImage(std::span<const uint8_t> image) {
  return write(image.data(), image.size());
}

llvm::Error ProgramWriter::beginSection(llvm::StringRef name) {
  endSection();
  if (llvm::Error error = padTo(kPage))
    return error;
  moire_section section = {};
  if (name.size() >= sizeof(section.name))
    return artifactError(ArtifactExit::Bug, "section name '" + name.str() + "' is too long");
  std::memcpy(section.name, name.data(), name.size());
  section.offset = size;
  table.push_back(section);
  inSection = true;
  XXH3_64bits_reset(&checksum->state);
  return llvm::Error::success();
}

llvm::Error ProgramWriter::append(std::span<const uint8_t> bytes) {
  XXH3_64bits_update(&checksum->state, bytes.data(), bytes.size());
  return write(bytes.data(), bytes.size());
}

llvm::Error ProgramWriter::addSection(llvm::StringRef name, llvm::StringRef bytes) {
  if (llvm::Error error = beginSection(name))
    return error;
  return append({bytes.bytes_begin(), bytes.size()});
}

void ProgramWriter::endSection() {
  if (!inSection)
    return;
  table.back().bytes = size - table.back().offset;
  table.back().checksum = XXH3_64bits_digest(&checksum->state);
  inSection = false;
}

llvm::Expected<uint64_t> ProgramWriter::finish() {
  endSection();
  if (llvm::Error error = padTo(alignof(moire_section)))
    return std::move(error);
  size_t tableBytes = table.size() * sizeof(moire_section);
  moire_trailer trailer = {size, table.size(), XXH3_64bits(table.data(), tableBytes), {}};
  std::memcpy(trailer.magic, MOIRE_TRAILER_MAGIC, sizeof(trailer.magic));
  if (llvm::Error error = write(table.data(), tableBytes))
    return std::move(error);
  if (llvm::Error error = write(&trailer, sizeof(trailer)))
    return std::move(error);
  if (llvm::Error error = publish())
    return std::move(error);
  return size;
}

llvm::Error ProgramWriter::publish() {
  if (fsync(descriptor) != 0)
    return systemError("bring '" + path + "' to the disk", errno);
  // Whoever may read it may run it: the reading bits have been through the umask already.
  struct stat status;
  if (fstat(descriptor, &status) != 0 ||
      fchmod(descriptor, (status.st_mode & 0777) | (status.st_mode & 0444) >> 2) != 0)
    return systemError("make '" + path + "' executable", errno);
  std::string folder = folderOf(path);
  if (temporary.empty()) {
    // A link cannot replace a file, a rename can: so the complete file gets a hidden name first.
    std::string name = folder + "/." + llvm::sys::path::filename(path).str() + "." +
                       std::to_string(getpid()) + ".complete";
    std::string self = "/proc/self/fd/" + std::to_string(descriptor);
    unlink(name.c_str());
    llvm::sys::RemoveFileOnSignal(name);
    temporary = name;
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) != 0)
      return systemError("name the finished file '" + path + "'", errno);
  }
  if (rename(temporary.c_str(), path.c_str()) != 0)
    return systemError("rename the finished file to '" + path + "'", errno);
  llvm::sys::DontRemoveFileOnSignal(temporary);
  temporary.clear();
  if (int parent = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); parent >= 0) {
    fsync(parent); // the new name; the file itself is safe already
    close(parent);
  }
  close(descriptor);
  descriptor = -1;
  return llvm::Error::success();
}

} // namespace moire
