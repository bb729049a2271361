// Standard input, output and error of a compiled program: data goes to output, all else to error.

#ifndef MOIRE_RUNTIME_MAIN_CONSOLE_H
#define MOIRE_RUNTIME_MAIN_CONSOLE_H

#include "runtime/moire.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace moire {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kBadInput = 3,
  kUnsupported = 4,
  kOutOfResources = 5,
  kInterrupted = 130, // 128 + SIGINT, as shells expect
};

/// Prints "error: WHAT" to standard error and returns `code`.
int complain(int code, const std::string &what);
/// Prints "note: WHAT" to standard error.
void note(const std::string &what);
/// The exit code for a status of the host interface.
int exitCode(moire_status status);

/// Writes to standard output.
void print(std::string_view text);
/// Flushes standard output. Returns kDone, or complains when what was printed is not there.
int finishOutput();

/// Reads a whole file, or standard input for "-". On failure returns false with the reason.
bool readFile(const std::string &path, std::string &text, std::string &error);
bool inputIsTerminal();

/// From now on the first Ctrl-C only makes `interrupted` true; the second one kills.
void catchInterrupt();
bool interrupted();

/// Seconds of a clock that only goes forward.
double seconds();

/// A progress bar on standard error, when that is a terminal and the work takes over a second.
class Progress {
public:
  Progress(const char *what, uint64_t total) : what(what), total(total), start(seconds()) {}
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  void show(uint64_t done);

private:
  const char *what;
  uint64_t total;
  double start, last = 0;
  bool visible = false;
};

} // namespace moire

#endif
