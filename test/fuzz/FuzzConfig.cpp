#include "frontends/weights/Config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  std::map<std::string, moire::MetadataValue> metadata;
  moire::ReadError error;
  moire::parseConfig(text, "fuzz.json", metadata, error);
  moire::parseGenerationConfig(text, "fuzz.json", metadata, error);
  return 0;
}
