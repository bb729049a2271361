// Small files of each format, made in memory, whole or damaged on purpose.

#ifndef MOIRE_TEST_FRONTENDS_WEIGHTS_SAMPLES_H
#define MOIRE_TEST_FRONTENDS_WEIGHTS_SAMPLES_H

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moire::samples {

inline std::span<const uint8_t> asBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

/// The bytes of a number as they lie in memory.
template <typename T> std::string raw(T value) {
  return {reinterpret_cast<const char *>(&value), sizeof(T)};
}

/// A safetensors file of this header and data. `length` replaces the true length of the header.
inline std::string safetensors(std::string_view header, std::string_view data,
                               std::optional<uint64_t> length = {}) {
  return raw(length.value_or(header.size())).append(header).append(data);
}

/// Two float matrices and a list of integers.
inline std::string tinySafetensors() {
  return safetensors(R"({"__metadata__":{"format":"pt"},)"
                     R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                     R"("b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},)"
                     R"("c":{"dtype":"I64","shape":[],"data_offsets":[32,40]}})",
                     std::string(40, '\1'));
}

// The numbers that GGUF gives to the types of metadata values.
enum GgufValue : uint32_t {
  ggufU8,
  ggufI8,
  ggufU16,
  ggufI16,
  ggufU32,
  ggufI32,
  ggufF32,
  ggufBool,
  ggufString,
  ggufList,
  ggufU64,
  ggufI64,
  ggufF64
};

// The numbers that ggml gives to some types of tensors.
enum GgmlType : uint32_t { ggmlF32 = 0, ggmlF16 = 1, ggmlQ4_0 = 2, ggmlQ8_1 = 9, ggmlQ8_K = 15 };

/// A string as GGUF writes it.
inline std::string ggufText(std::string_view text) {
  return raw(uint64_t(text.size())).append(text);
}

/// The payload of a list.
inline std::string ggufListOf(uint32_t type, std::initializer_list<std::string> elements) {
  std::string result = raw(type) + raw(uint64_t(elements.size()));
  for (const std::string &element : elements)
    result += element;
  return result;
}

/// Collects the parts of a GGUF file. The counts can be made to lie.
struct Gguf {
  uint32_t version = 3;
  std::optional<uint64_t> tensorCount = {};
  std::optional<uint64_t> metadataCount = {};
  uint64_t alignment = 32;
  std::vector<std::string> metadata = {};
  std::vector<std::string> tensors = {};
  std::string data = {};

  Gguf &add(std::string_view key, uint32_t type, std::string_view payload) {
    metadata.push_back(ggufText(key) + raw(type).append(payload));
    return *this;
  }
  /// `dimensions` come fastest first.
  Gguf &addTensor(std::string_view name, const std::vector<uint64_t> &dimensions, uint32_t type,
                  uint64_t offset) {
    std::string tensor = ggufText(name) + raw(uint32_t(dimensions.size()));
    for (uint64_t dimension : dimensions)
      tensor += raw(dimension);
    tensors.push_back(tensor + raw(type) + raw(offset));
    return *this;
  }
  /// Everything up to the padding before the data.
  std::string head() const {
    std::string file = "GGUF" + raw(version) + raw(tensorCount.value_or(tensors.size())) +
                       raw(metadataCount.value_or(metadata.size()));
    for (const std::string &entry : metadata)
      file += entry;
    for (const std::string &tensor : tensors)
      file += tensor;
    return file;
  }
  std::string build() const {
    std::string file = head();
    file.resize((file.size() + alignment - 1) / alignment * alignment);
    return file + data;
  }
};

/// Metadata of every type, an F32 matrix [2, 3] and a Q4_0 matrix [2, 64].
inline Gguf tinyGguf(uint32_t version = 3) {
  Gguf file{.version = version};
  file.add("general.architecture", ggufString, ggufText("llama"))
      .add("u8", ggufU8, raw(uint8_t(200)))
      .add("i8", ggufI8, raw(int8_t(-3)))
      .add("u16", ggufU16, raw(uint16_t(60000)))
      .add("i16", ggufI16, raw(int16_t(-300)))
      .add("u32", ggufU32, raw(uint32_t(4000000000)))
      .add("i32", ggufI32, raw(int32_t(-70000)))
      .add("u64", ggufU64, raw(uint64_t(1) << 40))
      .add("i64", ggufI64, raw(int64_t(-1) << 40))
      .add("huge", ggufU64, raw(~uint64_t(0)))
      .add("f32", ggufF32, raw(0.5f))
      .add("f64", ggufF64, raw(0.25))
      .add("bool", ggufBool, raw(uint8_t(1)))
      .add("names", ggufList, ggufListOf(ggufString, {ggufText("x"), ggufText("")}))
      .add("nested", ggufList,
           ggufListOf(ggufList, {ggufListOf(ggufU8, {raw(uint8_t(7))}), ggufListOf(ggufU8, {})}))
      .addTensor("a", {3, 2}, ggmlF32, 0)
      .addTensor("b", {64, 2}, ggmlQ4_0, 32);
  file.data = std::string(32 + 4 * 18, '\1');
  return file;
}

} // namespace moire::samples

#endif
