#include "runtime/cpu/Cores.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <string>

#include <sched.h>

namespace moire {

namespace {
// The first 4 kB of a file of the system; empty when it cannot be read.
std::string readSmallFile(const std::string &path) {
  std::string text;
  if (FILE *file = fopen(path.c_str(), "re")) {
    char buffer[4096];
    text.assign(buffer, fread(buffer, 1, sizeof buffer, file));
    fclose(file);
  }
  return text;
}

int64_t coresFromQuota(int64_t quota, int64_t period) {
  return quota > 0 && period > 0 ? std::max<int64_t>(1, quota / period) : INT64_MAX;
}

// Reads a number and moves `text` behind it and the white space that follows.
bool takeInteger(std::string_view &text, int64_t &value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc())
    return false;
  text.remove_prefix(end - text.data());
  while (!text.empty() && (text.front() == ' ' || text.front() == '\n'))
    text.remove_prefix(1);
  return true;
}

int64_t readInteger(const std::string &path) {
  std::string text = readSmallFile(path);
  std::string_view rest = text;
  int64_t value;
  return takeInteger(rest, value) ? value : -1;
}

int64_t coresOfGroupV1(const std::string &folder) {
  return coresFromQuota(readInteger(folder + "/cpu.cfs_quota_us"),
                        readInteger(folder + "/cpu.cfs_period_us"));
}

int64_t coresOfGroupV2(const std::string &folder) {
  return coresFromCpuMax(readSmallFile(folder + "/cpu.max"));
}

// The tightest quota of a group and the groups above it. In a container the path that the process
// is told may not exist below the mount point; the mount point itself then is its group.
int64_t tightest(const std::string &mount, std::string path,
                 int64_t (*cores)(const std::string &)) {
  int64_t best = cores(mount);
  while (path.size() > 1) {
    best = std::min(best, cores(mount + path));
    path.resize(path.rfind('/'));
  }
  return best;
}
} // namespace

int64_t coresFromCpuMax(std::string_view text) {
  int64_t quota, period;
  if (!takeInteger(text, quota) || !takeInteger(text, period))
    return INT64_MAX;
  return coresFromQuota(quota, period);
}

int64_t coresByAffinity() {
  // Grown until the kernel's mask fits: 1024 cores are no longer the limit.
  for (size_t cpus = 1024; cpus <= (1 << 20); cpus *= 4) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (!set)
      break;
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    bool known = sched_getaffinity(0, bytes, set) == 0;
    int64_t count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0)
      return count;
  }
  return 1;
}

int64_t coresByQuota() {
  // Lines are "number:controllers:path"; v2's single line has no controllers: "0::/user.slice".
  int64_t best = INT64_MAX;
  std::string groups = readSmallFile("/proc/self/cgroup");
  std::string_view rest = groups;
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    size_t first = line.find(':');
    size_t second = first == line.npos ? line.npos : line.find(':', first + 1);
    if (second == line.npos)
      continue;
    std::string controllers = "," + std::string(line.substr(first + 1, second - first - 1)) + ",";
    std::string path(line.substr(second + 1));
    if (path.empty() || path.front() != '/')
      continue;
    if (controllers == ",,")
      best = std::min(best, tightest("/sys/fs/cgroup", path, coresOfGroupV2));
    else if (controllers.find(",cpu,") != controllers.npos)
      best = std::min(best, tightest("/sys/fs/cgroup/cpu", path, coresOfGroupV1));
  }
  return best;
}

int64_t defaultTeam() { return std::min(coresByAffinity(), coresByQuota()); }

} // namespace moire
