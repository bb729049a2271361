// What stands between two time stamps of a program that is compiled with --profile.

#ifndef MOIRE_CODEGEN_CPU_PROFILEREGION_H
#define MOIRE_CODEGEN_CPU_PROFILEREGION_H

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace moire {

/// A kernel, a barrier, or the way to the first of them, at one place of the code. The numbers say
/// what a call has to read and to compute; which of its rows and positions there are, only the step
/// knows.
struct ProfileRegion {
  std::string name;       // "contract q_k_v"
  std::string function;   // "layer_0.one"
  bool isWait = false;    // the team meets at its end
  std::string arithmetic; // of its products: int8, bf16 or f32; "": it has none

  int64_t bytes = 0;            // of weights, however many rows there are
  int64_t rowBytes = 0;         // … for each row
  int64_t expertBytes = 0;      // … for each expert that has a token
  int64_t positionBytes = 0;    // of keys and values, for each position that a sequence's rows see
  int64_t rowProducts = 0;      // multiply-adds, for each row
  int64_t positionProducts = 0; // … for each position that a row sees
  int64_t window = 0;           // the most positions that a row sees; 0: all before it
  int64_t ofLogits = 0;         // 1: its rows are those of the logits, not the tokens

  /// The numbers, with the keys that they have in the program's metadata.
  std::array<std::pair<const char *, int64_t>, 8> numbers() const {
    return {{{"bytes", bytes},
             {"row_bytes", rowBytes},
             {"expert_bytes", expertBytes},
             {"position_bytes", positionBytes},
             {"row_products", rowProducts},
             {"position_products", positionProducts},
             {"window", window},
             {"of_logits", ofLogits}}};
  }
};

} // namespace moire

#endif
