// A model in numbers.

#ifndef MOIRE_TOOLS_DRIVER_SUMMARY_H
#define MOIRE_TOOLS_DRIVER_SUMMARY_H

#include "frontends/native/Model.h"

#include "llvm/ADT/StringRef.h"

#include <map>
#include <string>

namespace moire::driver {

/// Layers whose tokens go to `chosen` of `experts`.
struct ExpertLayers {
  int64_t experts, chosen;
  int64_t layers;
};

struct Summary {
  int64_t parameters = 0;                       // a tensor that is used twice counts once
  int64_t active_parameters = 0;                // of the experts only as many as a token goes to
  std::map<std::string, int64_t> bytes_of_type; // as stored in the source, or rounded; by type
  std::string main_type;                        // the storage type of most parameters
  int64_t weight_bytes = 0;                     // the sum of bytes_of_type
  int64_t kv_bytes_per_token = 0;               // all layers
  int64_t operations_per_token = 0; // two a multiply-add, without attention; of the chosen experts
  int64_t operations_per_position = 0;     // attention: for each position that a token sees
  std::vector<ExpertLayers> expert_layers; // one for each kind
};

/// Formats by the patterns of tensors' names.
using TensorFormats = std::map<std::string, BlockFormat>;

/// `kv` is the format of keys and values: f32, f16, bf16 or int8. Tensors in `rounded` count as
/// what they are rounded to.
Summary summarize(const Model &model, llvm::StringRef kv, const TensorFormats &rounded = {});

/// Bits that a parameter takes on average, "4.51".
std::string bitsText(int64_t bytes, int64_t parameters);

} // namespace moire::driver

#endif
