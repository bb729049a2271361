// What a step of a model cannot do without: numbers that the compiler knows and writes into the
// metadata as "work".
//
//   [{"times": 30, "int8": 3538944, "bytes": 1990656},
//    {"times": 30, "f32_position": 1152, "kv_bytes": 768},
//    {"times": 26, "experts": 64, "chosen": 6, "int8": 51904512, "expert_bytes": 4866048},
//    {"times": 1, "head": true, "int8": 28311552, "bytes": 30081024},
//    {"times": 1, "token_bytes": 612}]
//
// Members that are 0 (or false) are missing.

#ifndef MOIRE_RUNTIME_WORK_H
#define MOIRE_RUNTIME_WORK_H

#include <cstdint>
#include <string>
#include <vector>

namespace moire {

struct JsonValue;

/// Multiply-adds, by the numbers that are multiplied: f32 (also where rounded rows are widened to
/// it), pairs of bf16 by an instruction that takes pairs, int8 with codes of up to 8 bits.
struct MultiplyAdds {
  int64_t f32 = 0, bf16 = 0, int8 = 0;
};

/// A part of a step: the products of a class of layers, an attention, a region of experts, or the
/// head.
struct WorkPart {
  int64_t times = 1; // layers that are alike
  bool head = false; // works on the rows whose logits are asked for, not on all tokens
  /// Of a token (a row of logits for the head); of experts, those that the token has chosen.
  MultiplyAdds token = {};
  /// Of a token with each position that it sees: the query with the key, and with the value.
  MultiplyAdds position = {};
  int64_t window = 0;     // most positions that a token sees; 0: all up to its own
  int64_t bytes = 0;      // of weights that are read whenever there is a row
  int64_t tokenBytes = 0; // of weights that are read for each token: its row of the embedding
  int64_t kvBytes = 0;    // of the keys and values of a position
  int64_t experts = 0, chosen = 0, expertBytes = 0; // how many, of them a token's; of one
};

using Work = std::vector<WorkPart>;

/// The JSON above.
std::string toJson(const Work &work);
/// Reads it. False when `value` is not of that form: counts that are not negative.
bool parseWork(const JsonValue &value, Work &work);

} // namespace moire

#endif
