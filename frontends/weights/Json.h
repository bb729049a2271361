// JSON from untrusted files: llvm::json behind limits.

#ifndef MOIRE_FRONTENDS_WEIGHTS_JSON_H
#define MOIRE_FRONTENDS_WEIGHTS_JSON_H

#include "frontends/weights/Container.h"
#include "llvm/Support/JSON.h"

namespace moire {

/// Deeper nesting is refused before the recursive parser sees it.
constexpr unsigned maxJsonDepth = 64;
/// So are more values than this. A value takes up to some 100 bytes in memory but may take only two
/// in the file; the largest published headers and tokenizers have one or two million.
constexpr size_t maxJsonValues = 4'000'000;

/// What to do when a name occurs twice in the outermost object. Inside of it the last one wins.
enum class RepeatedNames : uint8_t { LastWins, Refuse };

/// Parses `text` (UTF-8), which must be one JSON object. Python's additions are taken as well:
/// Infinity and -Infinity are doubles, NaN is read as null. `name` is the file, for messages.
bool parseJsonObject(std::string_view text, const std::string &name, RepeatedNames repeated,
                     llvm::json::Object &object, ReadError &error);

} // namespace moire

#endif
