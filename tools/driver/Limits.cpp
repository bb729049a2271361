#include "tools/driver/Limits.h"

#include "bench/limits/Assembly.h"
#include "bench/limits/Generated.h"
#include "runtime/cpu/Cores.h"
#include "tools/driver/Console.h"

#include "llvm/Support/raw_ostream.h"

#include <cerrno>
#include <cstring>
#include <set>

#include <sys/mman.h>

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

int passOn(llvm::StringRef text, std::string &path) {
  int file = memfd_create("limits", 0);
  if (file < 0)
    return complain(kOutOfResources,
                    std::string("no file in memory can be made: ") + std::strerror(errno));
  llvm::raw_fd_ostream os(file, /*shouldClose=*/false);
  os << text;
  os.flush();
  if (os.has_error()) {
    std::string why = os.error().message();
    os.clear_error();
    return complain(kOutOfResources, "a file in memory cannot be written: " + why);
  }
  path = "/proc/self/fd/" + std::to_string(file);
  return kDone;
}

} // namespace moire::driver
