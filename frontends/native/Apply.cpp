// Applies a description to a container, layer by layer, and groups equal layers.

#include "frontends/native/BodyEvaluator.h"

#include <cstring>

using namespace moire;

namespace {

/// Deeper models are none that anybody published.
constexpr int64_t maxLayers = 4096;

class Application {
public:
  Application(const Description &description, const Container &container, Weights weights,
              Model &model)
      : description(description), diagnostics(description.source),
        config(description, container, diagnostics),
        weights(description, container, weights, config, diagnostics), model(model) {}

  bool run(ReadError &error) {
    apply();
    weights.reportMissing();
    if (complete)
      weights.reportUnexpected();
    if (diagnostics.ok())
      return true;
    error = diagnostics.report();
    return false;
  }

private:
  void apply() {
    if (!config.checkRequirements())
      return; // what else a model lacks that this description is not for helps nobody
    model.architecture = description.name;
    model.at = description.at;
    model.context = wholeNumber("context");
    model.layers = wholeNumber("layers");
    if (model.layers > maxLayers) {
      diagnostics.error(description.findConfig("layers")->at,
                        std::to_string(model.layers) + " layers; at most " +
                            std::to_string(maxLayers) + " are taken");
      return;
    }
    // What is missed is said in one go, so go on as far as there is something to look at.

    model.before = body(description.before, "x", "", -1, 0);
    bool good = model.before.result >= 0;
    model.hidden = good ? width(model.before) : unknownWidth;
    // Every layer is looked at even if one is wrong, for missing tensors in all of them; but what
    // is wrong in the description itself would only be said again.
    for (int64_t layer = 0; layer < model.layers && (layer == 0 || diagnostics.ok()); ++layer)
      good &= addLayer(layer);
    model.after = body(description.after, "logits", "", -1, model.hidden);
    if (model.after.result < 0)
      good = false;
    else
      checkAfter();
    complete = diagnostics.ok();
    if (good)
      model.vocabulary = width(model.after);
  }

  int64_t wholeNumber(const std::string &name) {
    const ConfigEntry &entry = *description.findConfig(name);
    Expr place;
    place.at = entry.at;
    return config.dimension(place, config.get(name));
  }

  static int64_t width(const Body &body) { return body.steps[body.result].width; }

  Body body(const std::vector<Statement> &statements, const std::string &result,
            const std::string &layerName, int64_t layer, int64_t entering) {
    return BodyEvaluator(description, config, weights, diagnostics, layerName, layer)
        .run(statements, result, entering);
  }

  const LayerBlock *pickBlock(int64_t layer) {
    const LayerBlock *picked = nullptr, *otherwise = nullptr;
    for (const LayerBlock &block : description.layers) {
      if (block.otherwise) {
        otherwise = &block;
        continue;
      }
      if (block.condition) {
        Value holds = config.evaluateInLayer(*block.condition, block.index, layer);
        if (holds.kind != Value::Kind::Bool) {
          if (!holds.isError())
            diagnostics.error(block.condition->at,
                              "expected a condition; found: " + holds.spelled());
          return nullptr;
        }
        if (!holds.boolean)
          continue;
      }
      if (picked) {
        diagnostics.error(block.at, "layer " + std::to_string(layer) +
                                        " is described here and in line " +
                                        std::to_string(picked->at.line));
        return nullptr;
      }
      picked = &block;
    }
    if (!picked)
      picked = otherwise;
    if (!picked)
      diagnostics.error(description.layers.front().at,
                        "no block describes layer " + std::to_string(layer));
    return picked;
  }

  bool addLayer(int64_t layer) {
    const LayerBlock *block = pickBlock(layer);
    if (!block)
      return false;
    Body made = body(block->body, "x", block->index, layer, model.hidden);
    if (made.result < 0 || !checkLayer(made, *block))
      return false;
    std::string signature = spellBody(made);
    auto [found, isNew] = classOf.try_emplace(signature, model.classes.size());
    if (isNew) {
      model.classes.push_back({});
      model.classes.back().weight_layers.resize(made.weights.size());
    }
    made.at = block->at;
    LayerClass &layerClass = model.classes[found->second];
    auto slice = static_cast<int64_t>(layerClass.layers.size());
    layerClass.layers.push_back(layer);
    for (size_t n = 0; n < made.weights.size(); ++n)
      if (made.weights[n].layer >= 0)
        layerClass.weight_layers[n].push_back(made.weights[n].layer);
    if (isNew)
      layerClass.body = std::move(made);
    if (!model.runs.empty() && model.runs.back().layer_class == found->second)
      ++model.runs.back().count;
    else
      model.runs.push_back({found->second, layer, 1, slice});
    return true;
  }

  bool checkLayer(const Body &body, const LayerBlock &block) {
    const Step *attention = nullptr;
    for (const Step &step : body.steps) {
      if (step.kind == Step::Kind::Embed) {
        diagnostics.error(step.at, "`embed` stands before the layers");
        return false;
      }
      if (step.kind != Step::Kind::Attention)
        continue;
      if (attention) {
        diagnostics.unsupported(step.at, "a second attention in one layer");
        return false;
      }
      attention = &step;
      int64_t heads = body.steps[step.inputs[1]].width / step.head_dim;
      if (!model.head_dim) {
        model.head_dim = step.head_dim;
        model.kv_heads = heads;
      } else if (model.head_dim != step.head_dim || model.kv_heads != heads) {
        diagnostics.unsupported(step.at, std::to_string(heads) + " key/value heads of " +
                                             std::to_string(step.head_dim) + " after layers with " +
                                             std::to_string(model.kv_heads) + " of " +
                                             std::to_string(model.head_dim) +
                                             "; all layers must have the same");
        return false;
      }
    }
    if (!attention) {
      diagnostics.unsupported(block.at, "a layer without attention");
      return false;
    }
    if (width(body) != model.hidden) {
      diagnostics.error(block.body.back().at,
                        "`x` leaves the layer with rows of " + std::to_string(width(body)) +
                            "; it entered with rows of " + std::to_string(model.hidden));
      return false;
    }
    return true;
  }

  void checkAfter() {
    for (const Step &step : model.after.steps)
      if (step.kind == Step::Kind::Attention || step.kind == Step::Kind::Rope ||
          step.kind == Step::Kind::Embed)
        diagnostics.error(step.at, "this stands in the layers, not after them: here are only "
                                   "the rows whose logits are asked for");
    for (const Step &step : model.before.steps)
      if (step.kind == Step::Kind::Attention)
        diagnostics.error(step.at, "`attention` stands in a layer");
  }

  /// Equal for layers that one function can compute: everything but the layer's number, and
  /// whatever the storage type of vectors, which are all widened to f32.
  static std::string spellBody(const Body &body) {
    std::string out;
    auto put = [&](const auto &value) {
      char bytes[sizeof value];
      memcpy(bytes, &value, sizeof value);
      out.append(bytes, sizeof value);
    };
    for (const Step &step : body.steps) {
      put(step.kind);
      put(step.inputs.size());
      for (int input : step.inputs)
        put(input);
      put(step.weights.size());
      for (int weight : step.weights)
        put(weight);
      put(step.width);
      put(step.eps);
      put(step.head_dim);
      put(step.rotary_dims);
      put(step.base);
      put(step.scaling.kind);
      put(step.scaling.factor);
      put(step.scaling.low_factor);
      put(step.scaling.high_factor);
      put(step.scaling.original_context);
      put(step.scale);
      put(step.window.value_or(0));
      put(step.activation);
      put(step.factor);
      put(step.gated);
      const Routing &routing = step.routing;
      put(routing.scores);
      put(routing.experts);
      put(routing.top);
      put(routing.normalize.value_or(-1));
      put(routing.scaling);
      put(routing.groups);
      put(routing.group_limit);
      put(routing.group_score);
    }
    for (const WeightUse &weight : body.weights) {
      out += weight.name + '\n' + weight.pattern + '\n';
      put(weight.layer < 0);
      put(weight.shape.size());
      for (int64_t dimension : weight.shape)
        put(dimension);
      put(weight.shape.size() == 1 ? StorageType::F32 : weight.type);
      put(weight.interleaved_heads);
      put(weight.first_row);
    }
    put(body.result);
    return out;
  }

  const Description &description;
  Diagnostics diagnostics;
  ConfigValues config;
  WeightTable weights;
  Model &model;
  std::map<std::string, size_t> classOf;
  bool complete = false;
};

} // namespace

bool moire::applyDescription(const Description &description, const Container &container,
                             Weights weights, Model &model, ReadError &error) {
  return Application(description, container, weights, model).run(error);
}
