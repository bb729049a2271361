#include "runtime/text/Tokenizer.h"

#include "runtime/text/BytePairEncoder.h"

#include <algorithm>
#include <cstring>

using namespace moire;

namespace {

/// Takes arrays out of a section, each checked to lie inside.
class SectionReader {
public:
  SectionReader(std::span<const uint8_t> section, std::string &error)
      : section(section), error(error) {}

  template <typename T>
  bool array(const char *name, uint64_t offset, uint64_t count, std::span<const T> &out) {
    if (offset % 8 != 0 || offset > section.size() || count > (section.size() - offset) / sizeof(T))
      return fail(std::string("array '") + name + "' lies outside the section");
    out = {reinterpret_cast<const T *>(section.data() + offset), static_cast<size_t>(count)};
    return true;
  }

  bool fail(std::string_view message) {
    error = "tokenizer section: ";
    error += message;
    return false;
  }

private:
  std::span<const uint8_t> section;
  std::string &error;
};

/// Whether `rows` ascends from 0 to `end`: then rows[i] .. rows[i + 1] are ranges below `end`.
bool arePartition(std::span<const uint32_t> rows, uint64_t end) {
  return rows.front() == 0 && rows.back() == end && std::is_sorted(rows.begin(), rows.end());
}

} // namespace

bool Tokenizer::load(std::span<const uint8_t> section, Tokenizer &out, std::string &error) {
  SectionReader reader(section, error);
  if (section.empty())
    return reader.fail("it is empty; the model came without a tokenizer");
  if (section.size() < sizeof(TokenizerSectionHeader) ||
      reinterpret_cast<uintptr_t>(section.data()) % 8 != 0)
    return reader.fail("it is too short or not aligned to 8 bytes");

  Tokenizer t;
  std::memcpy(&t.header, section.data(), sizeof(t.header));
  const TokenizerSectionHeader &h = t.header;
  if (std::memcmp(h.magic, tokenizerMagic, sizeof(h.magic)) != 0 || h.version != tokenizerVersion)
    return reader.fail("unknown magic or version; compile the model again with this version");
  if (h.vocab == 0 || h.vocab > INT32_MAX || h.added_count > h.vocab)
    return reader.fail("its vocabulary is empty or too large");
  t.vocab = static_cast<int32_t>(h.vocab);
  t.splitters = preTokenizerSteps(h.pre_tokenizer);
  if (t.splitters.empty())
    return reader.fail("unknown split pattern; compile the model again with this version");

  const uint64_t vocab = h.vocab;
  if (!reader.array("eos", h.eos, h.eos_count, t.eosIds) ||
      !reader.array("offsets", h.offsets, vocab + 1, t.tokenOffsets) ||
      !reader.array("data", h.data, h.data_bytes, t.tokenData) ||
      !reader.array("kinds", h.kinds, vocab, t.tokenKinds) ||
      !reader.array("byte_tokens", h.byte_tokens, 256, t.byteTokens) ||
      !reader.array("merge_rows", h.merge_rows, vocab + 1, t.mergeRows) ||
      !reader.array("merges", h.merges, h.merge_count, t.merges) ||
      !reader.array("ordinary", h.ordinary, vocab - h.added_count, t.ordinaryByBytes) ||
      !reader.array("added", h.added, h.added_count, t.addedByBytes))
    return false;

  // Ids that are looked up without further checks: all must be rows of the vocabulary. The order of
  // the sorted arrays is not checked: a wrong one gives wrong ids, not wrong reads.
  auto isId = [&](int32_t id) { return t.isId(id); };
  auto isIdOrNone = [&](int32_t id) { return id == -1 || t.isId(id); };
  if (!arePartition(t.tokenOffsets, h.data_bytes) || !arePartition(t.mergeRows, h.merge_count))
    return reader.fail("the ranges of tokens or merges are out of order");
  if (!isIdOrNone(h.bos) || !std::all_of(t.eosIds.begin(), t.eosIds.end(), isId) ||
      !std::all_of(t.byteTokens.begin(), t.byteTokens.end(), isIdOrNone) ||
      !std::all_of(t.merges.begin(), t.merges.end(),
                   [&](const TokenizerMerge &merge) { return isId(merge.result); }) ||
      !std::all_of(t.ordinaryByBytes.begin(), t.ordinaryByBytes.end(), isId) ||
      !std::all_of(t.addedByBytes.begin(), t.addedByBytes.end(), isId))
    return reader.fail("a token id is outside the vocabulary");
  out = t;
  return true;
}

std::string_view Tokenizer::tokenBytes(int32_t id) const {
  const auto bytes = tokenData.subspan(tokenOffsets[id], tokenOffsets[id + 1] - tokenOffsets[id]);
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

int32_t Tokenizer::longestAddedToken(std::string_view text, bool special) const {
  // The tokens that share the first `depth` bytes with the text are neighbours, the shortest first.
  int32_t longest = -1;
  auto first = addedByBytes.begin(), last = addedByBytes.end();
  for (size_t depth = 0; depth < text.size(); ++depth) {
    // -1 for the tokens that end here: they come before all that go on.
    auto byteAt = [&](int32_t id) {
      const std::string_view token = tokenBytes(id);
      return depth < token.size() ? static_cast<uint8_t>(token[depth]) : -1;
    };
    const int wanted = static_cast<uint8_t>(text[depth]);
    first = std::partition_point(first, last, [&](int32_t id) { return byteAt(id) < wanted; });
    last = std::partition_point(first, last, [&](int32_t id) { return byteAt(id) <= wanted; });
    if (first == last)
      break;
    for (auto id = first; id != last && tokenBytes(*id).size() == depth + 1; ++id)
      if (special || !isSpecial(*id)) {
        longest = *id;
        break;
      }
  }
  return longest;
}

/// Cuts `text` by the patterns `steps`, one inside the other, and encodes what they leave.
static void splitAndEncode(std::string_view text, std::span<const Splitter> steps,
                           BytePairEncoder &encoder, std::vector<int32_t> &ids) {
  if (steps.empty())
    return encoder.encode(text, ids);
  while (!text.empty()) {
    const size_t length = steps.front()(text);
    splitAndEncode(text.substr(0, length), steps.subspan(1), encoder, ids);
    text.remove_prefix(length);
  }
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool special) const {
  std::vector<int32_t> ids;
  if (special && header.add_bos && header.bos >= 0)
    ids.push_back(header.bos);

  BytePairEncoder encoder(byteTokens, mergeRows, merges);
  size_t start = 0; // of the text that no added token stands in
  for (size_t position = 0; position < text.size();) {
    const int32_t added = longestAddedToken(text.substr(position), special);
    if (added < 0) {
      ++position;
      continue;
    }
    splitAndEncode(text.substr(start, position - start), splitters, encoder, ids);
    ids.push_back(added);
    position += tokenBytes(added).size();
    start = position;
  }
  splitAndEncode(text.substr(start), splitters, encoder, ids);
  return ids;
}

void Tokenizer::decode(int32_t id, std::string &bytes) const {
  if (isId(id))
    bytes += tokenBytes(id);
}

std::string Tokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
  std::string bytes;
  for (int32_t id : ids)
    if (!skipSpecial || !isSpecial(id))
      decode(id, bytes);
  return bytes;
}

int32_t Tokenizer::find(std::string_view text) const {
  for (std::span<const int32_t> sorted : {addedByBytes, ordinaryByBytes}) {
    const auto id =
        std::lower_bound(sorted.begin(), sorted.end(), text,
                         [&](int32_t id, std::string_view text) { return tokenBytes(id) < text; });
    if (id != sorted.end() && tokenBytes(*id) == text)
      return *id;
  }
  return -1;
}

bool Tokenizer::isEos(int32_t id) const {
  return std::find(eosIds.begin(), eosIds.end(), id) != eosIds.end();
}

bool Tokenizer::isSpecial(int32_t id) const {
  return isId(id) && tokenKinds[id] == static_cast<uint8_t>(TokenKind::Control);
}
