// Weights for a model of which only the config is there.

#ifndef MOIRE_FRONTENDS_NATIVE_SYNTHETICMODEL_H
#define MOIRE_FRONTENDS_NATIVE_SYNTHETICMODEL_H

#include "frontends/native/Model.h"

namespace moire {

struct SyntheticOptions {
  uint64_t seed = 0;
  std::optional<StorageType> type = {}; // of matrices; otherwise the config's `torch_dtype`
  double zipf = 0; // exponent of Zipf's law, by which experts are chosen; 0: all equally often
};

/// Gives `container`, which has no tensors, those that `model` was made of
/// (Weights::FromDescription): as many and as large, with numbers that keep the rows of every layer
/// finite. Nothing is computed before somebody reads them. Routers, norms and biases are f32;
/// matrices whose rows are no whole number of blocks f16; embeddings and the head q8_0 where the
/// others have 4 bits.
///
/// Which experts a token goes to depends on the token and the layer alone: some columns of the
/// residual stream are written by the embedding only (the matrices that are added to it have zero
/// rows there), and routers read nothing else. One column is 1 for all tokens and carries the
/// preferences of Zipf's law. That works for layers that add to `x`, and for routers without
/// groups; others route as they may.
///
/// Returns false, with the limit in `error` (Unsupported), for a config that asks for more tensors
/// than any model has, or for Zipf's law among more experts than kMostZipfExperts.
bool addSyntheticTensors(Container &container, const Model &model, const SyntheticOptions &options,
                         ReadError &error);

} // namespace moire

#endif
