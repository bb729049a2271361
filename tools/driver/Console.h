// Standard output and error of the compiler: data goes to output, all else to error.

#ifndef MOIRE_TOOLS_DRIVER_CONSOLE_H
#define MOIRE_TOOLS_DRIVER_CONSOLE_H

#include "frontends/weights/Container.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace moire::driver {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kBadInput = 3,
  kUnsupported = 4,
  kOutOfResources = 5,
  kBug = 70,
};

/// Prints "error: WHAT" to standard error and returns `code`. A message that has its own "error:"
/// (with a place in front of it) is printed as it is.
int complain(int code, llvm::StringRef what);
/// The same for an error of a reader, or of codegen/artifact.
int complain(const ReadError &error);
int complain(llvm::Error error);
/// Prints "note: WHAT" to standard error.
void note(llvm::StringRef what);

/// Whether messages may be coloured: standard error is a terminal and NO_COLOR is not set.
bool useColors();

/// Writes to standard output.
void print(llvm::StringRef text);
/// Flushes standard output. Returns `code`, or complains when what was printed is not there.
int finishOutput(int code);

/// A progress bar on standard error, when that is a terminal and the work takes over a second.
class Progress {
public:
  /// `what` is what is being done, as "packing weights". `quiet` shows nothing at all.
  Progress(llvm::StringRef what, bool quiet);
  ~Progress();
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;
  void show(uint64_t done, uint64_t total);

private:
  using Clock = std::chrono::steady_clock;
  std::string what;
  bool enabled, visible = false;
  Clock::time_point start, last;
};

/// Says on a terminal that something is being done whose length is not known, when it takes over a
/// second: "generating code, 3 s".
class Activity {
public:
  Activity(llvm::StringRef what, bool quiet);
  ~Activity();
  Activity(const Activity &) = delete;
  Activity &operator=(const Activity &) = delete;

private:
  void show();

  std::string what;
  std::mutex mutex;
  std::condition_variable changed;
  bool ended = false;
  std::thread ticker; // joinable if anything is to be shown
};

/// `bytes` with a unit: "812 bytes", "98.4 MB", "1.25 GB" (powers of ten).
std::string sizeText(uint64_t bytes);

} // namespace moire::driver

#endif
