// A model that the test compiles and then opens through the host interface.
//
// A host links the generated object into itself; a test has several models, so each one becomes a
// shared library here. The weights come from the program that `moire compile` makes of it.

#ifndef MOIRE_TEST_E2E_COMPILEDMODEL_H
#define MOIRE_TEST_E2E_COMPILEDMODEL_H

#include "runtime/moire.h"

#include <string>
#include <vector>

namespace moire::test {

class CompiledModel {
public:
  /// Compiles `path` with options of `moire compile` (one string), and opens the result. Files go
  /// into `folder` and start with `name`. On failure error() says why and model() is null.
  CompiledModel(const std::string &path, const std::string &options, const std::string &folder,
                const std::string &name);
  /// Opens the weights of `program` with the code of `object`, which was made for them.
  CompiledModel(const std::string &program, const std::string &object);
  ~CompiledModel();
  CompiledModel(const CompiledModel &) = delete;
  CompiledModel &operator=(const CompiledModel &) = delete;

  const std::string &error() const { return message; }
  const std::string &program() const { return executable; }
  moire_model *model() const { return opened; }
  const moire_info &info() const { return about; }

  /// Null, with error() set, when the system gives no memory or threads.
  moire_state *createState(int32_t slots, int32_t threads, int64_t context, int64_t maxTokens);

private:
  void open(const std::string &object);

  std::string message, executable;
  void *library = nullptr;
  moire_model *opened = nullptr;
  moire_info about = {};
};

/// Runs a shell command; returns what it printed, or "" with `error` set if it failed.
std::string outputOf(const std::string &command, std::string &error);

} // namespace moire::test

#endif
