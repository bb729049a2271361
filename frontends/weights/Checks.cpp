#include "frontends/weights/Checks.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace moire;
using llvm::Twine;

static bool fail(ReadError &error, ReadError::Kind kind, const Twine &message) {
  error.kind = kind;
  error.message = message.str();
  return false;
}

bool moire::badInput(ReadError &error, const Twine &message) {
  return fail(error, ReadError::Kind::BadInput, message);
}

bool moire::unsupported(ReadError &error, const Twine &message) {
  return fail(error, ReadError::Kind::Unsupported, message);
}

std::string moire::quoted(std::string_view text) {
  constexpr size_t longest = 100;
  std::string result = "\"";
  llvm::raw_string_ostream stream(result);
  llvm::printEscapedString(text.substr(0, longest), stream);
  stream << (text.size() > longest ? "…\"" : "\"");
  return result;
}

bool moire::checkIsFetched(const MappedFile &file, ReadError &error) {
  if (file.text().starts_with("version https://git-lfs.github.com/spec/"))
    return badInput(error, Twine(file.path()) +
                               ": is only a pointer of git-lfs to the file; fetch " +
                               "the file itself with `git lfs pull`");
  return true;
}

void UnsupportedTypes::add(std::string_view type, std::string_view tensor) {
  auto use = types.find(type);
  if (use == types.end())
    use = types.emplace(type, Use{0, std::string(tensor)}).first;
  ++use->second.count;
}

std::string UnsupportedTypes::list() const {
  std::string result;
  for (const auto &[type, use] : types) {
    if (!result.empty())
      result += ", ";
    result += type + " (" + std::to_string(use.count) +
              (use.count == 1 ? " tensor, " : " tensors, the first is ") + quoted(use.first) + ")";
  }
  return result;
}

bool moire::computeTensorBytes(StorageType type, const std::vector<int64_t> &shape, uint64_t &bytes,
                               std::string &why) {
  const StorageTypeInfo &info = storageTypeInfo(type);
  const int64_t row = shape.empty() ? 1 : shape.back();
  // Zeros count as ones until the end: whoever multiplies the other dimensions must not overflow.
  int64_t product = 1;
  bool isEmpty = false;
  bool overflows = false;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < 0) {
      why = "dimension " + std::to_string(i) + " is negative";
      return false;
    }
    isEmpty |= shape[i] == 0;
    overflows |= __builtin_mul_overflow(product, std::max<int64_t>(shape[i], 1), &product);
  }
  overflows |= __builtin_mul_overflow(product, int64_t(info.block_bytes), &product);
  if (overflows) {
    why = "its size does not fit into 63 bits";
    return false;
  }
  if (row % info.block_elements != 0) {
    why = "a row has " + std::to_string(row) + " elements, but " + std::string(info.name) +
          " stores them in blocks of " + std::to_string(info.block_elements);
    return false;
  }
  bytes = isEmpty ? 0 : product / info.block_elements;
  return true;
}

bool moire::checkDisjoint(std::vector<ByteRange> &ranges, std::string_view file, ReadError &error) {
  std::sort(ranges.begin(), ranges.end(), [](const ByteRange &a, const ByteRange &b) {
    return std::tie(a.begin, a.end, a.name) < std::tie(b.begin, b.end, b.name);
  });
  // An empty range shares no byte with anything, but must not hide the neighbour before it.
  const ByteRange *previous = nullptr;
  for (const ByteRange &range : ranges) {
    if (range.begin == range.end)
      continue;
    if (previous && range.begin < previous->end)
      return badInput(error, Twine(file) + ": tensors " + quoted(previous->name) + " (bytes " +
                                 Twine(previous->begin) + " to " + Twine(previous->end) + ") and " +
                                 quoted(range.name) + " (bytes " + Twine(range.begin) + " to " +
                                 Twine(range.end) + ") overlap; the file is damaged");
    previous = &range;
  }
  return true;
}
