// The bytes of the tokenizer section: written by the compiler, mapped by the program.

#ifndef MOIRE_RUNTIME_TEXT_TOKENIZERSECTION_H
#define MOIRE_RUNTIME_TEXT_TOKENIZERSECTION_H

#include <cstdint>

namespace moire {

inline constexpr char tokenizerMagic[8] = {'M', 'O', 'I', 'R', 'E', 'T', 'O', 'K'};
inline constexpr uint32_t tokenizerVersion = 1;

/// How text is cut before merging: rows of the table in PreTokenizer.cpp. Append only. The
/// containers' names for a pattern are in frontends/tokenizer: GgufTokenizer.cpp and
/// HuggingFacePipeline.cpp.
enum class PreTokenizerKind : uint32_t {
  Gpt2 = 0,       // GPT-2's regex
  DigitsGpt2 = 1, // each digit by itself, then GPT-2's regex (SmolLM, StarCoder)
};

/// What a token is: one byte each in the `kinds` array.
enum class TokenKind : uint8_t {
  Ordinary = 0, // made by merges
  Word = 1,     // added by the model's author as text; always recognised
  Control = 2,  // structures a text; recognised only on request, skipped on request
};

/// One merge: the pair (row, `right`) becomes `result`.
struct TokenizerMerge { // 12 bytes
  int32_t right;
  int32_t rank; // lower merges first
  int32_t result;
};

/// The header. All numbers are little-endian; offsets count bytes from the start of the section and
/// are multiples of 8. Ids are rows of the vocabulary; V = `vocab`, M = `merge_count`.
///
///   array       elements               what
///   eos         int32[eos_count]       ids that end an answer or a text
///   offsets     uint32[V + 1]          token i is bytes offsets[i] .. offsets[i + 1] of data
///   data        uint8[data_bytes]      the tokens' raw bytes, no byte-to-unicode spelling
///   kinds       uint8[V]               TokenKind
///   byte_tokens int32[256]             the token of each single byte, -1 = none
///   merge_rows  uint32[V + 1]          merges with left token i: merge_rows[i] .. [i + 1]
///   merges      TokenizerMerge[M]      within a row sorted by `right`
///   ordinary    int32[V - added_count] ids of ordinary tokens, sorted by bytes, then id
///   added       int32[added_count]     ids of word and control tokens, the same order
struct TokenizerSectionHeader { // 120 bytes
  char magic[8];                // tokenizerMagic
  uint32_t version;             // tokenizerVersion
  uint32_t pre_tokenizer;       // PreTokenizerKind
  uint32_t vocab;               // V
  uint32_t merge_count;         // M
  uint32_t added_count;
  uint32_t eos_count;
  int32_t bos;      // -1 = none
  uint32_t add_bos; // 1: encoding with special tokens puts BOS first
  uint64_t data_bytes;
  uint64_t eos;
  uint64_t offsets;
  uint64_t data;
  uint64_t kinds;
  uint64_t byte_tokens;
  uint64_t merge_rows;
  uint64_t merges;
  uint64_t ordinary;
  uint64_t added;
};
static_assert(sizeof(TokenizerSectionHeader) == 120);
static_assert(sizeof(TokenizerMerge) == 12);

} // namespace moire

#endif
