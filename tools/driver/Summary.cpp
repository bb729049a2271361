#include "tools/driver/Summary.h"

#include <set>

namespace moire::driver {

static int64_t elements(const WeightUse &weight) {
  int64_t count = 1;
  for (int64_t size : weight.shape)
    count *= size;
  return count;
}

namespace {
class Counter {
public:
  explicit Counter(const Model &model) : model(model) {}

  Summary count(int64_t kvBytes) {
    body(model.before, 1);
    body(model.after, 1);
    for (const LayerClass &layerClass : model.classes)
      layers(layerClass);
    summary.kv_bytes_per_token = 2 * model.layers * model.kv_heads * model.head_dim * kvBytes;
    return summary;
  }

private:
  void tensor(const WeightUse &weight, int64_t layer) {
    if (!seen.insert({weight.pattern, layer}).second)
      return;
    const StorageTypeInfo &type = storageTypeInfo(weight.type);
    int64_t count = elements(weight);
    int64_t bytes = count / type.block_elements * type.block_bytes;
    summary.parameters += count;
    summary.weight_bytes += bytes;
    summary.bytes_of_type[std::string(type.name)] += bytes;
  }

  void operations(const Body &body, int64_t times) {
    for (const Step &operation : body.steps) {
      if (operation.kind == Step::Kind::Linear)
        summary.operations_per_token +=
            times * 2 * elements(body.weights[operation.weights.front()]);
      if (operation.kind == Step::Kind::Attention) // q . k, and p . v
        summary.operations_per_position += times * 4 * operation.width;
    }
  }

  void body(const Body &body, int64_t times) {
    for (const WeightUse &weight : body.weights)
      tensor(weight, weight.layer);
    operations(body, times);
  }

  void layers(const LayerClass &layerClass) {
    for (size_t i = 0; i < layerClass.body.weights.size(); ++i) {
      const WeightUse &weight = layerClass.body.weights[i];
      if (weight.layer < 0)
        tensor(weight, -1);
      else
        for (int64_t layer : layerClass.weight_layers[i])
          tensor(weight, layer);
    }
    operations(layerClass.body, static_cast<int64_t>(layerClass.layers.size()));
  }

  const Model &model;
  Summary summary;
  std::set<std::pair<std::string, int64_t>> seen; // tensor pattern, layer
};
} // namespace

Summary summarize(const Model &model, int64_t kvBytes) { return Counter(model).count(kvBytes); }

} // namespace moire::driver
