// The numbers that schedules are made with, in one place. Results depend on none of them but the
// page and the segment.

#ifndef MOIRE_CODEGEN_CPU_TUNING_H
#define MOIRE_CODEGEN_CPU_TUNING_H

#include <cstddef>
#include <cstdint>

namespace moire::cpu {

/// Rows (tokens) of a product that read packed panels together: of more, sums do not stay in
/// registers. And of how many such tiles a panel is read; for more rows it is unpacked. (With AVX2
/// 12 rows were faster from unpacked panels: by 5 % in q4_0, by 25 % in q6_k; with AVX-512 28 and
/// 32 are faster from packed ones, by 22 and 13 %.)
constexpr int64_t kRowsTogetherAvx2 = 5, kRowsTogetherAvx512 = 8;
constexpr int64_t kDirectTilesAvx2 = 2, kDirectTilesAvx512 = 4;

/// Panels of at least `panelBytes` that a thread reads side by side for one row, with more rows as
/// many fewer (shorter ones it reads one by one); and how many bytes ahead of the rows it asks for
/// in all of them, or 0. Without asking memory gives four streams a third more than one, and eight
/// are too many for the caches. With asking two get 5 % more than one where neighbours want memory,
/// too, but a tenth less from short panels. Several rows take longer for a block, and the processor
/// looks ahead fewer of them by itself.
struct Streams {
  int64_t count, panelBytes, aheadBytes;
};
constexpr Streams kStreams = {2, 32 * 1024, 6144}, kStreamsGoldenCove = {4, 0, 8192},
                  kStreamsZen3 = {4, 0, 0};
constexpr double kAheadOfSeveral = 4.0 / 3;

/// The part of a product's panels that is in equal shares, where streams are longest; and how many
/// of the last ones threads take one by one, so that nobody waits long for the others.
constexpr double kEqualPart = 0.75;
constexpr int64_t kSinglePanels = 8;

/// Turns at the others: bytes of a stream, since each beginning costs; but at most one of so many
/// parts of the product's panels, or of those of all experts that a token chooses.
constexpr int64_t kStreamBytes = 192 * 1024;
constexpr int64_t kTurns = 64;

/// Rows that share each load of weights, and panels that share each load of a row. AVX2 has 16
/// registers of half a sum. AVX-512 has 32 of a whole one, and needs ten independent sums for two
/// instructions of latency 5 a cycle: with twelve rows and one panel each `vpdpbusd` loads by
/// itself, and loads, of which there are two a cycle as well, take longer than it (Zen 5).
constexpr int64_t kRowTileAvx2 = 4, kRowTileAvx512 = 6;
constexpr int64_t kPanelTileAvx2 = 1, kPanelTileAvx512 = 2;

/// Bytes of the chunks of a tile's panels, unpacked (their quants), that the first cache holds
/// beside the rows: all columns if they are no more than this, else chunks. With AVX2 half of it
/// was slower, since rows then come in short pieces, and twice as much by a tenth with 16 rows;
/// with AVX-512 half of it is 2 to 4 % faster.
constexpr int64_t kWholeBytes = 32 * 1024;
constexpr int64_t kChunkBytesAvx2 = kWholeBytes, kChunkBytesAvx512 = kWholeBytes / 2;

/// Rows for which a panel is unpacked once more, where they are many: unfinished sums of the fewest
/// stay in the second cache, and so do short rows of a step that is as large as steps usually are.
constexpr int64_t kBlockRows = 256, kBlockRowsMost = 512;
constexpr int64_t kBlockBytes = 512 * 1024;

/// Columns a turn of the loop over K with f32 activations.
constexpr int64_t kFloatUnroll = 4;

/// Panels of the experts' second product that a thread computes for all tokens before it adds them
/// up: the rows of an expert stay in the nearest caches for so many panels.
constexpr int64_t kCombinePanels = 8;

/// Vectors of 16 f32 that the registers hold.
constexpr int64_t kVectorsAvx2 = 8, kVectorsAvx512 = 32;

/// Query rows that share each load of keys and values: with AVX2 their sums fill the registers.
/// With AVX-512 six rows and four chunks of positions would, too, but keys are widened where they
/// are loaded, and that costs twice as much for 24 multiply-adds as with twelve rows and two
/// chunks.
constexpr int64_t kQueryTileAvx2 = 6, kQueryTileAvx512 = 12;

/// Query rows that visit a page together: it comes from memory once for all of them, and what they
/// keep in scratch stays in the second cache.
constexpr int64_t kQueryBlock = 48;

/// Positions in a page of keys and values, also the tile of the online softmax: part of the order
/// of accumulation, so results do depend on this one.
constexpr int64_t kKvPage = 64;

/// Positions (whole pages, one at least) whose softmax is taken by itself and then joined to those
/// before: what threads share out of one KV head. Part of the order of accumulation, too.
constexpr int64_t kKvSegment = 512;

} // namespace moire::cpu

#endif
