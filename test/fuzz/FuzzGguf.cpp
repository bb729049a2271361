#include "frontends/weights/Gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::map<std::string, moire::MetadataValue> metadata;
  std::map<std::string, moire::TensorEntry> tensors;
  moire::ReadError error;
  if (!moire::parseGguf({data, size}, "fuzz.gguf", metadata, tensors, error))
    return 0;
  for (const auto &[name, tensor] : tensors)
    if (tensor.offset > size || tensor.bytes > size - tensor.offset)
      __builtin_trap();
  return 0;
}
