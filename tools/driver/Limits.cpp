#include "tools/driver/Limits.h"

#include "bench/limits/Assembly.h"
#include "bench/limits/Generated.h"
#include "runtime/cpu/Cores.h"
#include "tools/driver/Console.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>

#include <sys/socket.h>
#include <unistd.h>

namespace moire::driver {

int measureLimits(llvm::ArrayRef<int64_t> teams, bool brief, limits::Report &report) {
  const limits::Effort effort = brief ? limits::Effort::brief() : limits::Effort::full();
  std::set<int64_t> sizes;
  for (int64_t size : teams)
    sizes.insert(size ? size : defaultTeam());
  Activity activity("measuring the machine", brief);
  std::vector<std::unique_ptr<Team>> ofSizes;
  std::string error;
  for (int64_t size : sizes) {
    ofSizes.push_back(Team::create(size, error));
    if (!ofSizes.back())
      return complain(kOutOfResources, error);
    if (!limits::measureAssembly(*ofSizes.back(), effort, report, error))
      return complain(kFailed, error);
  }
  return limits::measureGenerated(ofSizes, effort, report, error) ? kDone
                                                                  : complain(kFailed, error);
}

// Answers lines of text: a number of threads, by their limits. Until nobody asks any more.
static void answer(int socket, limits::LimitsAgain &again) {
  std::string line;
  char c;
  while (read(socket, &c, 1) == 1) {
    if (c != '\n') {
      line += c;
      continue;
    }
    int64_t threads = 0;
    limits::Report now;
    std::string error = "'" + line + "' is no number of threads";
    // Without an answer the program says that there is none.
    if (llvm::StringRef(line).getAsInteger(10, threads) || !again.measure(threads, now, error)) {
      complain(kFailed, error);
      return;
    }
    std::string text = toJson(now);
    if (send(socket, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
      return;
    line.clear();
  }
}

int measureAgain(const limits::Report &report, bool brief, std::string &source) {
  int ends[2];
  pid_t child = socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 ? fork() : -1;
  if (child < 0)
    return complain(kOutOfResources,
                    std::string("no process can be started to measure the machine between runs: ") +
                        std::strerror(errno));
  if (child > 0) {
    close(ends[1]);
    source = "@" + std::to_string(ends[0]);
    return kDone;
  }
  close(ends[0]);
  signal(SIGINT, SIG_IGN); // the program decides when it has enough
  limits::LimitsAgain again(report, brief ? limits::Effort::brief() : limits::Effort::full());
  answer(ends[1], again);
  _exit(0); // of what the parent has prepared nothing is to be done twice
}

} // namespace moire::driver
