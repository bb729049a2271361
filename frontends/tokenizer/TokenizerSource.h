// What the readers of tokenizers hand to the writer of the section.

#ifndef MOIRE_FRONTENDS_TOKENIZER_TOKENIZERSOURCE_H
#define MOIRE_FRONTENDS_TOKENIZER_TOKENIZERSOURCE_H

#include "frontends/weights/Container.h"
#include "runtime/text/TokenizerSection.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

/// A byte-level BPE tokenizer as its container spells it: ordinary tokens and merges in GPT-2's
/// spelling (ByteSpelling.h), added tokens as they are. All text is a view of the container.
struct TokenizerSource {
  struct Token {
    std::string_view spelling; // empty: no token has this id
    TokenKind kind = TokenKind::Ordinary;
  };
  struct Merge {
    std::string_view left, right;
  };
  std::vector<Token> tokens; // by id
  std::vector<Merge> merges; // by rank; of equal pairs the first counts
  PreTokenizerKind pre_tokenizer = PreTokenizerKind::Gpt2;
  int32_t bos = -1;
  bool add_bos = false;
  std::vector<int32_t> eos;
};

/// Writes `source` as a tokenizer section. Fails on merges that name no token and on ids outside
/// the vocabulary; `name` is the file, for messages.
bool writeTokenizerSection(const TokenizerSource &source, const std::string &name,
                           std::vector<uint8_t> &section, ReadError &error);

} // namespace moire

#endif
