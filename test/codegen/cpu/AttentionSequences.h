// Sequences whose tokens attend to what was before them: generated code runs them in steps of any
// shape, and plain loops compute what it must find.

#ifndef MOIRE_TEST_CODEGEN_CPU_ATTENTIONSEQUENCES_H
#define MOIRE_TEST_CODEGEN_CPU_ATTENTIONSEQUENCES_H

#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/KvStorage.h"

#include <memory>
#include <string>
#include <vector>

namespace moire::test {

struct AttentionShape {
  int64_t kvHeads, group, headDim, page;
  KvFormat format;  // of keys and values
  int64_t window;   // 0: none
  int64_t segment;  // pages of one
  int64_t more = 0; // tokens of the prompt beside two pages and 5
};

// A token of a sequence: its query, key and value.
struct Token {
  int32_t slot, position;
  bool operator==(const Token &) const = default;
};

// A key or value: its numbers without the scale.
struct Entry {
  std::vector<float> numbers;
  float scale;
};

class Sequences {
public:
  explicit Sequences(AttentionShape shape);

  /// `vectors`: how many of 16 f32 the registers are said to hold, by which tiles are chosen.
  std::unique_ptr<Kernel> compile(const std::string &cpu, int64_t vectors = 8);

  /// Forgets all keys and values.
  void clear();

  /// Runs a step; appends its output rows to `results`.
  void step(Kernel &kernel, const std::vector<Token> &tokens, int team, bool one,
            std::vector<float> &results);

  /// A row must be near a softmax in double.
  void check(const Token &token, const float *found) const;

  /// The row of a token, in the promised order.
  std::vector<float> plainRow(const Token &token) const;

  int64_t queryWidth;
  // A token whose keys and values are all `poison`.
  Token poisoned{-1, -1};
  float poison = 0;

private:
  // The numbers of a token are its own, whatever step it comes in.
  float number(const Token &token, int what, int64_t i) const;
  /// A key (1) or value (2) of a KV head, as it is read back.
  std::vector<float> stored(const Token &token, int what, int64_t kvHead) const;
  /// As stored, without the scale.
  Entry entry(const Token &token, int what, int64_t kvHead) const;
  std::string text(bool one, int64_t vectors) const;

  AttentionShape shape;
  Memory memory;
  int64_t kvWidth, queries, keys, values, out, scratch, parts, turns, stride, columns;
  std::vector<uint8_t> pool;
  std::vector<int32_t> pageTable;
  double scale;
};

} // namespace moire::test

#endif
