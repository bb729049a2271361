// The compile cache of `moire run`: finished programs in a folder, named by a key of everything
// that they were made from, the least recently used deleted first.
//
// Safe for any number of processes at once: programs appear by rename (ProgramWriter), a lock per
// key keeps two processes from compiling the same thing, and a program that is running survives the
// deletion of its file.

#ifndef MOIRE_CODEGEN_ARTIFACT_CACHE_H
#define MOIRE_CODEGEN_ARTIFACT_CACHE_H

#include "codegen/artifact/ArtifactError.h"

#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace moire {

/// Collects what a program depends on and condenses it to a key (XXH3, 128 bits).
class CacheKey {
public:
  CacheKey();
  ~CacheKey();

  /// A named input: the compiler's version, an option. The order of calls matters.
  void add(llvm::StringRef name, llvm::StringRef value);

  /// A file, by content and not by path. Files up to 32 MB (configurations, tokenizers, model
  /// descriptions, also the compiler's own binary) are hashed whole. Of larger ones, which hold
  /// weights, these count: size, time of the last change, the first 8 MB (every header), the last
  /// MB and 32 pieces of 64 KB between them, so that the key of a model of any size takes
  /// milliseconds. A changed weight that all of this misses would need an edit in place that sets
  /// the time back.
  llvm::Error addFile(const std::string &path);

  /// All regular files directly in a folder, by name and content.
  llvm::Error addFolder(const std::string &path);

  /// 32 hexadecimal digits.
  std::string hex() const;

private:
  struct State;
  std::unique_ptr<State> state;
};

struct CachedProgram {
  std::string key;
  std::string about; // what was compiled, as given to describe()
  uint64_t bytes;
  std::chrono::system_clock::time_point last_use;
};

class ProgramCache {
public:
  /// Opens the folder `programs` in $MOIRE_CACHE, $XDG_CACHE_HOME/moire or ~/.cache/moire, and
  /// makes it if need be. $MOIRE_CACHE_SIZE (bytes, or with a unit: 500M, 20G) limits its size;
  /// a value that is no size is an error. Without it the limit is 20 GB.
  static llvm::Expected<ProgramCache> open();

  /// The path of a finished program, which becomes the most recently used; none if it is not there.
  std::optional<std::string> find(llvm::StringRef key) const;

  /// Where the program of a key belongs, for ProgramWriter.
  std::string pathOf(llvm::StringRef key) const;

  /// Held by a process while it compiles a key.
  class Lock {
  public:
    explicit Lock(int descriptor) : descriptor(descriptor) {}
    Lock(Lock &&other) : descriptor(other.descriptor) { other.descriptor = -1; }
    Lock &operator=(Lock &&) = delete;
    ~Lock();

  private:
    int descriptor;
  };
  /// Waits until no other process holds the lock of this key; after that, find() once more.
  llvm::Expected<Lock> lock(llvm::StringRef key) const;

  /// Says in one line what the program of a key is, for list().
  void describe(llvm::StringRef key, llvm::StringRef about) const;

  /// Deletes the least recently used programs until the rest fits the limit; `keep` stays in any
  /// case. Returns the bytes freed.
  uint64_t trim(llvm::StringRef keep) const;

  /// All programs, the most recently used first.
  std::vector<CachedProgram> list() const;

  /// Deletes all programs and what killed compilations may have left. Returns the bytes freed.
  uint64_t clean() const;

  const std::string &folder() const { return programs; }
  uint64_t sizeLimit() const { return limit; }

private:
  ProgramCache(std::string programs, uint64_t limit)
      : programs(std::move(programs)), limit(limit) {}
  uint64_t remove(const CachedProgram &program) const;

  std::string programs;
  uint64_t limit;
};

} // namespace moire

#endif
