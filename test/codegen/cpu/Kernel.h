// Compiles step functions that are given as text and runs them in this process: what the phases
// from expand on make of kernels, compared with plain loops by the tests.

#ifndef MOIRE_TEST_CODEGEN_CPU_KERNEL_H
#define MOIRE_TEST_CODEGEN_CPU_KERNEL_H

#include "dialects/tile/Strip.h"
#include "runtime/Abi.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace moire::cpu {
class Emitter;
class LoadedSteps;
} // namespace moire::cpu

namespace moire::test {

/// CPUs whose code this machine can run and whose code differs: "native", and below it "x86-64-v4"
/// (AVX-512 without VNNI) and "x86-64-v3" (AVX2).
std::vector<std::string> runnableCpus();

/// Rows of the instruction table for weights of `bits`. All of them can be run: instructions of
/// AVX-512 that the machine lacks are replaced by the loops that define them.
std::vector<std::string> instructions(int64_t bits);

/// Where the buffers of a test lie, as the plan phase would place them.
class Memory {
public:
  /// Places a shared buffer of `rowBytes` a row; returns its offset, in bytes per token.
  int64_t shared(int64_t rowBytes);
  /// Places a buffer of the team, of a fixed size.
  int64_t team(int64_t bytes);
  /// Places a private buffer.
  int64_t scratch(int64_t bytes);
  /// Places a weight; returns its offset.
  int64_t weight(const void *data, int64_t bytes);

  int64_t arenaBytes = 0, arenaBytesPerToken = 0, scratchBytes = 0, scratchBytesPerToken = 0;
  std::vector<uint8_t> weights;
};

/// A module of kernels, compiled.
class Kernel {
public:
  /// `body(one)` gives the text of a step's operations, in the variant for one token or in that for
  /// many, where `%n` is the number of tokens. `emit`, if given, adds code of its own at the end.
  struct Source {
    std::function<std::string(bool one)> body;
    std::function<void(cpu::Emitter &)> emit = {};
  };

  /// Compiles for `cpu`. Fails the running test, and returns null, if the text has errors.
  static std::unique_ptr<Kernel> compile(const Source &source, const Memory &memory,
                                         const std::string &cpu, int optLevel = 1);

  ~Kernel();

  /// Prepares an arena for steps of up to `maxTokens` tokens.
  void reserve(int64_t maxTokens);
  /// The first of `T`s of a shared buffer.
  template <typename T> T *at(int64_t offset) {
    return reinterpret_cast<T *>(arena + arenaBytes + offset * maxTokens);
  }
  /// Runs a step of `tokens` tokens on a team; with `one` (and one token) in the variant for one.
  /// `step` is what the host hands in; arena, scratch, weights and counts are filled in here.
  void run(int64_t tokens, int team = 1, bool one = false, moire_step step = {});

private:
  Kernel();
  std::unique_ptr<cpu::LoadedSteps> steps;
  int64_t arenaBytes = 0, arenaBytesPerToken = 0, scratchBytes = 0, scratchBytesPerToken = 0;
  int64_t maxTokens = 0;
  std::vector<uint8_t> arenaMemory, scratchMemory, weightMemory;
  uint8_t *arena = nullptr;
};

/// The type of rows: "memref<?x16xf32>", or "memref<1x16xf32>" for one.
std::string rowsOf(bool one, std::initializer_list<int64_t> shape, const std::string &element);

/// The text `%name = tile.alloc shared(%n) at OFFSET : TYPE`.
std::string sharedBuffer(bool one, const std::string &name, int64_t offset,
                         std::initializer_list<int64_t> shape, const std::string &element);

/// The text `%name = tile.alloc kept at OFFSET : memref<1xi64>`.
std::string turnsBuffer(const std::string &name, int64_t offset);

/// The text `%name = tile.alloc private at OFFSET : memref<TYPE>`.
std::string privateBuffer(const std::string &name, int64_t offset, const std::string &type);

/// The text `%name = tile.weight "name" {…} : memref<COUNTxELEMENT>`, element i8 or f32.
std::string weightVector(const std::string &name, int64_t offset, int64_t count,
                         const std::string &element);

/// How a product of many rows goes through them.
struct Blocking {
  int64_t direct, together, rows, block, columns, panels = 1;
  /// "blocking = #tile.blocking<…>"
  std::string text() const;
  int64_t stripBytes(PanelFormat format, mlir::tile::RowKind kind, int64_t k, int64_t parts) const {
    return mlir::tile::StripLayout::of(format, kind, k, parts, columns, block, panels).bytes;
  }
};
/// Up to 3 rows are a tile of a packed panel, up to 6 are two; more share an unpacked one.
constexpr Blocking kUsualBlocking = {6, 3, 4, 256, 1024};
/// How threads share the panels of a product.
struct Sharing {
  int64_t equal, panels, single, streams, ahead = 0;
  /// "sharing = #tile.sharing<…>"
  std::string text() const;
};
/// Three panels are a turn of two, read side by side, and a single one.
constexpr Sharing kUsualSharing = {0, 2, 1, 4};
/// More than the strip of any test takes.
constexpr int64_t kStripSpace = 256 * 1024;

/// The word of sums that tile.quantize makes of the integers value(k) of columns from .. to of a
/// block of `columns`.
template <typename Quant> int32_t sumWord(int64_t columns, int64_t from, int64_t to, Quant value) {
  const int32_t factor = static_cast<int32_t>(512 / columns);
  int32_t low = 0, high = 0;
  for (int64_t k = from; k < to; ++k)
    (k % 4 < 2 ? low : high) -= factor * value(k);
  return (low & 0xffff) | static_cast<int32_t>(static_cast<uint32_t>(high) << 16);
}

/// Reproducible numbers (SplitMix64, by Steele, Lea and Flood): cheap to begin anew for each
/// number.
class Random {
public:
  explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15) {}
  int64_t integer(int64_t low, int64_t high) { // both included
    return low + static_cast<int64_t>(next() % static_cast<uint64_t>(high - low + 1));
  }
  float uniform(float low, float high) {
    return low + (high - low) * static_cast<float>(next() >> 40) / 0x1000000;
  }

private:
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  uint64_t state;
};

} // namespace moire::test

#endif
