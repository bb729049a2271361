#include "frontends/tokenizer/ByteSpelling.h"
#include "frontends/tokenizer/TokenizerSource.h"
#include "frontends/weights/Checks.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <cstring>
#include <numeric>

using namespace moire;

namespace {

struct Merge {
  int32_t left;
  TokenizerMerge merge;
};

class SectionWriter {
public:
  SectionWriter(const TokenizerSource &source, const std::string &name, ReadError &error)
      : source(source), name(name), error(error) {}

  bool write(std::vector<uint8_t> &section);

private:
  bool readTokens();
  bool resolveMerges();
  bool checkIds();
  std::vector<int32_t> sortedByBytes(bool added) const;
  llvm::StringRef bytesOf(int32_t id) const {
    return llvm::StringRef(data).slice(offsets[id], offsets[id + 1]);
  }

  const TokenizerSource &source;
  const std::string &name;
  ReadError &error;

  std::string data;
  std::vector<uint32_t> offsets;
  std::vector<uint8_t> kinds;
  llvm::DenseMap<llvm::StringRef, int32_t> ids; // by spelling
  std::vector<Merge> merges;
};

/// Fills `data`, `offsets`, `kinds` and `ids`.
bool SectionWriter::readTokens() {
  if (source.tokens.empty() || source.tokens.size() >= INT32_MAX)
    return badInput(error, llvm::Twine(name) + ": the vocabulary has " +
                               llvm::Twine(source.tokens.size()) + " tokens");
  offsets.push_back(0);
  ids.reserve(source.tokens.size());
  for (const auto &[spelling, kind] : source.tokens) {
    // What is added by the author, and what no byte spells (some vocabularies end with such
    // padding), stands for itself.
    if (kind != TokenKind::Ordinary || !unspellBytes(spelling, data))
      data += spelling;
    if (data.size() > UINT32_MAX)
      return badInput(error, llvm::Twine(name) + ": the tokens take more than 4 GB");
    offsets.push_back(data.size());
    kinds.push_back(static_cast<uint8_t>(kind));
  }
  // Merges mean the ordinary token if an added one is spelled the same.
  for (bool ordinary : {true, false})
    for (const auto &[id, token] : llvm::enumerate(source.tokens))
      if ((token.kind == TokenKind::Ordinary) == ordinary && !token.spelling.empty())
        ids.try_emplace(token.spelling, id);
  return true;
}

bool SectionWriter::resolveMerges() {
  auto find = [&](llvm::StringRef spelling) {
    const auto entry = ids.find(spelling);
    return entry == ids.end() ? -1 : entry->second;
  };
  merges.reserve(source.merges.size());
  std::string result;
  for (const auto &[rank, merge] : llvm::enumerate(source.merges)) {
    result.assign(merge.left).append(merge.right);
    const Merge resolved = {find(merge.left),
                            {find(merge.right), static_cast<int32_t>(rank), find(result)}};
    if (resolved.left < 0 || resolved.merge.right < 0 || resolved.merge.result < 0) {
      const std::string_view missing = resolved.left < 0          ? merge.left
                                       : resolved.merge.right < 0 ? merge.right
                                                                  : std::string_view(result);
      return badInput(error, llvm::Twine(name) + ": merge " + llvm::Twine(rank) + ", " +
                                 quoted(merge.left) + " and " + quoted(merge.right) +
                                 ": there is no token " + quoted(missing));
    }
    merges.push_back(resolved);
  }
  auto order = [](const Merge &merge) {
    return std::tuple(merge.left, merge.merge.right, merge.merge.rank);
  };
  std::sort(merges.begin(), merges.end(),
            [&](const Merge &a, const Merge &b) { return order(a) < order(b); });
  const auto samePair = [](const Merge &a, const Merge &b) {
    return a.left == b.left && a.merge.right == b.merge.right;
  };
  merges.erase(std::unique(merges.begin(), merges.end(), samePair), merges.end());
  return true;
}

bool SectionWriter::checkIds() {
  const auto vocab = static_cast<int32_t>(source.tokens.size());
  for (int32_t id : source.eos)
    if (id < 0 || id >= vocab)
      return badInput(error, llvm::Twine(name) + ": the end token " + llvm::Twine(id) +
                                 " is outside the vocabulary of " + llvm::Twine(vocab));
  if (source.bos < -1 || source.bos >= vocab)
    return badInput(error, llvm::Twine(name) + ": the start token " + llvm::Twine(source.bos) +
                               " is outside the vocabulary of " + llvm::Twine(vocab));
  return true;
}

std::vector<int32_t> SectionWriter::sortedByBytes(bool added) const {
  std::vector<int32_t> sorted;
  for (int32_t id = 0; id < static_cast<int32_t>(kinds.size()); ++id)
    if ((kinds[id] != static_cast<uint8_t>(TokenKind::Ordinary)) == added)
      sorted.push_back(id);
  std::sort(sorted.begin(), sorted.end(), [&](int32_t a, int32_t b) {
    const int order = bytesOf(a).compare(bytesOf(b)); // of unsigned bytes, as string_view's
    return order != 0 ? order < 0 : a < b;
  });
  return sorted;
}

bool SectionWriter::write(std::vector<uint8_t> &section) {
  if (!readTokens() || !resolveMerges() || !checkIds())
    return false;

  const std::vector<int32_t> ordinary = sortedByBytes(false), added = sortedByBytes(true);
  std::vector<int32_t> byteTokens(256, -1);
  for (int byte = 0; byte < 256; ++byte)
    if (const auto id = ids.find(spellByte(byte)); id != ids.end())
      byteTokens[byte] = id->second;
  std::vector<uint32_t> rows(kinds.size() + 1, 0);
  std::vector<TokenizerMerge> table;
  for (const Merge &merge : merges) {
    ++rows[merge.left + 1];
    table.push_back(merge.merge);
  }
  std::partial_sum(rows.begin(), rows.end(), rows.begin());

  TokenizerSectionHeader header = {};
  std::memcpy(header.magic, tokenizerMagic, sizeof(header.magic));
  header.version = tokenizerVersion;
  header.pre_tokenizer = static_cast<uint32_t>(source.pre_tokenizer);
  header.vocab = kinds.size();
  header.merge_count = table.size();
  header.added_count = added.size();
  header.eos_count = source.eos.size();
  header.bos = source.bos;
  header.add_bos = source.add_bos;
  header.data_bytes = data.size();

  section.assign(sizeof(header), 0);
  auto append = [&](const auto &array) {
    section.resize((section.size() + 7) / 8 * 8);
    const uint64_t offset = section.size();
    const auto *bytes = reinterpret_cast<const uint8_t *>(array.data());
    section.insert(section.end(), bytes, bytes + array.size() * sizeof(*array.data()));
    return offset;
  };
  header.eos = append(source.eos);
  header.offsets = append(offsets);
  header.data = append(data);
  header.kinds = append(kinds);
  header.byte_tokens = append(byteTokens);
  header.merge_rows = append(rows);
  header.merges = append(table);
  header.ordinary = append(ordinary);
  header.added = append(added);
  std::memcpy(section.data(), &header, sizeof(header));
  return true;
}

} // namespace

bool moire::writeTokenizerSection(const TokenizerSource &source, const std::string &name,
                                  std::vector<uint8_t> &section, ReadError &error) {
  return SectionWriter(source, name, error).write(section);
}
