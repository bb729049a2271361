// Text to token ids and back: byte-level BPE over a section of the finished program.

#ifndef MOIRE_RUNTIME_TEXT_TOKENIZER_H
#define MOIRE_RUNTIME_TEXT_TOKENIZER_H

#include "runtime/text/PreTokenizer.h"
#include "runtime/text/TokenizerSection.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

/// A tokenizer as a view of its section (TokenizerSection.h says the bytes). Nothing is copied: the
/// section must stay mapped as long as the tokenizer is used. All functions are free of state and
/// may be called from several threads.
class Tokenizer {
public:
  /// Makes `out` a view of `section`, which must be 8-byte aligned. Every count, offset and id is
  /// checked against the section first. Returns false and says what is wrong in `error`; an empty
  /// section (a model without a tokenizer) is such a case.
  static bool load(std::span<const uint8_t> section, Tokenizer &out, std::string &error);

  /// The ids of `text`, which may hold any bytes. With `special`, control tokens such as
  /// "<|im_start|>" are recognised (leftmost, then longest) and BOS comes first where the model
  /// wants one; without, text that looks like one is ordinary text. Tokens that the model's author
  /// added as plain words are recognised in both cases. Bytes that no token stands for vanish.
  std::vector<int32_t> encode(std::string_view text, bool special) const;

  /// Appends the bytes of token `id` to `bytes`: possibly a part of a UTF-8 character (Utf8Stream
  /// puts them together). An id outside the vocabulary has no bytes.
  void decode(int32_t id, std::string &bytes) const;
  /// The bytes of several tokens in a row, without those of control tokens if `skipSpecial`.
  std::string decode(std::span<const int32_t> ids, bool skipSpecial = false) const;

  /// The id of the token that is spelled `text`, or -1. A control token wins over an ordinary one.
  int32_t find(std::string_view text) const;

  int32_t vocabSize() const { return vocab; }
  /// The id that starts a text, or -1.
  int32_t bos() const { return header.bos; }
  /// The ids that end an answer or a text; may be empty.
  std::span<const int32_t> eos() const { return eosIds; }
  bool isEos(int32_t id) const;
  /// Whether `id` is a control token: one that structures the text and is no part of it.
  bool isSpecial(int32_t id) const;

private:
  bool isId(int32_t id) const { return id >= 0 && id < vocab; }
  std::string_view tokenBytes(int32_t id) const;
  /// The longest added token that `text` starts with, or -1.
  int32_t longestAddedToken(std::string_view text, bool special) const;

  TokenizerSectionHeader header = {};
  int32_t vocab = 0;
  std::span<const Splitter> splitters;
  std::span<const int32_t> eosIds;
  std::span<const uint32_t> tokenOffsets; // [vocab + 1]
  std::span<const uint8_t> tokenData;
  std::span<const uint8_t> tokenKinds; // [vocab], TokenKind
  std::span<const int32_t> byteTokens; // [256], -1 = none
  std::span<const uint32_t> mergeRows; // [vocab + 1]
  std::span<const TokenizerMerge> merges;
  std::span<const int32_t> ordinaryByBytes; // ids of ordinary tokens, sorted by bytes
  std::span<const int32_t> addedByBytes;    // ids of the others, sorted by bytes
};

} // namespace moire

#endif
