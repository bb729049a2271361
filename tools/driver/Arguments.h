// Reads the arguments of a verb.

#ifndef MOIRE_TOOLS_DRIVER_ARGUMENTS_H
#define MOIRE_TOOLS_DRIVER_ARGUMENTS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace moire::driver {

/// One option of a verb. With a value it is `--name VALUE` or `--name=VALUE`.
struct Option {
  llvm::StringRef name;
  bool takesValue;
  /// Called for each occurrence. Returns why the value is wrong, or an empty string.
  std::function<std::string(llvm::StringRef value)> set;
};

/// An option without a value, which sets `place`.
Option flag(llvm::StringRef name, bool &place);
/// An option with any value but an empty one.
Option text(llvm::StringRef name, std::string &place);
/// One of `words`.
Option choice(llvm::StringRef name, std::string &place, std::vector<llvm::StringRef> words);
/// A whole number in least .. most.
Option number(llvm::StringRef name, int64_t &place, int64_t least, int64_t most);

struct Arguments {
  llvm::SmallVector<std::string> positional; // neither options nor their values
  llvm::SmallVector<std::string> rest;       // everything after a `--`
  bool help = false;                         // --help or -h was among them
};

/// Reads `arguments`. On failure the result is empty and `error` says which argument is wrong, and
/// what may have been meant. With --help the rest is not looked at.
std::optional<Arguments> parseArguments(llvm::ArrayRef<llvm::StringRef> arguments,
                                        llvm::ArrayRef<Option> options, std::string &error);

/// ", did you mean 'NEAREST'?" if one of `names` is near, else nothing.
std::string nearestHint(llvm::StringRef given, llvm::ArrayRef<llvm::StringRef> names);

} // namespace moire::driver

#endif
