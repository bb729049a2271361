// What the readers of untrusted files share: error messages and overflow-safe size checks.

#ifndef MOIRE_FRONTENDS_WEIGHTS_CHECKS_H
#define MOIRE_FRONTENDS_WEIGHTS_CHECKS_H

#include "frontends/weights/Container.h"
#include "llvm/ADT/Twine.h"

namespace moire {

/// Fill in `error` and return false, so that a check reads `return badInput(error, …)`.
bool badInput(ReadError &error, const llvm::Twine &message);
bool unsupported(ReadError &error, const llvm::Twine &message);

/// `text` from a file as it may be shown on a terminal: in quotes, control characters and bytes
/// that are not ASCII escaped, long text cut.
std::string quoted(std::string_view text);

/// Fails if `file` is the small text that git leaves in the place of a large file that git-lfs did
/// not fetch.
bool checkIsFetched(const MappedFile &file, ReadError &error);

/// Counts what a file holds that is not read, so that all of it is reported at once.
class UnsupportedTypes {
public:
  void add(std::string_view type, std::string_view tensor);
  bool empty() const { return types.empty(); }
  /// "Q4_K (12 tensors, the first is "blk.0.attn_q.weight"), …"
  std::string list() const;

private:
  struct Use {
    size_t count = 0;
    std::string first;
  };
  std::map<std::string, Use, std::less<>> types;
};

/// Computes the bytes of a dense tensor of `shape`; a shape without dimensions is one element.
/// Returns false, with the reason in `why`, if a dimension is negative, if the last one is no
/// multiple of the type's block, or if the size does not fit into 63 bits.
bool computeTensorBytes(StorageType type, const std::vector<int64_t> &shape, uint64_t &bytes,
                        std::string &why);

/// A range of bytes that belongs to the tensor `name`.
struct ByteRange {
  uint64_t begin;
  uint64_t end;
  std::string_view name;
};

/// Sorts `ranges` by position and fails if two of them share a byte. `file` is for the message.
bool checkDisjoint(std::vector<ByteRange> &ranges, std::string_view file, ReadError &error);

} // namespace moire

#endif
