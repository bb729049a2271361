#include "frontends/weights/Gguf.h"
#include "frontends/weights/Checks.h"
#include <algorithm>
#include <cstring>
#include <optional>

using namespace moire;
using llvm::Twine;

namespace {

/// A type that a tensor can have.
struct GgmlType {
  uint32_t number; // in the file
  std::string_view name;
  std::optional<StorageType> storage; // none: not read
};

enum class ValueType : uint32_t {
  U8,
  I8,
  U16,
  I16,
  U32,
  I32,
  F32,
  Bool,
  String,
  List,
  U64,
  I64,
  F64,
};

class Parser {
public:
  Parser(std::span<const uint8_t> bytes, const std::string &name, ReadError &error)
      : bytes(bytes), name(name), error(error) {}

  bool run(std::map<std::string, MetadataValue> &metadata,
           std::map<std::string, TensorEntry> &tensors);

private:
  uint64_t remaining() const { return bytes.size() - position; }
  /// "model.gguf: byte 123: "
  std::string here() const { return name + ": byte " + std::to_string(position) + ": "; }

  template <typename T> bool read(T &value, const char *what);
  bool readString(std::string_view &text, const char *what);
  bool readHeader();
  bool readMetadata(std::map<std::string, MetadataValue> &metadata);
  bool readValue(ValueType type, MetadataValue &value, unsigned depth);
  template <typename T> bool readInteger(MetadataValue &value);
  template <typename T> bool readFloat(MetadataValue &value);
  bool readBool(MetadataValue &value);
  bool readList(MetadataValue &value, unsigned depth);
  bool readAlignment(const std::map<std::string, MetadataValue> &metadata);
  bool readTensors(std::map<std::string, TensorEntry> &tensors);
  bool readTensor(TensorEntry &tensor, bool &isRead);
  bool placeTensors(std::map<std::string, TensorEntry> &tensors);

  std::span<const uint8_t> bytes;
  const std::string &name;
  ReadError &error;
  uint64_t position = 0;
  uint64_t tensorCount = 0;
  uint64_t metadataCount = 0;
  uint64_t listElements = 0; // of all lists so far
  uint64_t alignment = 32;
  UnsupportedTypes unsupportedTypes;
};

} // namespace

/// Null for a number that ggml never gave to a type.
static const GgmlType *ggmlType(uint32_t number) {
  static constexpr GgmlType types[] = {
      {0, "f32", StorageType::F32},
      {1, "f16", StorageType::F16},
      {24, "i8", StorageType::I8},
      {25, "i16", StorageType::I16},
      {26, "i32", StorageType::I32},
      {27, "i64", StorageType::I64},
      {28, "f64", StorageType::F64},
      {30, "bf16", StorageType::BF16},
#define MOIRE_BLOCK(enumerator, name, number, elements, bytes, panel)                              \
  {number, name, StorageType::enumerator},
#include "dialects/Formats.def"
      // Of activations, or given up by ggml.
      {4, "q4_2", {}},
      {5, "q4_3", {}},
      {9, "q8_1", {}},
      {15, "q8_k", {}},
      {31, "q4_0_4_4", {}},
      {32, "q4_0_4_8", {}},
      {33, "q4_0_8_8", {}},
      {36, "iq4_nl_4_4", {}},
      {37, "iq4_nl_4_8", {}},
      {38, "iq4_nl_8_8", {}},
  };
  for (const GgmlType &type : types)
    if (type.number == number)
      return &type;
  return nullptr;
}

/// The fewest bytes that a value of `type` takes; 0 for an unknown type.
static uint64_t smallestSize(ValueType type) {
  switch (type) {
  case ValueType::U8:
  case ValueType::I8:
  case ValueType::Bool:
    return 1;
  case ValueType::U16:
  case ValueType::I16:
    return 2;
  case ValueType::U32:
  case ValueType::I32:
  case ValueType::F32:
    return 4;
  case ValueType::String: // its length
  case ValueType::U64:
  case ValueType::I64:
  case ValueType::F64:
    return 8;
  case ValueType::List: // element type and count
    return 12;
  }
  return 0;
}

template <typename T> bool Parser::read(T &value, const char *what) {
  if (remaining() < sizeof(T))
    return badInput(error, here() + "the file ends inside of " + what +
                               "; it was cut off, fetch it again");
  std::memcpy(&value, bytes.data() + position, sizeof(T));
  position += sizeof(T);
  return true;
}

bool Parser::readString(std::string_view &text, const char *what) {
  uint64_t length;
  if (!read(length, what))
    return false;
  if (length > remaining())
    return badInput(error, here() + what + " should be " + Twine(length) +
                               " bytes long, but the file has only " + Twine(remaining()) +
                               " more; it is damaged or was cut off");
  text = {reinterpret_cast<const char *>(bytes.data()) + position, length};
  position += length;
  return true;
}

bool Parser::readHeader() {
  uint32_t version;
  if (bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0)
    return badInput(error, here() + "a GGUF file begins with \"GGUF\"");
  position = 4;
  if (!read(version, "the version"))
    return false;
  if (version >= 1 << 24)
    return unsupported(error, here() + "the file is big-endian; convert it to little-endian");
  if (version != 2 && version != 3)
    return unsupported(error, here() + "GGUF version " + Twine(version) +
                                  ", but only versions 2 and 3 are read");
  if (!read(tensorCount, "the number of tensors") || !read(metadataCount, "the number of keys"))
    return false;
  // A key: length, type and a byte of value. A tensor: length, dimension count, type, offset.
  if (metadataCount > remaining() / 13 || tensorCount > remaining() / 24)
    return badInput(error, here() + Twine(metadataCount) + " keys and " + Twine(tensorCount) +
                               " tensors cannot fit into the " + Twine(remaining()) +
                               " bytes that follow; the file is damaged");
  return true;
}

template <typename T> bool Parser::readInteger(MetadataValue &value) {
  T integer;
  if (!read(integer, "an integer"))
    return false;
  if (std::in_range<int64_t>(integer))
    value.value = int64_t(integer);
  else
    value.value = double(integer);
  return true;
}

template <typename T> bool Parser::readFloat(MetadataValue &value) {
  T number;
  if (!read(number, "a number"))
    return false;
  value.value = double(number);
  return true;
}

bool Parser::readBool(MetadataValue &value) {
  uint8_t byte;
  if (!read(byte, "a bool"))
    return false;
  if (byte > 1)
    return badInput(error, here() + "a bool must be 0 or 1, found " + Twine(unsigned(byte)));
  value.value = byte == 1;
  return true;
}

bool Parser::readList(MetadataValue &value, unsigned depth) {
  ValueType type;
  uint64_t count;
  if (!read(type, "a list's element type") || !read(count, "a list's length"))
    return false;
  if (depth >= maxGgufListDepth)
    return badInput(error,
                    here() + "lists nested deeper than " + Twine(maxGgufListDepth) + " levels");
  const uint64_t elementSize = smallestSize(type);
  if (elementSize == 0)
    return badInput(error, here() + "unknown type " + Twine(uint32_t(type)) +
                               " of a list's elements; the file is damaged");
  if (count > remaining() / elementSize)
    return badInput(error, here() + "a list of " + Twine(count) + " elements cannot fit into the " +
                               Twine(remaining()) + " bytes that follow; the file is damaged");
  listElements += count;
  if (listElements > maxGgufListElements)
    return badInput(error, here() + "the metadata lists have more than " +
                               Twine(maxGgufListElements) + " elements");
  MetadataValue::List list(count);
  for (MetadataValue &element : list)
    if (!readValue(type, element, depth + 1))
      return false;
  value.value = std::move(list);
  return true;
}

bool Parser::readValue(ValueType type, MetadataValue &value, unsigned depth) {
  switch (type) {
  case ValueType::U8:
    return readInteger<uint8_t>(value);
  case ValueType::I8:
    return readInteger<int8_t>(value);
  case ValueType::U16:
    return readInteger<uint16_t>(value);
  case ValueType::I16:
    return readInteger<int16_t>(value);
  case ValueType::U32:
    return readInteger<uint32_t>(value);
  case ValueType::I32:
    return readInteger<int32_t>(value);
  case ValueType::U64:
    return readInteger<uint64_t>(value);
  case ValueType::I64:
    return readInteger<int64_t>(value);
  case ValueType::F32:
    return readFloat<float>(value);
  case ValueType::F64:
    return readFloat<double>(value);
  case ValueType::Bool:
    return readBool(value);
  case ValueType::String: {
    std::string_view text;
    if (!readString(text, "a string"))
      return false;
    value.value = std::string(text);
    return true;
  }
  case ValueType::List:
    return readList(value, depth);
  }
  return badInput(error, here() + "unknown type " + Twine(uint32_t(type)) +
                             " of a value; the file is damaged");
}

bool Parser::readMetadata(std::map<std::string, MetadataValue> &metadata) {
  for (uint64_t i = 0; i < metadataCount; ++i) {
    std::string_view key;
    ValueType type;
    MetadataValue value;
    if (!readString(key, "a metadata key") || !read(type, "the type of a value"))
      return false;
    if (!readValue(type, value, /*depth=*/0)) {
      error.message += " (metadata key " + quoted(key) + ")";
      return false;
    }
    if (!metadata.try_emplace(std::string(key), std::move(value)).second)
      return badInput(error, here() + "metadata key " + quoted(key) +
                                 " occurs twice; the file is damaged");
  }
  return true;
}

bool Parser::readAlignment(const std::map<std::string, MetadataValue> &metadata) {
  auto entry = metadata.find("general.alignment");
  if (entry == metadata.end())
    return true;
  const int64_t *value = std::get_if<int64_t>(&entry->second.value);
  if (!value || *value <= 0 || (*value & (*value - 1)) != 0)
    return badInput(error, Twine(name) + ": general.alignment must be a power of two");
  alignment = *value;
  return true;
}

/// `isRead` is false if the tensor has a type without StorageType, which was noted.
bool Parser::readTensor(TensorEntry &tensor, bool &isRead) {
  std::string_view tensorName;
  uint32_t dimensionCount;
  uint32_t typeNumber;
  if (!readString(tensorName, "a tensor's name") ||
      !read(dimensionCount, "a tensor's number of dimensions"))
    return false;
  tensor.name = tensorName;
  const std::string what = "tensor " + quoted(tensorName) + ": ";
  if (dimensionCount > maxGgufDimensions)
    return badInput(error, here() + what + "has " + Twine(dimensionCount) +
                               " dimensions; at most " + Twine(maxGgufDimensions) +
                               " are possible");
  tensor.shape.resize(dimensionCount);
  for (int64_t &dimension : tensor.shape)
    if (!read(dimension, "a tensor's dimensions"))
      return false;
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  if (!read(typeNumber, "a tensor's type") || !read(tensor.offset, "a tensor's offset"))
    return false;

  const GgmlType *type = ggmlType(typeNumber);
  isRead = type && type->storage;
  if (!isRead) {
    unsupportedTypes.add(type ? llvm::StringRef(type->name).upper()
                              : "type number " + std::to_string(typeNumber),
                         tensorName);
    return true;
  }
  tensor.type = *type->storage;
  std::string why;
  if (!computeTensorBytes(tensor.type, tensor.shape, tensor.bytes, why))
    return badInput(error, here() + what + why);
  if (tensor.offset % alignment != 0)
    return badInput(error, here() + what + "offset " + Twine(tensor.offset) +
                               " is no multiple of the alignment " + Twine(alignment));
  return true;
}

bool Parser::readTensors(std::map<std::string, TensorEntry> &tensors) {
  for (uint64_t i = 0; i < tensorCount; ++i) {
    TensorEntry tensor{};
    bool isRead = false;
    if (!readTensor(tensor, isRead))
      return false;
    if (!isRead)
      continue;
    std::string key = tensor.name;
    auto [entry, isNew] = tensors.try_emplace(std::move(key), std::move(tensor));
    if (!isNew)
      return badInput(error, here() + "tensor " + quoted(entry->first) +
                                 " occurs twice; the file is damaged");
  }
  if (!unsupportedTypes.empty())
    return unsupported(error, Twine(name) + ": element types that Moire does not read: " +
                                  unsupportedTypes.list() +
                                  "; quantize the model again to a type of "
                                  "docs/model-descriptions.md, such as Q4_K_M");
  return true;
}

/// Turns offsets into the data into checked offsets into the file.
bool Parser::placeTensors(std::map<std::string, TensorEntry> &tensors) {
  const uint64_t padding = (alignment - position % alignment) % alignment;
  // A file without tensor data may end before the padding.
  const uint64_t dataBytes = padding < remaining() ? remaining() - padding : 0;
  const uint64_t dataBegin = bytes.size() - dataBytes;
  std::vector<ByteRange> ranges;
  ranges.reserve(tensors.size());
  for (auto &[key, tensor] : tensors) {
    if (tensor.offset > dataBytes || tensor.bytes > dataBytes - tensor.offset)
      return badInput(error, Twine(name) + ": tensor " + quoted(key) + " takes " +
                                 Twine(tensor.bytes) + " bytes from offset " +
                                 Twine(tensor.offset) + " of the data, which has only " +
                                 Twine(dataBytes) + " bytes; the file was cut off, fetch it again");
    tensor.offset += dataBegin;
    ranges.push_back({tensor.offset, tensor.offset + tensor.bytes, key});
  }
  return checkDisjoint(ranges, name, error);
}

bool Parser::run(std::map<std::string, MetadataValue> &metadata,
                 std::map<std::string, TensorEntry> &tensors) {
  if (!readHeader() || !readMetadata(metadata) || !readAlignment(metadata))
    return false;
  auto parts = metadata.find("split.count");
  const int64_t *partCount =
      parts == metadata.end() ? nullptr : std::get_if<int64_t>(&parts->second.value);
  if (partCount && *partCount > 1)
    return unsupported(error, Twine(name) + ": is one of " + Twine(*partCount) +
                                  " parts of a model; join them with llama-gguf-split --merge");
  return readTensors(tensors) && placeTensors(tensors);
}

bool moire::parseGguf(std::span<const uint8_t> bytes, const std::string &name,
                      std::map<std::string, MetadataValue> &metadata,
                      std::map<std::string, TensorEntry> &tensors, ReadError &error) {
  return Parser(bytes, name, error).run(metadata, tensors);
}
