#include "tools/driver/Console.h"

#include "codegen/artifact/ArtifactError.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

namespace moire::driver {

bool useColors() {
  const char *none = std::getenv("NO_COLOR");
  return (!none || !*none) && llvm::sys::Process::StandardErrHasColors();
}

int complain(int code, llvm::StringRef what) {
  llvm::outs().flush();
  bool placed = what.split('\n').first.contains(": error: ");
  if (!placed)
    llvm::WithColor(llvm::errs(), llvm::HighlightColor::Error,
                    useColors() ? llvm::ColorMode::Enable : llvm::ColorMode::Disable)
        << "error: ";
  llvm::errs() << what.rtrim('\n') << '\n';
  return code;
}

int complain(const ReadError &error) {
  switch (error.kind) {
  case ReadError::Kind::Io:
    return complain(kFailed, error.message);
  case ReadError::Kind::BadInput:
    return complain(kBadInput, error.message);
  case ReadError::Kind::Unsupported:
    return complain(kUnsupported, error.message);
  }
  llvm_unreachable("every kind has its exit code");
}

int complain(llvm::Error error) {
  std::string message;
  int code = takeError(std::move(error), message);
  return complain(code, message);
}

void note(llvm::StringRef what) {
  llvm::outs().flush();
  llvm::errs() << "note: " << what << '\n';
}

void print(llvm::StringRef text) { llvm::outs() << text; }

int finishOutput(int code) {
  llvm::raw_fd_ostream &out = llvm::outs();
  out.flush();
  if (!out.has_error())
    return code;
  std::error_code reason = out.error();
  out.clear_error(); // else the stream's destructor ends the process
  return complain(reason == std::errc::no_space_on_device ? kOutOfResources : kFailed,
                  "standard output cannot be written: " + reason.message());
}

Progress::Progress(llvm::StringRef what, bool quiet)
    : what(what), enabled(!quiet && llvm::sys::Process::StandardErrIsDisplayed()),
      start(Clock::now()), last(start) {}

Progress::~Progress() {
  if (visible)
    llvm::errs() << "\r\033[K";
}

void Progress::show(uint64_t done, uint64_t total) {
  auto now = Clock::now();
  if (!enabled || total == 0 || now - start < std::chrono::seconds(1) ||
      (visible && now - last < std::chrono::milliseconds(100)))
    return;
  last = now;
  visible = true;
  constexpr unsigned width = 30;
  unsigned filled = static_cast<unsigned>(double(done) / double(total) * width);
  llvm::errs() << '\r' << what << " [" << std::string(filled, '#')
               << std::string(width - filled, '.') << "] "
               << llvm::format("%3u%%", unsigned(100.0 * double(done) / double(total))) << "\033[K";
}

Activity::Activity(llvm::StringRef what, bool quiet) : what(what) {
  if (!quiet && llvm::sys::Process::StandardErrIsDisplayed())
    ticker = std::thread(&Activity::show, this);
}

Activity::~Activity() {
  if (!ticker.joinable())
    return;
  {
    std::lock_guard lock(mutex);
    ended = true;
  }
  changed.notify_one();
  ticker.join();
}

void Activity::show() {
  std::unique_lock lock(mutex);
  for (int seconds = 1;; ++seconds) {
    if (changed.wait_for(lock, std::chrono::seconds(1), [&] { return ended; })) {
      if (seconds > 1)
        llvm::errs() << "\r\033[K";
      return;
    }
    llvm::errs() << '\r' << what << ", " << seconds << " s\033[K";
  }
}

std::string sizeText(uint64_t bytes) {
  if (bytes < 1000)
    return llvm::formatv("{0} bytes", bytes);
  double size = double(bytes);
  const char *unit = "kB";
  for (const char *next : {"kB", "MB", "GB", "TB"}) {
    size /= 1000;
    unit = next;
    if (size < 1000)
      break;
  }
  const char *form = size < 10 ? "{0:f2} {1}" : size < 100 ? "{0:f1} {1}" : "{0:f0} {1}";
  return llvm::formatv(form, size, unit);
}

} // namespace moire::driver
