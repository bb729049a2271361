// A tokenizer of a few hundred tokens, learned from a few sentences.

#ifndef MOIRE_TEST_RUNTIME_TEXT_SMALLTOKENIZER_H
#define MOIRE_TEST_RUNTIME_TEXT_SMALLTOKENIZER_H

#include "frontends/tokenizer/ByteSpelling.h"
#include "frontends/tokenizer/TokenizerSource.h"
#include "runtime/text/PreTokenizer.h"
#include "runtime/text/Tokenizer.h"

#include <algorithm>
#include <deque>
#include <map>

namespace moire {

/// Ids: 0 .. 255 the bytes in order (without those in `missing`, whose ids are empty), then one for
/// each merge, then "<|start|>" and "<|startup|>" (control) and "  word" (a word).
struct SmallTokenizer {
  std::deque<std::string> spellings; // what `source` views
  TokenizerSource source;
  std::vector<std::pair<int32_t, int32_t>> pairs; // by rank; pair i becomes token 256 + i
  int32_t start, startup, word;
  std::vector<uint8_t> section;
  Tokenizer tokenizer;

  explicit SmallTokenizer(std::string_view missing = "",
                          PreTokenizerKind pattern = PreTokenizerKind::Gpt2) {
    for (int byte = 0; byte < 256; ++byte)
      add(missing.find(static_cast<char>(byte)) == missing.npos ? spellByte(byte) : "",
          TokenKind::Ordinary);
    learnMerges();
    start = add("<|start|>", TokenKind::Control);
    startup = add("<|start|>up", TokenKind::Control);
    word = add("  word", TokenKind::Word);
    source.pre_tokenizer = pattern;
    source.bos = start;
    source.add_bos = true;
    source.eos = {startup};
    ReadError error;
    std::string message;
    if (!writeTokenizerSection(source, "small", section, error) ||
        !Tokenizer::load(section, tokenizer, message))
      std::abort();
  }

  /// The oracle: merges one pair at a time, the best of all that there are.
  std::vector<int32_t> merge(std::vector<int32_t> ids) const {
    for (;;) {
      size_t best = pairs.size(), at = 0;
      for (size_t i = 0; i + 1 < ids.size(); ++i) {
        const size_t rank =
            std::find(pairs.begin(), pairs.end(), std::pair(ids[i], ids[i + 1])) - pairs.begin();
        if (rank < best) {
          best = rank;
          at = i;
        }
      }
      if (best == pairs.size())
        return ids;
      ids[at] = 256 + static_cast<int32_t>(best);
      ids.erase(ids.begin() + at + 1);
    }
  }
  /// The bytes of `text` that have tokens.
  std::vector<int32_t> bytesOf(std::string_view text) const {
    std::vector<int32_t> ids;
    for (char byte : text)
      if (!source.tokens[static_cast<uint8_t>(byte)].spelling.empty())
        ids.push_back(static_cast<uint8_t>(byte));
    return ids;
  }

private:
  int32_t add(std::string spelling, TokenKind kind) {
    spellings.push_back(std::move(spelling));
    source.tokens.push_back({spellings.back(), kind});
    return static_cast<int32_t>(source.tokens.size()) - 1;
  }

  /// Learns merges as BPE is trained: the most frequent pair becomes a token, again and again.
  void learnMerges() {
    constexpr std::string_view lesson =
        " the cat and the other cat sat on the mat, then the rat ran to them 1234 1212 "
        " aaaaaaaaaaaaaaaa bababababababab that thatch  \n\n  \xC3\xA9t\xC3\xA9 \xE2\x82\xAC "
        "\xE2\x82\xAC"
        " some more of the same: more stones, ears, seas and shores; those that roam on the moor, "
        " the sores and the arms of the smart ones, search at most the rest, reach the nest most "
        "rested";
    std::vector<std::vector<int32_t>> words;
    for (std::string_view rest = lesson; !rest.empty();) {
      const size_t length = preTokenizerSteps(0).front()(rest);
      words.push_back(bytesOf(rest.substr(0, length)));
      rest.remove_prefix(length);
    }
    for (int i = 0; i < 100; ++i) {
      std::map<std::pair<int32_t, int32_t>, int> counts;
      for (const std::vector<int32_t> &word : words)
        for (size_t j = 0; j + 1 < word.size(); ++j)
          ++counts[{word[j], word[j + 1]}];
      const auto [pair, count] = *std::max_element(
          counts.begin(), counts.end(), [](auto &a, auto &b) { return a.second < b.second; });
      if (count < 2)
        break;
      const std::string_view left = source.tokens[pair.first].spelling,
                             right = source.tokens[pair.second].spelling;
      source.merges.push_back({left, right});
      pairs.push_back(pair);
      add(std::string(left) + std::string(right), TokenKind::Ordinary);
      for (std::vector<int32_t> &word : words)
        word = merge(word);
    }
  }
};

} // namespace moire

#endif
