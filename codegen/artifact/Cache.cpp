#include "codegen/artifact/Cache.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace moire {

namespace fs = llvm::sys::fs;

//===----------------------------------------------------------------------===//
// Keys

constexpr uint64_t kWholeFileBytes = 32 << 20;
constexpr uint64_t kHeadBytes = 8 << 20;
constexpr uint64_t kTailBytes = 1 << 20;
constexpr uint64_t kPieces = 32;
constexpr uint64_t kPieceBytes = 64 << 10;

struct CacheKey::State {
  XXH3_state_t hash;

  void update(const void *bytes, size_t count) { XXH3_128bits_update(&hash, bytes, count); }
  void update(uint64_t number) { update(&number, sizeof(number)); }
};

CacheKey::CacheKey() : state(std::make_unique<State>()) { XXH3_128bits_reset(&state->hash); }
CacheKey::~CacheKey() = default;

void CacheKey::add(llvm::StringRef name, llvm::StringRef value) {
  // Lengths keep ("ab", "c") and ("a", "bc") apart.
  for (llvm::StringRef text : {name, value}) {
    state->update(text.size());
    state->update(text.data(), text.size());
  }
}

namespace {

/// A file descriptor that closes itself.
struct OpenFile {
  explicit OpenFile(int descriptor) : descriptor(descriptor) {}
  ~OpenFile() {
    if (descriptor >= 0)
      close(descriptor);
  }
  OpenFile(const OpenFile &) = delete;
  int descriptor;
};

} // namespace

/// Feeds a range of an open file to `state`.
static llvm::Error hashRange(int descriptor, const std::string &path, uint64_t offset,
                             uint64_t count,
                             llvm::function_ref<void(const void *, size_t)> update) {
  std::vector<char> buffer(std::min<uint64_t>(count, 1 << 20));
  while (count > 0) {
    ssize_t done =
        pread(descriptor, buffer.data(), std::min<uint64_t>(count, buffer.size()), offset);
    if (done < 0 && errno == EINTR)
      continue;
    if (done < 0)
      return systemError("read '" + path + "'", errno);
    if (done == 0)
      return artifactError(ArtifactExit::Failed, "'" + path + "' became shorter while it was read");
    update(buffer.data(), done);
    offset += done;
    count -= done;
  }
  return llvm::Error::success();
}

llvm::Error CacheKey::addFile(const std::string &path) {
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (file.descriptor < 0 || fstat(file.descriptor, &status) != 0)
    return systemError("open '" + path + "'", errno);
  uint64_t size = status.st_size;
  state->update(size);
  auto hash = [&](uint64_t offset, uint64_t count) {
    return hashRange(file.descriptor, path, offset, count,
                     [&](const void *bytes, size_t n) { state->update(bytes, n); });
  };
  if (size <= kWholeFileBytes)
    return hash(0, size);

  state->update(status.st_mtim.tv_sec);
  state->update(status.st_mtim.tv_nsec);
  if (llvm::Error error = hash(0, kHeadBytes))
    return error;
  uint64_t middle = size - kHeadBytes - kTailBytes;
  for (uint64_t i = 0; i < kPieces; ++i)
    if (llvm::Error error = hash(kHeadBytes + (middle - kPieceBytes) / kPieces * i, kPieceBytes))
      return error;
  return hash(size - kTailBytes, kTailBytes);
}

llvm::Error CacheKey::addFolder(const std::string &path) {
  std::map<std::string, std::string> files; // name to path: in an order of ours
  std::error_code code;
  for (fs::directory_iterator entry(path, code), end; !code && entry != end; entry.increment(code))
    if (fs::is_regular_file(entry->path()))
      files[llvm::sys::path::filename(entry->path()).str()] = entry->path();
  if (code)
    return systemError("read folder '" + path + "'", code.value());
  for (const auto &[name, file] : files) {
    add("file", name);
    if (llvm::Error error = addFile(file))
      return error;
  }
  return llvm::Error::success();
}

std::string CacheKey::hex() const {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, XXH3_128bits_digest(&state->hash));
  return llvm::toHex(llvm::ArrayRef(bytes.digest), /*LowerCase=*/true);
}

//===----------------------------------------------------------------------===//
// The folder

constexpr uint64_t kDefaultLimit = 20'000'000'000;

/// "500M" to bytes (units K, M, G, T: powers of 1000); none if `text` is no size.
static std::optional<uint64_t> parseSize(llvm::StringRef text) {
  uint64_t unit = 1;
  if (!text.empty()) {
    size_t power = llvm::StringRef("KMGT").find(llvm::toUpper(text.back()));
    if (power != llvm::StringRef::npos) {
      for (size_t i = 0; i <= power; ++i)
        unit *= 1000;
      text = text.drop_back();
    }
  }
  uint64_t count;
  if (text.getAsInteger(10, count) || count > UINT64_MAX / unit)
    return std::nullopt;
  return count * unit;
}

static std::string environment(const char *name) {
  const char *value = std::getenv(name);
  return value ? value : "";
}

llvm::Expected<ProgramCache> ProgramCache::open() {
  std::string base = environment("MOIRE_CACHE");
  if (base.empty()) {
    base = environment("XDG_CACHE_HOME");
    if (base.empty() && !environment("HOME").empty())
      base = environment("HOME") + "/.cache";
    if (base.empty())
      return artifactError(ArtifactExit::Failed,
                           "no place for the compile cache: neither MOIRE_CACHE nor HOME is set");
    base += "/moire";
  }
  uint64_t limit = kDefaultLimit;
  if (std::string text = environment("MOIRE_CACHE_SIZE"); !text.empty()) {
    std::optional<uint64_t> size = parseSize(text);
    if (!size)
      return artifactError(ArtifactExit::Usage, "MOIRE_CACHE_SIZE is '" + text +
                                                    "', expected a size such as 500M or 20G");
    limit = *size;
  }
  std::string programs = base + "/programs";
  if (std::error_code code = fs::create_directories(programs, true, fs::owner_all))
    return systemError("make the cache folder '" + programs + "'", code.value());
  return ProgramCache(programs, limit);
}

std::string ProgramCache::pathOf(llvm::StringRef key) const { return programs + "/" + key.str(); }

/// Beside each program: a line that says what it is.
static std::string aboutPath(const std::string &program) { return program + ".about"; }

std::optional<std::string> ProgramCache::find(llvm::StringRef key) const {
  std::string path = pathOf(key);
  // The time of the last change serves as that of the last use: access times are often not kept.
  if (utimensat(AT_FDCWD, path.c_str(), nullptr, 0) != 0)
    return std::nullopt;
  return path;
}

ProgramCache::Lock::~Lock() {
  if (descriptor >= 0)
    close(descriptor);
}

llvm::Expected<ProgramCache::Lock> ProgramCache::lock(llvm::StringRef key) const {
  // One file for all keys, a byte of it (that need not exist) for each: nothing to delete later.
  std::string path = programs + "/lock";
  int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return systemError("open '" + path + "'", errno);
  Lock lock(descriptor);
  struct flock range = {};
  range.l_type = F_WRLCK;
  range.l_whence = SEEK_SET;
  range.l_start = XXH3_64bits(key.data(), key.size()) >> 2;
  range.l_len = 1;
  while (fcntl(descriptor, F_OFD_SETLKW, &range) != 0)
    if (errno != EINTR)
      return systemError("lock '" + path + "'", errno);
  return lock;
}

void ProgramCache::describe(llvm::StringRef key, llvm::StringRef about) const {
  std::error_code code;
  llvm::raw_fd_ostream os(aboutPath(pathOf(key)), code);
  if (!code)
    os << about << "\n";
  os.clear_error(); // a missing description is no reason to fail
}

static bool isKey(llvm::StringRef name) {
  return name.size() == 32 && llvm::all_of(name, llvm::isHexDigit);
}

std::vector<CachedProgram> ProgramCache::list() const {
  std::vector<CachedProgram> found;
  std::error_code code;
  for (fs::directory_iterator entry(programs, code), end; !code && entry != end;
       entry.increment(code)) {
    llvm::StringRef name = llvm::sys::path::filename(entry->path());
    fs::file_status status;
    if (!isKey(name) || fs::status(entry->path(), status))
      continue;
    CachedProgram program = {name.str(), "", status.getSize(), status.getLastModificationTime()};
    if (auto about = llvm::MemoryBuffer::getFile(aboutPath(entry->path())))
      program.about = (*about)->getBuffer().trim().str();
    found.push_back(program);
  }
  std::sort(found.begin(), found.end(),
            [](const CachedProgram &a, const CachedProgram &b) { return a.last_use > b.last_use; });
  return found;
}

uint64_t ProgramCache::remove(const CachedProgram &program) const {
  std::string path = pathOf(program.key);
  fs::remove(aboutPath(path));
  return unlink(path.c_str()) == 0 ? program.bytes : 0;
}

uint64_t ProgramCache::trim(llvm::StringRef keep) const {
  uint64_t total = 0, freed = 0;
  std::vector<CachedProgram> programs = list();
  for (const CachedProgram &program : programs)
    total += program.bytes;
  for (const CachedProgram &program : llvm::reverse(programs)) {
    if (total - freed <= limit)
      break;
    if (program.key != keep)
      freed += remove(program);
  }
  return freed;
}

uint64_t ProgramCache::clean() const {
  uint64_t freed = 0;
  for (const CachedProgram &program : list())
    freed += remove(program);
  // Hidden files are unfinished programs; those of the last day may still be at work.
  auto yesterday = std::chrono::system_clock::now() - std::chrono::hours(24);
  std::error_code code;
  for (fs::directory_iterator entry(programs, code), end; !code && entry != end;
       entry.increment(code)) {
    fs::file_status status;
    if (llvm::sys::path::filename(entry->path()).starts_with(".") &&
        !fs::status(entry->path(), status) && status.getLastModificationTime() < yesterday &&
        !fs::remove(entry->path()))
      freed += status.getSize();
  }
  return freed;
}

} // namespace moire
