// moire cache: the programs that `moire run` keeps.

#include "codegen/artifact/Cache.h"
#include "tools/driver/Arguments.h"
#include "tools/driver/Console.h"
#include "tools/driver/Verbs.h"

#include "llvm/Support/Chrono.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

namespace moire::driver {

static const char help[] = R"(Example: moire cache list

  moire cache list            what `moire run` keeps, the most recently used first
  moire cache clean           deletes all of it

  --json                      the same as JSON

The folder is moire/programs in $XDG_CACHE_HOME or ~/.cache, or programs in $MOIRE_CACHE. Beyond
20 GB, or $MOIRE_CACHE_SIZE (500M, 20G), the programs that were not used for longest are deleted.
)";

static int list(const ProgramCache &cache, bool json) {
  llvm::json::Array programs;
  uint64_t total = 0;
  for (const CachedProgram &program : cache.list()) {
    auto lastUse = std::chrono::time_point_cast<std::chrono::nanoseconds>(program.last_use);
    std::string when = llvm::formatv("{0:%Y-%m-%d %H:%M}", llvm::sys::TimePoint<>(lastUse)).str();
    total += program.bytes;
    if (json)
      programs.push_back(llvm::json::Object{{"key", program.key},
                                            {"path", cache.pathOf(program.key)},
                                            {"about", program.about},
                                            {"bytes", int64_t(program.bytes)},
                                            {"last_use", when}});
    else
      print(llvm::formatv("{0}  {1,10}  {2}  {3}\n", when, sizeText(program.bytes),
                          llvm::StringRef(program.key).take_front(8), program.about)
                .str());
  }
  if (json)
    print(llvm::formatv("{0:2}\n", llvm::json::Value(std::move(programs))).str());
  else
    print(llvm::formatv("{0} of {1} in {2}\n", sizeText(total), sizeText(cache.sizeLimit()),
                        cache.folder())
              .str());
  return finishOutput(kDone);
}

int runCache(llvm::ArrayRef<llvm::StringRef> given) {
  bool json = false;
  std::string error;
  std::optional<Arguments> arguments = parseArguments(given, {flag("--json", json)}, error);
  if (!arguments)
    return complain(kUsage, error);
  if (arguments->help) {
    print(help);
    return finishOutput(kDone);
  }
  llvm::StringRef what = arguments->positional.size() == 1
                             ? llvm::StringRef(arguments->positional.front())
                             : llvm::StringRef();
  if (what != "list" && what != "clean")
    return complain(kUsage, "`moire cache list` or `moire cache clean`?");
  llvm::Expected<ProgramCache> cache = ProgramCache::open();
  if (!cache)
    return complain(cache.takeError());
  if (what == "list")
    return list(*cache, json);
  uint64_t freed = cache->clean();
  if (json)
    print(llvm::formatv("{0:2}\n",
                        llvm::json::Value(llvm::json::Object{{"freed_bytes", int64_t(freed)}}))
              .str());
  else
    print("freed " + sizeText(freed) + " in " + cache->folder() + "\n");
  return finishOutput(kDone);
}

} // namespace moire::driver
