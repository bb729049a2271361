// What stands between two time stamps of a program that is compiled with --profile. The compiler
// describes it, the program's metadata carry it (runtime/Metadata.h), the runtime divides it by the
// time. Plain data, so that both sides read it.

#ifndef MOIRE_RUNTIME_PROFILEDREGION_H
#define MOIRE_RUNTIME_PROFILEDREGION_H

#include <cstdint>
#include <string>

namespace moire {

/// A kernel, a barrier, or the way to the first of them, at one place of the generated code. The
/// numbers say what a call has to read and to compute; which of its rows and positions there are,
/// only the step knows.
struct ProfiledRegion {
  std::string name;       // "contract q_k_v"
  std::string function;   // "layer_0.one"
  bool wait = false;      // the team meets at its end
  std::string arithmetic; // of its products: int8, bf16 or f32; "": it has none

  int64_t bytes = 0;            // of weights, however many rows there are
  int64_t rowBytes = 0;         // … for each row
  int64_t expertBytes = 0;      // … for each expert that has a token
  int64_t positionBytes = 0;    // of keys and values, for each position that a sequence's rows see
  int64_t rowProducts = 0;      // multiply-adds, for each row
  int64_t positionProducts = 0; // … for each position that a row sees
  int64_t window = 0;           // the most positions that a row sees; 0: all before it
  int64_t segment = 0;          // so many positions count as one (from multiples of it); 0: each
  int64_t ofLogits = 0;         // 1: its rows are those of the logits, not the tokens
};

/// A number of a region, and its key in the metadata; what is 0 is not there.
struct RegionNumber {
  const char *key;
  int64_t ProfiledRegion::*member;
};

inline constexpr RegionNumber kRegionNumbers[] = {
    {"bytes", &ProfiledRegion::bytes},
    {"row_bytes", &ProfiledRegion::rowBytes},
    {"expert_bytes", &ProfiledRegion::expertBytes},
    {"position_bytes", &ProfiledRegion::positionBytes},
    {"row_products", &ProfiledRegion::rowProducts},
    {"position_products", &ProfiledRegion::positionProducts},
    {"window", &ProfiledRegion::window},
    {"segment", &ProfiledRegion::segment},
    {"of_logits", &ProfiledRegion::ofLogits},
};

} // namespace moire

#endif
