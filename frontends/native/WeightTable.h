// Finds the tensors of a container that the weights of a description stand for.

#ifndef MOIRE_FRONTENDS_NATIVE_WEIGHTTABLE_H
#define MOIRE_FRONTENDS_NATIVE_WEIGHTTABLE_H

#include "frontends/native/Config.h"

#include <set>

namespace moire {

/// A weight of one layer, or of the model. An optional one that the container lacks is `absent`.
struct ResolvedWeight {
  WeightUse use;
  bool absent = false;
  const ResolvedWeight *bias = nullptr; // of `with bias`; null if there is none
};

class WeightTable {
public:
  WeightTable(const Description &description, const Container &container, Weights weights,
              ConfigValues &config, Diagnostics &diagnostics);

  /// The weight `name`, of `layer` if it is one a layer (else -1). Null if it cannot be had; why is
  /// reported by this function or by reportMissing().
  const ResolvedWeight *resolve(const std::string &name, int64_t layer);

  /// Reports missing tensors and wrong shapes, all at once.
  void reportMissing();
  /// Reports the tensors of the container that nothing reads. Call it when everything was resolved.
  void reportUnexpected();

private:
  using Id = std::pair<std::string, int64_t>;
  std::unique_ptr<ResolvedWeight> make(const std::string &name, int64_t layer);
  const WeightEntry *pickEntry(const std::string &name, int64_t layer);
  bool evaluateShape(const WeightEntry &entry, int64_t layer, std::vector<int64_t> &shape);
  bool placeRows(ResolvedWeight &weight, const WeightEntry &entry, const WeightSource &source,
                 int64_t layer);
  /// Fills `weight` from the tensors that `weight.use.pattern` names. Returns false if they are not
  /// there or do not fit, which is then noted for the reports.
  bool takeTensors(ResolvedWeight &weight, bool optional, SourceRange at);
  bool takeExperts(ResolvedWeight &weight, SourceRange at);
  const TensorEntry *findTensor(const std::string &pattern, int64_t layer, int64_t expert = -1);
  bool checkTensor(const TensorEntry &tensor, const std::vector<int64_t> &expected,
                   const WeightUse &use, SourceRange at);
  void addBias(ResolvedWeight &weight, const WeightEntry &entry);
  std::vector<std::string_view> unreadTensors() const;
  bool isKnownExpert(const std::string &name) const;

  const Description &description;
  const Container &container;
  const WeightsSection *section;
  const bool noTensors; // a bare config
  StorageType configType = StorageType::F32;
  ConfigValues &config;
  Diagnostics &diagnostics;
  std::map<Id, std::unique_ptr<ResolvedWeight>> resolved;
  std::set<std::string, std::less<>> read;
  std::set<std::string, std::less<>> known; // "{e}" stands for an expert

  struct Missing {
    SourceRange at;
    std::string first; // the name of the first such tensor
    std::vector<int64_t> layers;
    int64_t count; // one for each expert of a layer
  };
  void addMissing(const WeightUse &use, const std::string &first, int64_t count, SourceRange at);
  std::map<std::string, Missing> missing; // by pattern

  /// A tensor of another shape or type than a weight can have.
  struct Unfit {
    SourceRange at;
    bool is_unsupported;
    std::string message;
    std::vector<int64_t> layers;
  };
  void addUnfit(const std::string &key, int64_t layer, SourceRange at, bool isUnsupported,
                const std::string &message);
  std::map<std::string, Unfit> unfit; // by pattern and what was found
};

/// "[96, 72]"
std::string spelledShape(const std::vector<int64_t> &shape);

/// "layer 3", "layers 0-4 and 7"; empty for the weights of the whole model.
std::string spelledLayers(const std::vector<int64_t> &layers);

} // namespace moire

#endif
