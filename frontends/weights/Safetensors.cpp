#include "frontends/weights/Safetensors.h"
#include "frontends/weights/Checks.h"
#include "frontends/weights/Json.h"
#include <cstring>
#include <optional>

using namespace moire;
using llvm::Twine;
using Tensors = std::map<std::string, TensorEntry>;

static std::optional<StorageType> storageTypeOf(llvm::StringRef dtype) {
  static constexpr std::pair<llvm::StringLiteral, StorageType> types[] = {
      {"F32", StorageType::F32},   {"F16", StorageType::F16}, {"BF16", StorageType::BF16},
      {"F64", StorageType::F64},   {"I8", StorageType::I8},   {"I16", StorageType::I16},
      {"I32", StorageType::I32},   {"I64", StorageType::I64}, {"U8", StorageType::U8},
      {"BOOL", StorageType::Bool},
  };
  for (const auto &[name, type] : types)
    if (name == dtype)
      return type;
  return std::nullopt;
}

/// Reads a JSON list of non-negative integers below 2^63.
static bool readNaturals(const llvm::json::Value *value, std::vector<int64_t> &numbers) {
  const llvm::json::Array *array = value ? value->getAsArray() : nullptr;
  if (!array)
    return false;
  numbers.reserve(array->size());
  for (const llvm::json::Value &element : *array) {
    std::optional<uint64_t> number = element.getAsUINT64();
    if (!number || *number > uint64_t(INT64_MAX))
      return false;
    numbers.push_back(*number);
  }
  return true;
}

namespace {

/// One entry of the header. The names are the format's.
struct HeaderEntry {
  llvm::StringRef dtype;
  std::vector<int64_t> shape;
  std::vector<int64_t> data_offsets; // [begin, end)
};

} // namespace

static bool readHeaderEntry(const llvm::json::Value &value, const std::string &where,
                            HeaderEntry &entry, ReadError &error) {
  const llvm::json::Object *object = value.getAsObject();
  if (!object)
    return badInput(error, where + ": an object with dtype, shape and data_offsets was expected");
  std::optional<llvm::StringRef> dtype = object->getString("dtype");
  if (!dtype)
    return badInput(error, where + ": dtype must be a string");
  entry.dtype = *dtype;
  if (!readNaturals(object->get("shape"), entry.shape))
    return badInput(error, where + ": shape must be a list of non-negative integers");
  if (!readNaturals(object->get("data_offsets"), entry.data_offsets) ||
      entry.data_offsets.size() != 2)
    return badInput(error, where + ": data_offsets must be two non-negative integers");
  return true;
}

/// Checks the frame of the file and returns where its data begins.
static bool readHeaderText(std::span<const uint8_t> bytes, const std::string &name,
                           std::string_view &header, ReadError &error) {
  uint64_t length;
  if (bytes.size() < sizeof(length))
    return badInput(error, Twine(name) + ": is no safetensors file: it has " + Twine(bytes.size()) +
                               " bytes, and the length of the header alone takes 8");
  std::memcpy(&length, bytes.data(), sizeof(length));
  if (length > maxSafetensorsHeader)
    return badInput(error, Twine(name) + ": byte 0: the header would be " + Twine(length) +
                               " bytes long; at most " + Twine(maxSafetensorsHeader) +
                               " are allowed. Is this a safetensors file?");
  if (length > bytes.size() - sizeof(length))
    return badInput(error, Twine(name) + ": byte 0: the header should be " + Twine(length) +
                               " bytes long, but the file ends after " +
                               Twine(bytes.size() - sizeof(length)) +
                               " of them; it was cut off, fetch it again");
  header = {reinterpret_cast<const char *>(bytes.data()) + sizeof(length), length};
  return true;
}

/// The ranges, sorted, must cover the data from its first to its last byte.
static bool checkCovered(const std::vector<ByteRange> &ranges, uint64_t begin, uint64_t end,
                         const std::string &name, ReadError &error) {
  uint64_t covered = begin;
  for (const ByteRange &range : ranges) {
    if (range.begin > covered)
      return badInput(error, Twine(name) + ": bytes " + Twine(covered) + " to " +
                                 Twine(range.begin) + ", before tensor " + quoted(range.name) +
                                 ", belong to no tensor; the file is damaged");
    covered = std::max(covered, range.end);
  }
  if (covered != end)
    return badInput(error, Twine(name) + ": bytes " + Twine(covered) + " to " + Twine(end) +
                               ", at the end, belong to no tensor; the file is damaged");
  return true;
}

bool moire::parseSafetensors(std::span<const uint8_t> bytes, const std::string &name,
                             Tensors &tensors, ReadError &error) {
  std::string_view text;
  llvm::json::Object header;
  if (!readHeaderText(bytes, name, text, error) ||
      !parseJsonObject(text, name + ": header", RepeatedNames::Refuse, header, error))
    return false;

  const uint64_t dataBegin = sizeof(uint64_t) + text.size();
  const uint64_t dataBytes = bytes.size() - dataBegin;
  std::vector<ByteRange> ranges;
  UnsupportedTypes unsupportedTypes;
  for (const auto &[key, value] : header) {
    if (key == "__metadata__")
      continue;
    const std::string where = name + ": tensor " + quoted(key.str());
    HeaderEntry entry;
    if (!readHeaderEntry(value, where, entry, error))
      return false;
    const uint64_t begin = entry.data_offsets[0];
    const uint64_t end = entry.data_offsets[1];
    if (begin > end)
      return badInput(error, where + ": data_offsets [" + Twine(begin) + ", " + Twine(end) +
                                 "] run backwards");
    if (end > dataBytes)
      return badInput(error, where + ": data_offsets [" + Twine(begin) + ", " + Twine(end) +
                                 "] reach beyond the " + Twine(dataBytes) +
                                 " bytes of data; the file was cut off, fetch it again");
    ranges.push_back({dataBegin + begin, dataBegin + end, llvm::StringRef(key)});

    std::optional<StorageType> type = storageTypeOf(entry.dtype);
    if (!type) {
      unsupportedTypes.add(entry.dtype, key.str());
      continue;
    }
    uint64_t expected = 0;
    std::string why;
    if (!computeTensorBytes(*type, entry.shape, expected, why))
      return badInput(error, where + ": " + why);
    if (end - begin != expected)
      return badInput(error, where + ": has " + Twine(end - begin) +
                                 " bytes, but its dtype and shape need " + Twine(expected));
    tensors.insert_or_assign(key.str(), TensorEntry{key.str(), *type, std::move(entry.shape),
                                                    nullptr, dataBegin + begin, expected});
  }
  if (!checkDisjoint(ranges, name, error) ||
      !checkCovered(ranges, dataBegin, bytes.size(), name, error))
    return false;
  if (!unsupportedTypes.empty())
    return unsupported(error, Twine(name) + ": element types that Moire does not read: " +
                                  unsupportedTypes.list());
  return true;
}

/// A shard must lie in the folder of its index.
static bool isPlainFileName(llvm::StringRef name) {
  return !name.empty() && name != "." && name != ".." && !name.contains('/') &&
         !name.contains('\0');
}

bool moire::parseSafetensorsIndex(std::string_view text, const std::string &name,
                                  std::map<std::string, std::string> &fileOfTensor,
                                  ReadError &error) {
  if (text.size() > maxSafetensorsHeader)
    return badInput(error, Twine(name) + ": is " + Twine(text.size()) + " bytes; at most " +
                               Twine(maxSafetensorsHeader) + " are allowed");
  llvm::json::Object index;
  if (!parseJsonObject(text, name, RepeatedNames::LastWins, index, error))
    return false;
  const llvm::json::Object *weightMap = index.getObject("weight_map");
  if (!weightMap || weightMap->empty())
    return badInput(error, Twine(name) + ": weight_map: an object that names a file for each " +
                               "tensor was expected");
  for (const auto &[tensor, file] : *weightMap) {
    std::optional<llvm::StringRef> fileName = file.getAsString();
    if (!fileName || !isPlainFileName(*fileName))
      return badInput(error, Twine(name) + ": weight_map: tensor " + quoted(tensor.str()) +
                                 ": the name of a file in the same folder was expected" +
                                 (fileName ? ", found " + quoted(*fileName) : std::string()));
    fileOfTensor[tensor.str()] = fileName->str();
  }
  return true;
}

bool moire::readSafetensorsFile(const std::string &path, Tensors &tensors, ReadError &error) {
  std::shared_ptr<MappedFile> file = MappedFile::open(path, error);
  Tensors parsed;
  if (!file || !checkIsFetched(*file, error) ||
      !parseSafetensors(file->bytes(), path, parsed, error))
    return false;
  for (auto &[name, tensor] : parsed) {
    tensor.file = file;
    tensors.insert_or_assign(name, std::move(tensor));
  }
  return true;
}

bool moire::readSafetensorsShards(const std::string &path, Tensors &tensors, ReadError &error) {
  std::shared_ptr<MappedFile> index = MappedFile::open(path, error);
  std::map<std::string, std::string> fileOfTensor;
  if (!index || !parseSafetensorsIndex(index->text(), path, fileOfTensor, error))
    return false;
  const std::string folder = path.substr(0, path.find_last_of('/') + 1);
  std::map<std::string, Tensors> files;
  for (const auto &[tensor, fileName] : fileOfTensor) {
    auto [file, isNew] = files.try_emplace(fileName);
    if (isNew && !readSafetensorsFile(folder + fileName, file->second, error))
      return false;
    auto entry = file->second.find(tensor);
    if (entry == file->second.end())
      return badInput(error, Twine(path) + ": says that " + quoted(fileName) + " holds tensor " +
                                 quoted(tensor) + ", but it does not; the files do not belong " +
                                 "together");
    tensors.insert_or_assign(tensor, std::move(entry->second));
  }
  return true;
}
