#include "tools/driver/Summary.h"

#include "llvm/Support/FormatVariadic.h"

#include <set>
#include <tuple>

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
  Counter(const Model &model, const TensorFormats &rounded) : model(model), rounded(rounded) {}

  Summary count(llvm::StringRef kv) {
    body(model.before, 1);
    body(model.after, 1);
    for (const LayerClass &layerClass : model.classes)
      layers(layerClass);
    // Of a key's or value's row: int8 has a scale of 4 bytes.
    int64_t rowBytes = kv == "int8" ? model.head_dim + 4 : model.head_dim * (kv == "f32" ? 4 : 2);
    summary.kv_bytes_per_token = 2 * model.layers * model.kv_heads * rowBytes;
    int64_t most = 0;
    for (const auto &[type, count] : parametersOfType)
      if (count > most) {
        most = count;
        summary.main_type = type;
      }
    return summary;
  }

private:
  /// For each weight of `body`, the routing that chooses among its matrices, or null.
  static std::vector<const Routing *> routings(const Body &body) {
    std::vector<const Routing *> of(body.weights.size());
    for (const Step &step : body.steps)
      if (step.kind == Step::Kind::Experts)
        for (int weight : step.weights)
          of[weight] = &body.steps[step.inputs[1]].routing;
    return of;
  }

  static int64_t active(int64_t count, const Routing *routing) {
    return routing ? count / routing->experts * routing->top : count;
  }

  void tensor(const WeightUse &weight, int64_t layer, const Routing *routing) {
    if (!seen.insert({weight.pattern, layer, weight.first_row}).second)
      return;
    auto [type, bytes] = stored(weight, layer);
    int64_t count = elements(weight);
    summary.parameters += count;
    summary.active_parameters += active(count, routing);
    summary.weight_bytes += bytes;
    summary.bytes_of_type[type] += bytes;
    parametersOfType[type] += count;
  }

  /// The name of the format of one tensor (or of those of one layer), and its bytes.
  std::pair<std::string, int64_t> stored(const WeightUse &weight, int64_t layer) const {
    int64_t count = elements(weight), k = weight.shape.back();
    auto found = rounded.find(weight.pattern);
    if (found == rounded.end())
      found = rounded.find(tensorName(weight.pattern, layer));
    if (found != rounded.end()) {
      const BlockInfo &format = blockInfo(found->second);
      return {std::string(format.name), count / k * format.rowBytes(k)};
    }
    const StorageTypeInfo &type = storageTypeInfo(weight.type);
    return {std::string(type.name), count / type.block_elements * type.block_bytes};
  }

  void operations(const Body &body, int64_t times) {
    for (const Step &operation : body.steps) {
      if (operation.kind == Step::Kind::Linear)
        summary.operations_per_token +=
            times * 2 * elements(body.weights[operation.weights.front()]);
      if (operation.kind == Step::Kind::Attention) // q . k, and p . v
        summary.operations_per_position += times * 4 * operation.width;
      if (operation.kind == Step::Kind::Experts)
        for (int weight : operation.weights)
          summary.operations_per_token +=
              times * 2 *
              active(elements(body.weights[weight]), &body.steps[operation.inputs[1]].routing);
      if (operation.kind == Step::Kind::Route)
        addRouted(operation.routing, times);
    }
  }

  void addRouted(const Routing &routing, int64_t layers) {
    for (ExpertLayers &kind : summary.expert_layers)
      if (kind.experts == routing.experts && kind.chosen == routing.top) {
        kind.layers += layers;
        return;
      }
    summary.expert_layers.push_back({routing.experts, routing.top, layers});
  }

  void body(const Body &body, int64_t times) {
    std::vector<const Routing *> routing = routings(body);
    for (size_t n = 0; n < body.weights.size(); ++n)
      tensor(body.weights[n], body.weights[n].layer, routing[n]);
    operations(body, times);
  }

  void layers(const LayerClass &layerClass) {
    std::vector<const Routing *> routing = routings(layerClass.body);
    for (size_t i = 0; i < layerClass.body.weights.size(); ++i) {
      const WeightUse &weight = layerClass.body.weights[i];
      if (weight.layer < 0)
        tensor(weight, -1, routing[i]);
      else
        for (int64_t layer : layerClass.weight_layers[i])
          tensor(weight, layer, routing[i]);
    }
    operations(layerClass.body, static_cast<int64_t>(layerClass.layers.size()));
  }

  const Model &model;
  const TensorFormats &rounded;
  Summary summary;
  std::map<std::string, int64_t> parametersOfType;
  std::set<std::tuple<std::string, int64_t, int64_t>> seen; // tensor pattern, layer, first row
};
} // namespace

Summary summarize(const Model &model, llvm::StringRef kv, const TensorFormats &rounded) {
  return Counter(model, rounded).count(kv);
}

std::string bitsText(int64_t bytes, int64_t parameters) {
  double bits =
      parameters > 0 ? 8 * static_cast<double>(bytes) / static_cast<double>(parameters) : 0;
  return llvm::formatv("{0:f2}", bits).str();
}

} // namespace moire::driver
