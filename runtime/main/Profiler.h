// What a program that was compiled with --profile prints beside its work.

#ifndef MOIRE_RUNTIME_MAIN_PROFILER_H
#define MOIRE_RUNTIME_MAIN_PROFILER_H

#include "runtime/Profile.h"
#include "runtime/main/Program.h"

#include <cstdio>

namespace moire {

/// Observes the steps of a program's states.
class Profiler {
public:
  /// Complains if --trace is given to a program without time stamps. Exit code as Program::open.
  static int check(const Program &program);
  /// Observes the program's state, after the states that it had before. Exit code as Program::open.
  static int attach(Program &program);
  ~Profiler();

  /// Prints the tables to standard error and writes the trace. Returns `code`, or the exit code of
  /// what went wrong here, after a complaint.
  int report(int code);

  Profile profile;
  LimitsOfThreads limits; // of the machine, if they are known

private:
  Profiler(std::vector<ProfiledRegion> regions, std::string tracePath);
  int createTrace();

  const std::string tracePath; // empty: none
  FILE *traceFile = nullptr;   // open from the start: nobody measures for hours in vain
  // One moment on both clocks.
  const uint64_t startCycles;
  const double startSeconds;
};

} // namespace moire

#endif
