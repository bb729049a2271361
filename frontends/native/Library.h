// The built-in descriptions, and the choice of the one that describes a model.

#ifndef MOIRE_FRONTENDS_NATIVE_LIBRARY_H
#define MOIRE_FRONTENDS_NATIVE_LIBRARY_H

#include "frontends/native/Ast.h"

namespace moire {

/// A file of frontends/models/, compiled in.
struct BuiltInDescription {
  const char *path; // as it stands in the repository, for messages
  const char *text;
};
const std::vector<BuiltInDescription> &builtInDescriptions();

/// The description in the file `userFile`, which then must match, or, if that is empty, the
/// built-in one that matches `container`. None is Unsupported, two are an error that names both.
std::unique_ptr<Description> findDescription(const Container &container,
                                             const std::string &userFile, ReadError &error);

/// The one of `candidates` that matches. Descriptions whose `fallback` lines hold count only if no
/// `match` holds. `error` names what was asked for.
const Description *pickDescription(const std::vector<const Description *> &candidates,
                                   const Container &container, ReadError &error);

} // namespace moire

#endif
