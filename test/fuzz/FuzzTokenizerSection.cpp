// A damaged section is refused, or can be used without a wrong read.

#include "runtime/text/Tokenizer.h"

using namespace moire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::vector<uint8_t> section(data, data + size); // aligned, and with its end watched
  Tokenizer tokenizer;
  std::string error;
  if (!Tokenizer::load(section, tokenizer, error))
    return 0;
  const std::vector<int32_t> ids =
      tokenizer.encode("<|start|>up the other's 12  words\n\n \xC3\xA9 \xFF", true);
  for (int32_t id : ids)
    if (id < 0 || id >= tokenizer.vocabSize())
      __builtin_trap();
  tokenizer.decode(ids);
  tokenizer.find(" the");
  return 0;
}
