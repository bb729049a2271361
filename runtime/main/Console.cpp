#include "runtime/main/Console.h"

#include "runtime/Format.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace moire {

namespace {
volatile sig_atomic_t interruptSeen = 0;
}

int complain(int code, const std::string &what) {
  fflush(stdout);
  fprintf(stderr, "error: %s\n", what.c_str());
  return code;
}

void note(const std::string &what) { fprintf(stderr, "note: %s\n", what.c_str()); }

int exitCode(moire_status status) {
  return status == MOIRE_ERROR_CAPACITY ? kOutOfResources : static_cast<int>(status);
}

void print(std::string_view text) { fwrite(text.data(), 1, text.size(), stdout); }

int finishOutput() {
  errno = 0;
  bool written = fflush(stdout) == 0 && !ferror(stdout);
  if (written)
    return kDone;
  return complain(errno == ENOSPC ? kOutOfResources : kFailed,
                  format("standard output cannot be written: %s", strerror(errno ? errno : EIO)));
}

bool readFile(const std::string &path, std::string &text, std::string &error) {
  bool input = path == "-";
  int file = input ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  text.clear();
  constexpr size_t kPiece = 1 << 16;
  ssize_t length = file < 0 ? -1 : 1;
  while (length > 0) {
    size_t before = text.size();
    text.resize(before + kPiece);
    length = read(file, text.data() + before, kPiece);
    text.resize(before + (length > 0 ? length : 0));
  }
  int reason = errno;
  if (!input && file >= 0)
    close(file);
  if (length == 0)
    return true;
  error =
      format("%s cannot be read: %s", input ? "standard input" : path.c_str(), strerror(reason));
  return false;
}

bool inputIsTerminal() { return isatty(STDIN_FILENO); }

void catchInterrupt() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interruptSeen = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

bool interrupted() { return interruptSeen; }

double seconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void Progress::show(uint64_t done) {
  double now = seconds();
  if (now - start < 1 || now - last < 0.1 || !isatty(STDERR_FILENO))
    return;
  last = now;
  visible = true;
  int percent = total ? static_cast<int>(100 * static_cast<double>(done) / total) : 100;
  fprintf(stderr, "\r%s %3d%% [%-40.*s]", what, percent, percent * 40 / 100,
          "########################################");
}

Progress::~Progress() {
  if (visible)
    fputs("\r\033[K", stderr);
}

} // namespace moire
