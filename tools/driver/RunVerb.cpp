// moire run: compiles a model into the cache, if it is not there yet, and becomes the program.

#include "codegen/artifact/Cache.h"
#include "tools/driver/Console.h"
#include "tools/driver/Pipeline.h"
#include "tools/driver/Verbs.h"
#include "tools/driver/Version.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace moire::driver {

static const char helpHead[] =
    R"(Example: moire run SmolLM2-135M-Instruct.Q4_1.gguf -p "Give three primary colors."

  moire run MODEL [-p TEXT] [options] [-- options of the program]

Compiles MODEL, keeps the program (see `moire cache`), and runs it. Passed on to the program:
  -p TEXT, -n N, --temp T, --threads N     and everything after -- (try: moire run MODEL -- --help)

How the model is compiled:
)";
static const char helpTail[] = "  --quiet                   no progress and no notes\n";

/// Everything that the program depends on, condensed.
static llvm::Expected<std::string> cacheKey(const CompileOptions &options) {
  CacheKey key;
  key.add("version", versionLine());
  // Two builds of one version may generate different code.
  if (llvm::Error error = key.addFile("/proc/self/exe"))
    return error;
  key.add("options", options.spelled());
  if (options.cpu == "native") {
    key.add("cpu", llvm::sys::getHostCPUName());
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      if (feature.second)
        key.add("feature", feature.first());
  }
  if (!options.description.empty())
    if (llvm::Error error = key.addFile(options.description))
      return error;
  llvm::Error error = llvm::sys::fs::is_directory(options.model) ? key.addFolder(options.model)
                                                                 : key.addFile(options.model);
  if (error)
    return error;
  return key.hex();
}

/// The path of the compiled program in `path`; compiles it if need be.
static int findOrCompile(CompileRequest &request, std::string &path) {
  llvm::Expected<ProgramCache> cache = ProgramCache::open();
  if (!cache)
    return complain(cache.takeError());
  if (!llvm::sys::fs::exists(request.options.model))
    return complain(kBadInput, request.options.model + ": there is no such file or folder");
  llvm::Expected<std::string> key = cacheKey(request.options);
  if (!key)
    return complain(key.takeError());
  std::optional<std::string> found = cache->find(*key);
  if (!found) {
    llvm::Expected<ProgramCache::Lock> lock = cache->lock(*key);
    if (!lock)
      return complain(lock.takeError());
    found = cache->find(*key); // another process may have compiled it meanwhile
    if (!found) {
      if (!request.options.quiet)
        note("compiling " + request.options.model + " (kept in " + cache->folder() + ")");
      request.output = cache->pathOf(*key);
      CompileReport report;
      if (int code = compileModel(request, report))
        return code;
      cache->describe(
          *key, llvm::sys::path::filename(llvm::StringRef(request.options.model).rtrim('/')).str() +
                    " " + request.options.spelled());
      cache->trim(*key);
      found = request.output;
    }
  }
  path = *found;
  return kDone;
}

/// Replaces this process by the program. Returns only if that fails.
static int become(const std::string &program, const std::vector<std::string> &arguments) {
  std::vector<char *> pointers = {const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments)
    pointers.push_back(const_cast<char *>(argument.c_str()));
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  return complain(kFailed, program + ": cannot be run: " + std::strerror(errno));
}

int runRun(llvm::ArrayRef<llvm::StringRef> given) {
  CompileRequest request;
  std::vector<std::string> passedOn;
  std::vector<Option> options = compileOptions(request.options);
  for (llvm::StringRef name : {"-p", "--prompt", "-n", "--temp", "--threads"})
    options.push_back({name, true, [&passedOn, name](llvm::StringRef value) {
                         passedOn.push_back(name.str());
                         passedOn.push_back(value.str());
                         return std::string();
                       }});
  std::string error;
  std::optional<Arguments> arguments = parseArguments(given, options, error);
  if (!arguments)
    return complain(kUsage, error + " (options of the program go after --)");
  if (arguments->help) {
    print(helpHead);
    print(compileOptionsHelp);
    print(helpTail);
    return finishOutput(kDone);
  }
  if (arguments->positional.size() != 1)
    return complain(kUsage, arguments->positional.empty()
                                ? "which model? `moire run MODEL -p \"TEXT\"`"
                                : "one model at a time, not also '" + arguments->positional[1] +
                                      "'; a prompt is given with -p \"TEXT\"");
  request.options.model = arguments->positional.front();
  request.command_line = "moire run " + llvm::join(given, " ");
  passedOn.insert(passedOn.end(), arguments->rest.begin(), arguments->rest.end());

  std::string program;
  if (int code = findOrCompile(request, program))
    return code;
  return become(program, passedOn);
}

} // namespace moire::driver
