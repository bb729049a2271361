#include "codegen/artifact/Link.h"
#include "runtime/Abi.h"
#include "test/codegen/artifact/TestFiles.h"

#include "llvm/Object/ELFObjectFile.h"

#include <cstdio>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace moire;
using namespace moire::test;

// Defined by CMake: objects made from the C files beside this one.
static const char kKernel[] = MOIRE_TEST_KERNEL, kStub[] = MOIRE_TEST_STUB,
                  kKernelWithLibm[] = MOIRE_TEST_KERNEL_WITH_LIBM;
static const char kRuntimeStub[] = MOIRE_TEST_RUNTIME_STUB; // the one that is installed

namespace {

ByteVector good(llvm::Expected<ByteVector> linked) {
  if (linked)
    return *linked;
  ADD_FAILURE() << llvm::toString(linked.takeError());
  return {};
}

/// The names of the shared libraries that an image needs.
std::vector<std::string> needed(const ByteVector &image) {
  std::vector<std::string> names;
  llvm::StringRef bytes(reinterpret_cast<const char *>(image.data()), image.size());
  auto file = llvm::cantFail(llvm::object::ELFFile<llvm::object::ELF64LE>::create(bytes));
  const char *strings = nullptr;
  for (const auto &entry : llvm::cantFail(file.dynamicEntries()))
    if (entry.getTag() == llvm::ELF::DT_STRTAB)
      strings = reinterpret_cast<const char *>(llvm::cantFail(file.toMappedAddr(entry.getPtr())));
  for (const auto &entry : llvm::cantFail(file.dynamicEntries()))
    if (entry.getTag() == llvm::ELF::DT_NEEDED)
      names.push_back(strings + entry.getVal());
  return names;
}

TEST(Link, MakesAProgramThatRuns) {
  TestFolder folder;
  ByteVector image = good(linkProgram(readFile(kKernel), kStub));
  std::string path = folder / "program";
  writeFile(path, image);
  chmod(path.c_str(), 0700);
  FILE *output = popen(path.c_str(), "r");
  char text[16] = {};
  EXPECT_EQ(fread(text, 1, sizeof(text) - 1, output), 8u);
  EXPECT_STREQ(text, "stepped\n");
  EXPECT_EQ(WEXITSTATUS(pclose(output)), 42);
  EXPECT_EQ(needed(image), std::vector<std::string>{"libc.so.6"});
}

TEST(Link, NeedsNothingButTheCLibraryBesideTheRuntime) {
  TestFolder folder;
  ByteVector image = good(linkProgram(readFile(kKernel), kRuntimeStub));
  std::string path = folder / "program";
  writeFile(path, image);
  chmod(path.c_str(), 0700);
  EXPECT_EQ(needed(image), std::vector<std::string>{"libc.so.6"});
  EXPECT_EQ(std::system((path + " --help > " + (folder / "help")).c_str()), 0);
  EXPECT_GT(readFile(folder / "help").size(), 0u);
}

TEST(Link, IsRepeatable) {
  std::vector<uint8_t> kernel = readFile(kKernel);
  EXPECT_EQ(good(linkProgram(kernel, kStub)), good(linkProgram(kernel, kStub)));
}

TEST(Link, KeepsTheNamesOfGlobalFunctions) {
  ByteVector image = good(linkProgram(readFile(kKernel), kStub));
  llvm::StringRef bytes(reinterpret_cast<const char *>(image.data()), image.size());
  auto file = llvm::cantFail(llvm::object::ObjectFile::createObjectFile({bytes, "program"}));
  std::vector<std::string> functions;
  for (const llvm::object::SymbolRef &symbol : file->symbols())
    if (llvm::cantFail(symbol.getType()) == llvm::object::SymbolRef::ST_Function)
      functions.push_back(llvm::cantFail(symbol.getName()).str());
  EXPECT_TRUE(llvm::is_contained(functions, "run"));
  EXPECT_TRUE(llvm::is_contained(functions, "moire_barrier"));
  EXPECT_FALSE(llvm::is_contained(functions, "step")); // static
}

TEST(Link, MergesObjects) {
  ByteVector kernel = readFile(kKernel);
  ByteVector merged = good(mergeObjects({kernel}));
  EXPECT_FALSE(llvm::errorToBool(checkKernelSymbols(merged)));
  EXPECT_FALSE(good(linkProgram(merged, kStub)).empty());
  llvm::Expected<ByteVector> twice = mergeObjects({kernel, kernel});
  ASSERT_FALSE(bool(twice));
  EXPECT_NE(llvm::toString(twice.takeError()).find("duplicate symbol: moire_program"),
            std::string::npos);
}

TEST(Link, MakesASharedLibrary) {
  TestFolder folder;
  ByteVector image = good(linkSharedLibrary(readFile(kKernel), "libmodel.so"));
  writeFile(folder / "libmodel.so", image);
  void *library = dlopen((folder / "libmodel.so").c_str(), RTLD_LAZY);
  ASSERT_TRUE(library) << dlerror();
  auto *program = static_cast<const moire_program *>(dlsym(library, "moire_program"));
  ASSERT_TRUE(program);
  EXPECT_EQ(program->vocab, 42);
  dlclose(library);
}

/// The exit code and message of a link that must fail.
int failure(std::span<const uint8_t> kernel, const std::string &stub, std::string &message) {
  auto linked = linkProgram(kernel, stub);
  return linked ? 0 : takeError(linked.takeError(), message);
}

TEST(Link, NamesWhatGeneratedCodeMustNotCall) {
  std::string message;
  EXPECT_EQ(failure(readFile(kKernelWithLibm), kStub, message), 70);
  EXPECT_NE(message.find("'expf'"), std::string::npos) << message;
  EXPECT_NE(message.find("'malloc'"), std::string::npos) << message;
}

TEST(Link, RefusesObjectsThatAreNoProgram) {
  std::string message;
  EXPECT_EQ(failure(readFile(kStub), kStub, message), 70);
  std::vector<uint8_t> kernel = readFile(kKernel);
  EXPECT_EQ(failure(std::span(kernel).first(100), kStub, message), 70);
  EXPECT_EQ(failure({}, kStub, message), 70);
}

TEST(Link, NamesAMissingStub) {
  std::string message;
  EXPECT_EQ(failure(readFile(kKernel), "/no/stub.o", message), 1);
  EXPECT_NE(message.find("/no/stub.o"), std::string::npos) << message;
  EXPECT_TRUE(llvm::StringRef(defaultStubPath()).ends_with("/lib/moire/moire-stub.o"));
}

TEST(Link, ReportsWhatTheLinkerSays) {
  // Two definitions of everything; afterwards the linker still works.
  std::string message;
  EXPECT_EQ(failure(readFile(kKernel), kKernel, message), 70);
  EXPECT_NE(message.find("duplicate symbol"), std::string::npos) << message;
  EXPECT_FALSE(good(linkProgram(readFile(kKernel), kStub)).empty());
}

} // namespace
