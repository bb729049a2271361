// What a machine does at best: the numbers, and how they are printed.

#ifndef MOIRE_BENCH_LIMITS_REPORT_H
#define MOIRE_BENCH_LIMITS_REPORT_H

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moire::limits {

/// Bytes read from memory in a second, or operations of one kind of numbers; a multiplication and
/// an addition are two.
enum class Kind : uint8_t { Read, F32, Bf16, Int8 };
constexpr std::array kKinds = {Kind::Read, Kind::F32, Kind::Bf16, Kind::Int8};
/// "read", "f32", "bf16", "int8".
std::string_view nameOf(Kind kind);

/// A rate, in bytes or operations a second, and what reached it. 0: nothing did.
struct Rate {
  double perSecond = 0;
  std::string by;

  /// Keeps the better one.
  void improve(double rate, const std::string &how) {
    if (rate > perSecond)
      *this = {rate, how};
  }
};

/// One kind of work by a number of threads together.
struct Limit {
  Kind kind;
  int64_t threads;
  Rate assembly, generated; // by hand-written loops, and by code that the compiler makes

  double best() const {
    return assembly.perSecond > generated.perSecond ? assembly.perSecond : generated.perSecond;
  }
};

/// What the compiler's product of a format of weights reaches: many rows whose operands lie in the
/// nearest caches, and one row whose weights come from memory.
struct Ceiling {
  std::string format, instruction;
  Kind kind; // of the operations
  int64_t threads;
  double operations; // a second
  double read;       // bytes a second
};

struct Report {
  std::string machine, features;
  std::vector<Limit> limits;
  std::vector<Ceiling> ceilings;

  /// The entry for `kind` and `threads`, made if there is none.
  Limit &limit(Kind kind, int64_t threads);
  /// The best rate, or 0.
  double best(Kind kind, int64_t threads) const;
};

/// Tables in markdown.
std::string toMarkdown(const Report &report);
/// One object: {"machine": …, "features": …, "limits": [{"kind": "read", "threads": 1, "rate": …,
/// "assembly": {"rate": …, "by": …}, "generated": …}, …], "formats": [{"format": "q4_0",
/// "instruction": …, "kind": "int8", "threads": 1, "operations": …, "read": …}, …]}. Rates are in
/// bytes and operations a second; what was not measured is null. Programs read "limits"
/// (runtime/main/IdealTime.h).
std::string toJson(const Report &report);

} // namespace moire::limits

#endif
