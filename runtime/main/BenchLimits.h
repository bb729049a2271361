// What the machine does at best, as a benchmark learns it.

#ifndef MOIRE_RUNTIME_MAIN_BENCHLIMITS_H
#define MOIRE_RUNTIME_MAIN_BENCHLIMITS_H

#include "runtime/IdealTime.h"

#include <map>
#include <vector>

namespace moire {

/// From `--limits FILE` the same for all runs. From `--limits @N`, where N is a socket to a process
/// that measures (`moire bench --limits` starts one), what the machine gives at that moment: asked
/// with the size of a team and a newline, it answers with a line of that JSON.
class BenchLimits {
public:
  BenchLimits() = default;
  ~BenchLimits();
  BenchLimits(const BenchLimits &) = delete;
  BenchLimits &operator=(const BenchLimits &) = delete;

  /// `source`: what stands behind --limits; empty: limits are not known. False, with `error`, if
  /// that cannot be read or is not of the form.
  bool open(const std::string &source, std::string &error);
  bool known() const { return socket >= 0 || !text.empty(); }

  /// The limits of a team now. False, with `error`, when nobody answers.
  bool measure(int64_t threads, MachineLimits &now, std::string &error);
  /// The mean of what `measure` found for a team.
  MachineLimits mean(int64_t threads) const;
  /// A line for each team that says how far the machine changed meanwhile; empty if it could not be
  /// seen.
  std::string changes() const;

private:
  bool ask(int64_t threads, std::string &error);

  std::string text; // of the file, or the last answer
  int socket = -1;
  std::map<int64_t, std::vector<MachineLimits>> found; // by teams
};

} // namespace moire

#endif
