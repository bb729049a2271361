// A weight container as plain data: what names, shapes, types and byte ranges a file offers.
//
// The readers (Safetensors.h, Gguf.h) parse untrusted bytes into these structs. Nothing here knows
// MLIR, and no tensor data is copied: a tensor is a range of a mapped file.

#ifndef MOIRE_FRONTENDS_WEIGHTS_CONTAINER_H
#define MOIRE_FRONTENDS_WEIGHTS_CONTAINER_H

#include "dialects/Formats.h"

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace moire {

/// Why something could not be read.
struct ReadError {
  enum class Kind : uint8_t {
    Io,          // the operating system refused (exit code 1)
    BadInput,    // missing, malformed or truncated (exit code 3)
    Unsupported, // well-formed, but of a version or type that is not read (exit code 4)
  };
  Kind kind = Kind::BadInput;
  std::string message; // what, where (file, byte offset or key), why and what to do
};

/// How the elements of a tensor are stored: numbers, ggml's block formats, and what no weight is.
enum class StorageType : uint8_t {
  F32,
  F16,
  BF16,
#define MOIRE_BLOCK(enumerator, ...) enumerator,
#include "dialects/Formats.def"
  I8,
  I16,
  I32,
  I64,
  U8,
  F64,
  Bool
};

/// What a storage type costs: `block_elements` consecutive elements of a row take `block_bytes`.
struct StorageTypeInfo {
  std::string_view name;   // "q4_1"
  uint32_t block_elements; // 1 for plain types
  uint32_t block_bytes;
};
const StorageTypeInfo &storageTypeInfo(StorageType type);

/// The block format that a storage type is, if it is one.
constexpr std::optional<BlockFormat> blockFormatOf(StorageType type) {
  if (type <= StorageType::BF16 || type >= StorageType::I8)
    return std::nullopt;
  return BlockFormat(int(type) - int(StorageType::BF16) - 1);
}

/// A read-only mapping of a whole file; unmapped with its last owner. As with any mapping, reading
/// it kills the process if another one cuts the file off meanwhile.
class MappedFile {
public:
  /// Maps the regular file `path`. On failure returns null and says why in `error`.
  static std::shared_ptr<MappedFile> open(const std::string &path, ReadError &error);
  ~MappedFile();
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;

  std::span<const uint8_t> bytes() const { return {data, size}; }
  std::string_view text() const { return {reinterpret_cast<const char *>(data), size}; }
  const std::string &path() const { return name; }

private:
  MappedFile() = default;
  const uint8_t *data = nullptr;
  size_t size = 0;
  std::string name;
};

/// Makes the bytes of a tensor that no file holds (Synthetic.h).
class ByteMaker {
public:
  virtual ~ByteMaker() = default;
  /// Fills `bytes` with those of the tensor from `offset` on: whole blocks of its type.
  virtual void make(uint64_t offset, std::span<uint8_t> bytes) const = 0;
};

/// One tensor of a container. `shape` is row-major, slowest dimension first (PyTorch's order: a
/// matrix is [out, in]); GGUF's dimensions are reversed on reading.
struct TensorEntry {
  std::string name;
  StorageType type;
  std::vector<int64_t> shape;
  std::shared_ptr<MappedFile> file;
  uint64_t offset; // of the first byte in `file`; the whole range was checked to lie inside it
  uint64_t bytes;
  std::shared_ptr<const ByteMaker> maker = nullptr; // if there is no file

  /// Not necessarily aligned for its elements. There must be a file.
  std::span<const uint8_t> data() const { return file->bytes().subspan(offset, bytes); }
  /// `count` bytes from the byte `from` on: of the file, or made in `scratch`.
  const uint8_t *bytesAt(uint64_t from, uint64_t count, std::vector<uint8_t> &scratch) const;
};

/// A value of GGUF's metadata, also the form in which JSON's scalars and lists are kept. Integers
/// beyond int64 are doubles.
struct MetadataValue {
  using List = std::vector<MetadataValue>;
  std::variant<std::monostate, bool, int64_t, double, std::string, List> value;
};

/// A model as it lies on disk, whatever its container.
struct Container {
  enum class Kind : uint8_t { HuggingFace, Gguf };
  Kind kind;
  std::string path; // the folder or file that the user named
  /// GGUF metadata by key, or config.json flattened: nested objects join their keys with a dot
  /// ("rope_scaling.factor"). JSON null is std::monostate.
  std::map<std::string, MetadataValue> metadata;
  std::map<std::string, TensorEntry> tensors; // empty for a bare config.json
};

/// Opens a Hugging Face folder, a bare config.json or a GGUF file, told apart by content.
/// On failure returns false; `container` is then unspecified and `error` says why.
bool openContainer(const std::string &path, Container &container, ReadError &error);

} // namespace moire

#endif
