// The metadata section of a program: what `--info` shows (runtime/Metadata.h lists the keys).

#ifndef MOIRE_TOOLS_DRIVER_METADATA_H
#define MOIRE_TOOLS_DRIVER_METADATA_H

#include "frontends/tokenizer/TokenizerImport.h"
#include "tools/driver/Pipeline.h"

namespace moire::driver {

/// A JSON object, as text.
std::string metadataText(const CompileRequest &request, const Container &container,
                         const Model &model, const Summary &summary, const ChatForm &chat);

} // namespace moire::driver

#endif
