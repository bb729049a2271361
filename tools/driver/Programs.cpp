#include "tools/driver/Programs.h"

#include "codegen/artifact/Cache.h"
#include "tools/driver/Console.h"
#include "tools/driver/Version.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"

#include <cerrno>
#include <cstring>
#include <unistd.h>

namespace moire::driver {

bool isElf(const std::string &path) {
  auto buffer = llvm::MemoryBuffer::getFileSlice(path, 4, 0);
  return buffer && (*buffer)->getBuffer() == "\177ELF";
}

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

int findOrCompile(CompileRequest &request, std::string &path) {
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

int become(const std::string &program, const std::vector<std::string> &arguments) {
  std::vector<char *> pointers = {const_cast<char *>(program.c_str())};
  for (const std::string &argument : arguments)
    pointers.push_back(const_cast<char *>(argument.c_str()));
  pointers.push_back(nullptr);
  execv(program.c_str(), pointers.data());
  return complain(kFailed, program + ": cannot be run: " + std::strerror(errno));
}

} // namespace moire::driver
