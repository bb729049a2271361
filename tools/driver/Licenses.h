// The licence texts that travel with a compiled program.

#ifndef MOIRE_TOOLS_DRIVER_LICENSES_H
#define MOIRE_TOOLS_DRIVER_LICENSES_H

#include "frontends/weights/Container.h"

#include <string>

namespace moire::driver {

/// Moire's own licence and notices of what is linked into a program, then what the model says about
/// its licence: GGUF's `general.license`, or the file LICENSE of a Hugging Face folder.
std::string licenseTexts(const Container &container);

} // namespace moire::driver

#endif
