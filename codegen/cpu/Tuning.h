// The numbers that schedules are made with, in one place. Results depend on none of them but the
// page.

#ifndef MOIRE_CODEGEN_CPU_TUNING_H
#define MOIRE_CODEGEN_CPU_TUNING_H

#include <cstdint>

namespace moire::cpu {

/// Rows (tokens) that share each load of weights in a contraction.
constexpr int64_t kRowTile = 4;

/// Columns a turn of the loop over K with f32 activations.
constexpr int64_t kFloatUnroll = 4;

/// Rows of an expert from which its panels are unpacked once for all of them; fewer read the packed
/// panel one after the other.
constexpr int64_t kUnpackRows = 3;

/// Panels of the experts' second product that a thread computes for all tokens before it adds them
/// up: the rows of an expert stay in the nearest caches for so many panels.
constexpr int64_t kCombinePanels = 8;

/// Query rows that share each load of keys and values.
constexpr int64_t kQueryTile = 4;

/// Positions in a page of keys and values, also the tile of the online softmax: part of the order
/// of accumulation, so results do depend on this one.
constexpr int64_t kKvPage = 64;

} // namespace moire::cpu

#endif
