// How a model is to be compiled: the options that `moire compile` and `moire run` share.

#ifndef MOIRE_TOOLS_DRIVER_COMPILEOPTIONS_H
#define MOIRE_TOOLS_DRIVER_COMPILEOPTIONS_H

#include "tools/driver/Arguments.h"

namespace moire::driver {

struct CompileOptions {
  std::string model;                // the folder or file that the user named
  std::string quant;                // rules (passes/quantization/WeightRules.h); empty: none
  std::string activations = "int8"; // or bf16, f32
  std::string kv;                   // f32, f16, bf16, int8; empty: f16, or f32 with f32 activations
  int64_t kv_page = 0;              // positions in a KV page; 0: the default
  bool keep_hidden = false;         // the program can hand out hidden states
  bool keep_route = false;          // … and which experts each token has
  bool profile = false;             // the program measures its regions
  std::string description;          // a model description; empty: a built-in one
  std::string cpu = "native";
  int64_t opt_level = 3;
  /// Weights for a config without any: the seed, unless it is empty; the storage type of matrices
  /// ("" as the config says); the exponent of Zipf's law for the choice of experts.
  std::string synthetic, synthetic_type;
  double zipf = 0;
  std::string routing; // the option that says so, as it was given: a key must not round it
  int64_t threads = 0; // that pack weights; 0: as many as there are cores for this process
  bool quiet = false;  // no progress, no closing line

  /// How keys and values are stored.
  std::string kvFormat() const { return !kv.empty() ? kv : activations == "f32" ? "f32" : "f16"; }
  /// The options that differ from the defaults, as one would type them; of the description's path
  /// the last part only.
  std::string spelled() const;
};

/// The options that fill in `place`, in the order of the help. `threads` is not among them.
std::vector<Option> compileOptions(CompileOptions &place);

/// Lines of help for those options.
extern const char compileOptionsHelp[];

} // namespace moire::driver

#endif
