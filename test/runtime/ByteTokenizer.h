// A tokenizer section for the fake program: 256 bytes, then ChatML's two control tokens.

#ifndef MOIRE_TEST_RUNTIME_BYTETOKENIZER_H
#define MOIRE_TEST_RUNTIME_BYTETOKENIZER_H

#include "frontends/tokenizer/ByteSpelling.h"
#include "frontends/tokenizer/TokenizerSource.h"

#include <cstdlib>
#include <string>
#include <vector>

namespace moire {

/// Ids 0 .. 255 are the bytes, 256 "<|im_start|>", 257 "<|im_end|>". No merges, no BOS.
inline std::string byteTokenizerSection() {
  std::vector<std::string> spellings;
  for (int byte = 0; byte < 256; ++byte)
    spellings.push_back(spellByte(static_cast<uint8_t>(byte)));
  TokenizerSource source;
  for (const std::string &spelling : spellings)
    source.tokens.push_back({spelling, TokenKind::Ordinary});
  source.tokens.push_back({"<|im_start|>", TokenKind::Control});
  source.tokens.push_back({"<|im_end|>", TokenKind::Control});
  source.eos = {257};
  std::vector<uint8_t> section;
  ReadError error;
  if (!writeTokenizerSection(source, "bytes", section, error))
    abort();
  return {section.begin(), section.end()};
}

} // namespace moire

#endif
