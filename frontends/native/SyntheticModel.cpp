#include "frontends/native/SyntheticModel.h"

#include "frontends/weights/Checks.h"
#include "frontends/weights/Synthetic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

using namespace moire;

namespace {

/// What a weight is to the layer that reads it.
enum class Role : uint8_t { Matrix, Gain, Table, Head, Writer, Router };

class Synthesis {
public:
  Synthesis(Container &container, const Model &model, const SyntheticOptions &options)
      : container(container), model(model), options(options) {}

  bool run(ReadError &error) {
    if (!isOfAKnownSize(error))
      return false;
    reserveColumns();
    addBody(model.before, rolesOf(model.before));
    for (const LayerClass &layerClass : model.classes)
      addLayers(layerClass);
    std::vector<Role> last = rolesOf(model.after);
    for (Role &role : last)
      role = role == Role::Gain ? role : Role::Head;
    addBody(model.after, last);
    return true;
  }

private:
  /// Each tensor is an entry in memory, and preferences are found by trying: a config alone could
  /// ask for any number.
  bool isOfAKnownSize(ReadError &error) const {
    constexpr int64_t mostTensors = 1 << 20;
    int64_t tensors = 0;
    for (const LayerClass &layerClass : model.classes) {
      for (const WeightUse &use : layerClass.body.weights)
        tensors += (isOneAnExpert(use) ? use.experts() : 1) *
                   static_cast<int64_t>(layerClass.layers.size());
      for (const Step &step : layerClass.body.steps)
        if (options.zipf != 0 && step.kind == Step::Kind::Route &&
            step.routing.experts > kMostZipfExperts)
          return unsupported(
              error, container.path + ": Zipf's law among " + std::to_string(step.routing.experts) +
                         " experts; it is for at most " + std::to_string(kMostZipfExperts));
    }
    return tensors <= mostTensors ||
           unsupported(error, container.path + ": asks for " + std::to_string(tensors) +
                                  " tensors; at most " + std::to_string(mostTensors) +
                                  " are made up");
  }

  static bool isOneAnExpert(const WeightUse &use) {
    return use.pattern.find("{e}") != std::string::npos;
  }

  /// How many columns of the residual stream the routers read: enough for the logits of all experts
  /// to be independent, if half of the columns are.
  void reserveColumns() {
    for (const LayerClass &layerClass : model.classes)
      for (const Step &step : layerClass.body.steps)
        if (step.kind == Step::Kind::Route)
          mostExperts = std::max(mostExperts, step.routing.experts);
    if (!mostExperts || model.hidden < 8)
      return;
    auto floorOf = [](int64_t n) { return int64_t(std::bit_floor(static_cast<uint64_t>(n))); };
    noiseColumns = std::min<int64_t>(floorOf(model.hidden / 4), 256);
    while (noiseColumns < mostExperts && noiseColumns * 4 <= model.hidden)
      noiseColumns *= 2;
  }

  std::vector<Role> rolesOf(const Body &body) const {
    std::vector<Role> roles(body.weights.size(), Role::Matrix);
    for (const Step &step : body.steps) {
      if (step.kind == Step::Kind::RmsNorm)
        roles[step.weights[0]] = Role::Gain;
      if (step.kind == Step::Kind::Embed)
        roles[step.weights[0]] = Role::Table;
      if (int router = routerOf(body, step); router >= 0)
        roles[router] = Role::Router;
    }
    markWriters(body, body.result, roles);
    return roles;
  }

  /// The weight whose product, perhaps times a number above 0, are the logits that `step` chooses
  /// by; -1 if there is none.
  static int routerOf(const Body &body, const Step &step) {
    if (step.kind != Step::Kind::Route)
      return -1;
    const Step *logits = &body.steps[step.inputs[0]];
    while (logits->kind == Step::Kind::Scale && logits->factor > 0)
      logits = &body.steps[logits->inputs[0]];
    return logits->kind == Step::Kind::Linear ? logits->weights[0] : -1;
  }

  /// The matrices whose products are added to the rows that come out.
  static void markWriters(const Body &body, int index, std::vector<Role> &roles) {
    const Step &step = body.steps[index];
    switch (step.kind) {
    case Step::Kind::Add:
      markWriters(body, step.inputs[0], roles);
      markWriters(body, step.inputs[1], roles);
      break;
    case Step::Kind::Scale:
      markWriters(body, step.inputs[0], roles);
      break;
    case Step::Kind::Gate:
      markWriters(body, step.inputs[1], roles);
      break;
    case Step::Kind::Linear:
      roles[step.weights[0]] = Role::Writer;
      break;
    case Step::Kind::Experts:
      roles[step.weights.back()] = Role::Writer;
      break;
    default:
      break;
    }
  }

  void addBody(const Body &body, const std::vector<Role> &roles) {
    for (size_t n = 0; n < body.weights.size(); ++n)
      addWeight(body, n, roles[n], body.weights[n].layer);
  }

  void addLayers(const LayerClass &layerClass) {
    const Body &body = layerClass.body;
    std::vector<Role> roles = rolesOf(body);
    for (size_t n = 0; n < body.weights.size(); ++n) {
      if (body.weights[n].layer < 0)
        addWeight(body, n, roles[n], -1);
      for (int64_t layer : layerClass.weight_layers[n])
        addWeight(body, n, roles[n], layer);
    }
  }

  StorageType typeOf(const WeightUse &use, Role role) const {
    if (use.shape.size() == 1 || role == Role::Router)
      return StorageType::F32;
    StorageType type = options.type.value_or(use.type);
    bool fourBits = type == StorageType::Q4_0 || type == StorageType::Q4_1;
    if (fourBits && (role == Role::Table || role == Role::Head))
      type = StorageType::Q8_0;
    return use.shape.back() % storageTypeInfo(type).block_elements ? StorageType::F16 : type;
  }

  void addWeight(const Body &body, size_t index, Role role, int64_t layer) {
    const WeightUse &use = body.weights[index];
    std::vector<int64_t> shape = use.shape;
    SyntheticElements elements;
    if (shape.size() == 1) {
      elements.constant = role == Role::Gain ? 1 : 0;
    } else {
      if (use.all_rows)
        shape[shape.size() - 2] = use.all_rows;
      elements.matrix_rows = shape[shape.size() - 2];
      elements.deviation = 1 / std::sqrt(static_cast<double>(shape.back()));
    }
    if (role == Role::Table) {
      elements.deviation = 1;
      elements.same_column = noiseColumns ? noiseColumns : -1;
      elements.same_value = 1;
    }
    if (role == Role::Writer && noiseColumns && !use.all_rows)
      elements.zero_rows = noiseColumns + 1;
    if (role == Role::Router && noiseColumns)
      elements.router = router(shape[0], chosenOf(body, index), layer);

    StorageType type = typeOf(use, role);
    bool oneAnExpert = isOneAnExpert(use);
    int64_t count = oneAnExpert ? shape[0] : 1;
    if (oneAnExpert)
      shape.erase(shape.begin());
    for (int64_t expert = 0; expert < count; ++expert) {
      std::string name = tensorName(use.pattern, layer, oneAnExpert ? expert : -1);
      if (!container.tensors.count(name))
        container.tensors[name] = makeSyntheticTensor(options.seed, name, type, shape, elements);
    }
  }

  /// How many experts the router that is weight `index` of `body` chooses.
  static int64_t chosenOf(const Body &body, size_t index) {
    for (const Step &step : body.steps)
      if (routerOf(body, step) == static_cast<int>(index))
        return step.routing.top;
    return 1;
  }

  std::shared_ptr<SyntheticRouter> router(int64_t experts, int64_t chosen, int64_t layer) {
    auto [found, isNew] = preferences.try_emplace({experts, chosen});
    if (isNew)
      found->second = zipfPreferences(experts, chosen, options.zipf);
    auto router = std::make_shared<SyntheticRouter>();
    router->seed = syntheticHash(options.seed, layer + 2);
    router->noise_columns = noiseColumns;
    router->scale = 2; // about as far apart as trained ones
    // Which expert has which rank differs from layer to layer.
    std::vector<int64_t> byRank(experts);
    std::iota(byRank.begin(), byRank.end(), 0);
    std::sort(byRank.begin(), byRank.end(), [&](int64_t a, int64_t b) {
      return syntheticHash(router->seed + 1, a) < syntheticHash(router->seed + 1, b);
    });
    router->preferences.resize(experts);
    for (int64_t rank = 0; rank < experts; ++rank)
      router->preferences[byRank[rank]] = found->second[rank];
    return router;
  }

  Container &container;
  const Model &model;
  const SyntheticOptions &options;
  int64_t mostExperts = 0, noiseColumns = 0;
  std::map<std::pair<int64_t, int64_t>, std::vector<float>> preferences; // by experts, chosen
};

} // namespace

bool moire::addSyntheticTensors(Container &container, const Model &model,
                                const SyntheticOptions &options, ReadError &error) {
  return Synthesis(container, model, options).run(error);
}
