// Whatever tokenizer.json is read gives a section that loads.

#include "frontends/tokenizer/Readers.h"
#include "frontends/weights/Json.h"
#include "runtime/text/Tokenizer.h"

using namespace moire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Container container;
  HuggingFaceFiles files;
  TokenizerSource source;
  std::string_view chatTemplate;
  std::vector<uint8_t> section;
  ReadError error;
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  recogniseChatForm(text);
  if (!parseJsonObject(text, "fuzz.json", RepeatedNames::LastWins, files.tokenizer, error) ||
      !readHuggingFaceTokenizer(container, files, source, chatTemplate, error) ||
      source.tokens.empty() || !writeTokenizerSection(source, "fuzz.json", section, error))
    return 0;

  Tokenizer tokenizer;
  std::string message;
  if (!Tokenizer::load(section, tokenizer, message))
    __builtin_trap();
  for (int32_t id : tokenizer.encode("ab abb 1 <s>\n a", true))
    if (id < 0 || id >= tokenizer.vocabSize())
      __builtin_trap();
  return 0;
}
