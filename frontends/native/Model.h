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

/// How tokens choose their experts. See `moe.route`.
struct Routing {
  enum class Scores : uint8_t {
    Softmax,       // over all experts
    Sigmoid,       // of each by itself
    SoftmaxChosen, // over the chosen ones, which are those of the largest logits
  };
  enum class GroupScore : uint8_t { Max, Top2Sum };
  Scores scores = Scores::Softmax;
  int64_t experts = 0, top = 0;
  std::optional<double> normalize; // weights are divided by their sum plus this
  double scaling = 1;              // of the weights, after that
  int64_t groups = 1;              // of consecutive experts
  int64_t group_limit = 1;         // groups that can be chosen from
  GroupScore group_score = GroupScore::Max;
};

/// A weight as one layer (or the model) uses it.
struct WeightUse {
  std::string name; // in the description; a bias has its weight's name and "_bias"
  /// The tensor's name, `{i}` for the layer's number if `layer` >= 0, `{e}` for the expert's if
  /// there is a tensor for each.
  std::string pattern;
  int64_t layer = -1; // the number that replaces `{i}`, or -1: one tensor for the whole model
  std::vector<int64_t> shape; // [out, in], [width], or [experts, out, in]
  StorageType type = StorageType::F32;
  int64_t interleaved_heads = 0; // heads whose rows stand in the order of interleaved RoPE
  int64_t first_row = 0;         // of each matrix of the tensor, which has
  int64_t all_rows = 0;          // so many, or 0: as many as the weight
  SourceRange at;                // of the definition

  /// How many experts' matrices it holds, or 0.
  int64_t experts() const { return shape.size() == 3 ? shape[0] : 0; }
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
    Gate,      // inputs: gate (as wide as the other, or 1), rows; activation
    Add,       // inputs: two
    Scale,     // inputs: x; factor
    Route,     // inputs: logits [T, E]; weights: perhaps bias; routing. Its width is `routing.top`
    Experts,   // inputs: x, a Route; weights: gate (if `gated`), up, down; activation
  };
  enum class Activation : uint8_t { Silu, Sigmoid };
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
  Activation activation = Activation::Silu;
  double factor = 1;
  Routing routing;
  bool gated = false;
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

/// `pattern` with `{i}` replaced by the number `layer` and `{e}` by `expert`, unless negative.
std::string tensorName(const std::string &pattern, int64_t layer, int64_t expert = -1);

/// Whether weights may be missing altogether, as with a bare config.json.
enum class Weights : uint8_t { Needed, FromDescription };

/// Applies `description` to `container`. With Weights::FromDescription and a container without
/// tensors, shapes come from the description and types from the config's `torch_dtype`; optional
/// tensors are taken as absent. On failure returns false, with all errors in `error`.
bool applyDescription(const Description &description, const Container &container, Weights weights,
                      Model &model, ReadError &error);

} // namespace moire

#endif
