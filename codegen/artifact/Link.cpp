#include "codegen/artifact/Link.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"

#include <algorithm>

LLD_HAS_DRIVER(elf)

namespace moire {

//===----------------------------------------------------------------------===//
// Symbols

/// What generated code may call: the runtime's header, and what LLVM emits calls to by itself.
static const llvm::StringRef kAllowedSymbols[] = {"moire_barrier", "memcpy", "memset", "memmove"};

llvm::Error checkKernelSymbols(std::span<const uint8_t> kernel) {
  auto bug = [](const std::string &what) {
    return artifactError(ArtifactExit::Bug, "the generated object " + what);
  };
  llvm::StringRef bytes(reinterpret_cast<const char *>(kernel.data()), kernel.size());
  auto object =
      llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(bytes, "kernel"));
  if (!object)
    return bug("is no ELF object: " + llvm::toString(object.takeError()));

  bool definesProgram = false;
  std::vector<std::string> unexpected;
  for (const llvm::object::SymbolRef &symbol : (*object)->symbols()) {
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    llvm::Expected<uint32_t> flags = symbol.getFlags();
    if (!name || !flags)
      return bug("has a broken symbol table");
    if (!(*flags & llvm::object::SymbolRef::SF_Undefined))
      definesProgram |= *name == "moire_program";
    else if (!name->empty() && !llvm::is_contained(kAllowedSymbols, *name))
      unexpected.push_back("'" + name->str() + "'");
  }
  if (!unexpected.empty())
    return bug("calls what no runtime provides: " + llvm::join(unexpected, ", "));
  if (!definesProgram)
    return bug("does not define 'moire_program'");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// What is linked with

std::string defaultStubPath() {
  // The address only says which binary is meant, for systems where nothing else does.
  std::string self =
      llvm::sys::fs::getMainExecutable(nullptr, reinterpret_cast<void *>(&defaultStubPath));
  llvm::SmallString<128> path(llvm::sys::path::parent_path(llvm::sys::path::parent_path(self)));
  llvm::sys::path::append(path, "lib", "moire", "moire-stub.o");
  return std::string(path);
}

static const char kLoader[] = "/lib64/ld-linux-x86-64.so.2"; // fixed by the x86-64 ABI

/// The C library where distributions keep it, or an error that names the package.
static llvm::Expected<std::string> findCLibrary() {
  static const char *const kFolders[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                         "/lib64", "/usr/lib64", "/usr/lib"};
  for (llvm::StringRef folder : kFolders) {
    std::string path = folder.str() + "/libc.so.6";
    if (llvm::sys::fs::exists(path) && llvm::sys::fs::exists(kLoader))
      return path;
  }
  return artifactError(ArtifactExit::Failed,
                       std::string("cannot link: no C library found (libc.so.6 and ") + kLoader +
                           "); install the package that holds it (Debian: libc6)");
}

//===----------------------------------------------------------------------===//
// lld in process

namespace {

/// A file with a unique name in the folder for temporary files, gone with this object or a signal.
class TemporaryFile {
public:
  static llvm::Expected<TemporaryFile> create(llvm::StringRef suffix) {
    llvm::SmallString<128> path;
    if (std::error_code code = llvm::sys::fs::createTemporaryFile("moire", suffix, path))
      return systemError("create a temporary file for linking", code.value());
    llvm::sys::RemoveFileOnSignal(path);
    return TemporaryFile(std::string(path));
  }
  TemporaryFile(TemporaryFile &&other) : name(std::move(other.name)) { other.name.clear(); }
  TemporaryFile &operator=(TemporaryFile &&) = delete;
  ~TemporaryFile() {
    if (name.empty())
      return;
    llvm::sys::fs::remove(name);
    llvm::sys::DontRemoveFileOnSignal(name);
  }

  const std::string &path() const { return name; }

private:
  explicit TemporaryFile(std::string name) : name(std::move(name)) {}
  std::string name;
};

} // namespace

/// Runs `ld.lld ARGUMENTS OBJECTS LIBRARIES -o …` and returns what it wrote.
static llvm::Expected<ByteVector> runLinker(llvm::ArrayRef<std::span<const uint8_t>> objects,
                                            std::vector<std::string> arguments,
                                            const std::vector<std::string> &libraries) {
  llvm::Expected<TemporaryFile> output = TemporaryFile::create("elf");
  if (!output)
    return output.takeError();
  std::vector<TemporaryFile> files;
  for (std::span<const uint8_t> object : objects) {
    llvm::Expected<TemporaryFile> file = TemporaryFile::create("o");
    if (!file)
      return file.takeError();
    llvm::StringRef bytes(reinterpret_cast<const char *>(object.data()), object.size());
    if (llvm::Error error = llvm::writeToOutput(file->path(), [&](llvm::raw_ostream &os) {
          os << bytes;
          return llvm::Error::success();
        }))
      return error;
    files.push_back(std::move(*file));
  }

  // One thread and no build id: the same input gives the same bytes.
  arguments.insert(arguments.begin(), {"ld.lld", "--threads=1", "--build-id=none"});
  for (const TemporaryFile &file : files)
    arguments.push_back(file.path());
  llvm::append_range(arguments, libraries);
  llvm::append_range(arguments, std::vector<std::string>{"-o", output->path()});
  std::vector<const char *> pointers;
  for (const std::string &argument : arguments)
    pointers.push_back(argument.c_str());

  std::string messages;
  llvm::raw_string_ostream os(messages);
  lld::Result result = lld::lldMain(pointers, os, os, {{lld::Gnu, &lld::elf::link}});
  if (result.retCode != 0)
    return artifactError(ArtifactExit::Bug, "linking failed: " + messages);

  auto linked = llvm::MemoryBuffer::getFile(output->path(), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!linked)
    return systemError("read the linked image", linked.getError().value());
  return ByteVector((*linked)->getBuffer().bytes_begin(), (*linked)->getBuffer().bytes_end());
}

llvm::Expected<ByteVector> linkProgram(std::span<const uint8_t> kernel, const std::string &stub) {
  if (llvm::Error error = checkKernelSymbols(kernel))
    return std::move(error);
  llvm::Expected<std::string> cLibrary = findCLibrary();
  if (!cLibrary)
    return cLibrary.takeError();
  std::string stubPath = stub.empty() ? defaultStubPath() : stub;
  if (!llvm::sys::fs::exists(stubPath))
    return artifactError(ArtifactExit::Failed, "cannot link: the runtime object '" + stubPath +
                                                   "' is missing; install Moire again");
  std::vector<std::string> arguments = {"-pie",
                                        "--dynamic-linker=" + std::string(kLoader),
                                        "--gc-sections",
                                        "--eh-frame-hdr",
                                        "--hash-style=gnu",
                                        "-z",
                                        "relro",
                                        "-z",
                                        "now",
                                        "-z",
                                        "noexecstack",
                                        "--strip-debug",
                                        "--discard-all",
                                        stubPath};
  // The loader defines __tls_get_addr.
  return runLinker(kernel, arguments, {"--as-needed", *cLibrary, kLoader});
}

llvm::Expected<ByteVector> mergeObjects(llvm::ArrayRef<std::span<const uint8_t>> objects) {
  return runLinker(objects, {"--relocatable"}, {});
}

llvm::Expected<ByteVector> linkSharedLibrary(std::span<const uint8_t> kernel,
                                             const std::string &soname) {
  if (llvm::Error error = checkKernelSymbols(kernel))
    return std::move(error);
  llvm::Expected<std::string> cLibrary = findCLibrary();
  if (!cLibrary)
    return cLibrary.takeError();
  std::vector<std::string> arguments = {"-shared", "--gc-sections", "--hash-style=gnu", "-z",
                                        "noexecstack"};
  if (!soname.empty())
    arguments.push_back("--soname=" + soname);
  return runLinker(kernel, arguments, {"--as-needed", *cLibrary});
}

} // namespace moire
