// A description applied to a model: every dimension a number, every weight a tensor, every layer a
// list of steps. Plain data, from which the IR is built and reports are written.

#ifndef MOIRE_FRONTENDS_NATIVE_MODEL_H
#define MOIRE_FRONTENDS_NATIVE_MODEL_H

#include "frontends/native/Ast.h"

#include <optional>

namespace moire {

/// How RoPE's frequencies are changed. See `#moe.linear_scaling` and `#moe.llama3_scaling`.
struct RopeScaling {
  enum class Kind : uint8_t { None, Linear, Llama3 };
  Kind kind = Kind::None;
  double factor = 1;
  double low_factor = 1, high_factor = 1; // Llama3
  int64_t original_context = 0;           // Llama3
};

/// A weight as one layer (or the model) uses it.
struct WeightUse {
  std::string name;    // in the description; a bias has its weight's name and "_bias"
  std::string pattern; // the tensor's name, `{i}` for the layer's number if `layer` >= 0
  int64_t layer = -1;  // the number that replaces `{i}`, or -1: one tensor for the whole model
  std::vector<int64_t> shape; // [out, in] or [width]
  StorageType type = StorageType::F32;
  int64_t interleaved_heads = 0; // heads whose rows stand in the order of interleaved RoPE
  SourceRange at;                // of the definition
};

/// A step: [T, width] -> [T, width], T the number of tokens.
struct Step {
  enum class Kind : uint8_t {
    Input,     // the residual stream that enters
    Embed,     // weights: table
    RmsNorm,   // inputs: x; weights: gain; eps
    Linear,    // inputs: x; weights: matrix, perhaps bias
    Rope,      // inputs: x; head_dim, rotary_dims, base, scaling
    Attention, // inputs: q, k, v; head_dim, scale, window
    GateSilu,  // inputs: gate, up
    Add,       // inputs: two
  };
  Kind kind;
  SourceRange at;
  std::vector<int> inputs;  // indices of earlier steps
  std::vector<int> weights; // indices into Body::weights
  int64_t width = 0;        // of the result
  double eps = 0;
  int64_t head_dim = 0, rotary_dims = 0;
  double base = 0;
  RopeScaling scaling;
  double scale = 0;
  std::optional<int64_t> window;
};

/// What runs before the layers, in one layer, or after them.
struct Body {
  SourceRange at; // of the layer's block
  std::vector<Step> steps;
  std::vector<WeightUse> weights;
  int result = -1; // the step whose rows come out: the last, as nothing else would be needed
};

/// Layers with the same steps, shapes and storage types.
struct LayerClass {
  Body body; // of its first layer
  std::vector<int64_t> layers;
  /// For each of body.weights that is one a layer: the number that replaces `{i}`, for each layer.
  std::vector<std::vector<int64_t>> weight_layers;
};

/// Consecutive layers of one class: `count` from the layer `first`, which is the `slice`th of the
/// class.
struct LayerRun {
  size_t layer_class;
  int64_t first, count, slice;
};

struct Model {
  std::string architecture;
  SourceRange at;      // of its name in the description
  int64_t context = 0; // largest number of positions
  int64_t layers = 0;
  int64_t hidden = 0;                 // width of the residual stream
  int64_t vocabulary = 0;             // width of the logits
  int64_t kv_heads = 0, head_dim = 0; // of the key/value states, the same in every layer
  Body before, after;
  std::vector<LayerClass> classes;
  std::vector<LayerRun> runs;
};

/// `pattern` with `{…}` replaced by the number `layer`, unless that is negative.
std::string tensorName(const std::string &pattern, int64_t layer);

/// Whether weights may be missing altogether, as with a bare config.json.
enum class Weights : uint8_t { Needed, FromDescription };

/// Applies `description` to `container`. With Weights::FromDescription and a container without
/// tensors, shapes come from the description and types from the config's `torch_dtype`; optional
/// tensors are taken as absent. On failure returns false, with all errors in `error`.
bool applyDescription(const Description &description, const Container &container, Weights weights,
                      Model &model, ReadError &error);

} // namespace moire

#endif
