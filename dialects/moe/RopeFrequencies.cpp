// The frequencies of rotary position embedding, rounded as the reference implementations round.

#include "dialects/moe/Moe.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace mlir::moe;

// Every step below is one operation in f32 of transformers' modeling_rope_utils.py. torch computes
// `scalar / tensor` as reciprocal(tensor) * scalar, which rounds twice; so do we.

static float asFloat(FloatAttr value) { return static_cast<float>(value.getValueAsDouble()); }

/// transformers' _compute_llama3_parameters for one frequency.
static float rescaleAsLlama3(float frequency, Llama3ScalingAttr scaling) {
  // Python computes with the factors alone in f64.
  double lowFactor = scaling.getLowFactor().getValueAsDouble();
  double highFactor = scaling.getHighFactor().getValueAsDouble();
  auto context = static_cast<double>(scaling.getOriginalContext());
  auto longest = static_cast<float>(context / lowFactor);
  auto shortest = static_cast<float>(context / highFactor);
  float factor = asFloat(scaling.getFactor());

  float waveLength = (1.0f / frequency) * static_cast<float>(2 * std::numbers::pi);
  if (waveLength > longest)
    return frequency / factor;
  if (waveLength < shortest)
    return frequency;
  float smooth = (1.0f / waveLength) * static_cast<float>(context);
  smooth = smooth - static_cast<float>(lowFactor);
  smooth = smooth / static_cast<float>(highFactor - lowFactor);
  float slow = (1.0f - smooth) * frequency;
  slow = slow / factor;
  float fast = smooth * frequency;
  return slow + fast;
}

SmallVector<float> RopeOp::getFrequencies() {
  auto base = static_cast<float>(getBase().convertToDouble());
  auto dims = static_cast<float>(getRotaryDims());
  SmallVector<float> frequencies;
  for (int64_t i = 0; i < static_cast<int64_t>(getRotaryDims()); i += 2) {
    float exponent = static_cast<float>(i) / dims;
    auto power = static_cast<float>(std::pow(static_cast<double>(base), exponent));
    float frequency = 1.0f / power;
    if (Attribute scaling = getScalingAttr()) {
      if (auto linear = dyn_cast<LinearScalingAttr>(scaling))
        frequency = frequency / asFloat(linear.getFactor());
      else
        frequency = rescaleAsLlama3(frequency, cast<Llama3ScalingAttr>(scaling));
    }
    frequencies.push_back(frequency);
  }
  return frequencies;
}
