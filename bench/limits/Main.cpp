// moire-limits: what this machine does at best, by loops in assembly alone. `moire bench --limits`
// also asks the compiler's own code.

#include "bench/limits/Assembly.h"
#include "runtime/Format.h"
#include "runtime/cpu/Cores.h"

#include <charconv>
#include <cstdio>
#include <string_view>

using namespace moire;
using namespace moire::limits;

static const char help[] =
    R"(Example: moire-limits -t 1,2

Measures how fast this machine reads memory and multiplies, each as the best of short runs.

  -t N,…        sizes of the team (1 and all cores)
  -o md|json    a table, or one JSON object (md)
  --brief       a moment for each instead of seconds: to see that it works
)";

static int complain(const std::string &what) {
  fprintf(stderr, "error: %s\n", what.c_str());
  return 2;
}

static bool parseTeams(std::string_view text, std::vector<int64_t> &teams) {
  teams.clear();
  const char *at = text.data(), *end = at + text.size();
  for (;;) {
    int64_t size = 0;
    auto [next, status] = std::from_chars(at, end, size);
    if (status != std::errc() || size < 1 || size > 4096)
      return false;
    teams.push_back(size);
    if (next == end)
      return true;
    if (*next != ',')
      return false;
    at = next + 1;
  }
}

int main(int argc, char **argv) {
  std::vector<int64_t> teams = {1};
  if (defaultTeam() > 1)
    teams.push_back(defaultTeam());
  bool json = false, brief = false;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    if (word == "--help" || word == "-h") {
      fputs(help, stdout);
      return 0;
    }
    if (word == "--brief") {
      brief = true;
    } else if (word == "-t") {
      if (!parseTeams(value, teams))
        return complain("-t takes sizes of teams from 1 to 4096, such as 1,2");
      ++i;
    } else if (word == "-o") {
      if (value != "md" && value != "json")
        return complain("-o takes md or json");
      json = value == "json";
      ++i;
    } else {
      return complain("there is no '" + std::string(word) +
                      "'; moire-limits --help lists what there is");
    }
  }
  Report report;
  for (int64_t size : teams) {
    std::string error;
    std::unique_ptr<Team> team = Team::create(size, error);
    if (!team || !measureAssembly(*team, brief ? Effort::brief() : Effort::full(), report, error)) {
      fprintf(stderr, "error: %s\n", error.c_str());
      return 1;
    }
  }
  fputs((json ? toJson(report) : toMarkdown(report)).c_str(), stdout);
  return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
