// The metadata section of a program: what `--info` shows (runtime/Metadata.h lists the keys).

#ifndef MOIRE_TOOLS_DRIVER_METADATA_H
#define MOIRE_TOOLS_DRIVER_METADATA_H

#include "codegen/cpu/Compile.h"
#include "frontends/tokenizer/TokenizerImport.h"
#include "tools/driver/Pipeline.h"

namespace moire::driver {

/// What a program of `model`, a path, is called: a folder as itself, config.json as its folder, and
/// other files as they are without .gguf or .json.
std::string programName(llvm::StringRef model);

/// A JSON object, as text. `route` is the number of experts that a token has in each layer, empty
/// if the program does not hand them out; of `compiled` what the compiler counted, and the regions
/// of --profile.
std::string metadataText(const CompileRequest &request, const Container &container,
                         const Model &model, const Summary &summary, const ChatForm &chat,
                         llvm::ArrayRef<int64_t> route, const CompiledModel &compiled);

} // namespace moire::driver

#endif
