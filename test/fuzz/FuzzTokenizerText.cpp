// Any text comes back whole, through both patterns and however it is cut; the first byte chooses.

#include "runtime/text/Utf8Stream.h"
#include "test/runtime/text/SmallTokenizer.h"

using namespace moire;

static void roundTrip(const SmallTokenizer &small, std::string_view text, size_t pieceSize) {
  const Tokenizer &tokenizer = small.tokenizer;
  const std::vector<int32_t> ids = tokenizer.encode(text, false);
  if (tokenizer.decode(ids) != text)
    __builtin_trap();
  std::vector<int32_t> special = tokenizer.encode(text, true);
  if (special.front() != tokenizer.bos())
    __builtin_trap();
  special.erase(special.begin());
  if (tokenizer.decode(special) != text)
    __builtin_trap();

  // Characters come out the same however their bytes come in.
  Utf8Stream whole, pieces;
  std::string expected, got;
  whole.feed(text, expected);
  whole.flush(expected);
  for (; !text.empty(); text.remove_prefix(std::min(pieceSize, text.size())))
    pieces.feed(text.substr(0, pieceSize), got);
  pieces.flush(got);
  if (got != expected)
    __builtin_trap();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const SmallTokenizer plain("", PreTokenizerKind::Gpt2);
  static const SmallTokenizer digits("", PreTokenizerKind::DigitsGpt2);
  if (size == 0)
    return 0;
  const std::string_view text(reinterpret_cast<const char *>(data) + 1, size - 1);
  roundTrip(data[0] & 1 ? digits : plain, text, data[0] / 2 % 8 + 1);
  return 0;
}
