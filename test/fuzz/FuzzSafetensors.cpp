// The input is tried as a whole file, as a header (whose length need not be guessed) and as an
// index of shards.

#include "frontends/weights/Safetensors.h"
#include <cstring>

static void parseFile(std::span<const uint8_t> bytes) {
  std::map<std::string, moire::TensorEntry> tensors;
  moire::ReadError error;
  if (!moire::parseSafetensors(bytes, "fuzz.safetensors", tensors, error))
    return;
  for (const auto &[name, tensor] : tensors)
    if (tensor.offset > bytes.size() || tensor.bytes > bytes.size() - tensor.offset)
      __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  parseFile({data, size});

  const uint64_t length = size;
  const size_t dataBytes = 64;
  std::vector<uint8_t> framed(sizeof(length) + size + dataBytes);
  std::memcpy(framed.data(), &length, sizeof(length));
  if (size)
    std::memcpy(framed.data() + sizeof(length), data, size);
  parseFile(framed);

  std::map<std::string, std::string> fileOfTensor;
  moire::ReadError error;
  if (moire::parseSafetensorsIndex({reinterpret_cast<const char *>(data), size}, "fuzz.json",
                                   fileOfTensor, error))
    for (const auto &[tensor, file] : fileOfTensor)
      if (file.find('/') != file.npos || file == "..")
        __builtin_trap();
  return 0;
}
