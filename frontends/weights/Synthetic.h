// Tensors that no file holds: their bytes are made when somebody asks for them, always the same
// from a seed, the tensor's name and the place. A model of any size costs no memory.

#ifndef MOIRE_FRONTENDS_WEIGHTS_SYNTHETIC_H
#define MOIRE_FRONTENDS_WEIGHTS_SYNTHETIC_H

#include "frontends/weights/Container.h"

namespace moire {

/// The rows of a router, [experts, K]: in the first `noise_columns` columns signs that differ from
/// expert to expert, in the next one the expert's preference, and zeros.
///
/// With rows x whose first `noise_columns` elements are independent, of deviation 1, and whose next
/// one is 1, the logits are `preference` + a number of deviation 1, times `scale`. Those numbers
/// are independent for up to `noise_columns` experts.
struct SyntheticRouter {
  uint64_t seed = 0;
  int64_t noise_columns = 0; // a power of two
  double scale = 1;
  std::vector<float> preferences; // one for each expert

  float element(int64_t expert, int64_t column) const;
};

/// What the elements of a tensor are. Numbers are rounded to what the storage type can say.
struct SyntheticElements {
  double deviation = 0;     // they are spread evenly around 0
  double constant = 0;      // with deviation 0
  int64_t matrix_rows = 0;  // rows of each of the tensor's matrices, of which
  int64_t zero_rows = 0;    // the first ones are 0
  int64_t same_column = -1; // this column is `same_value` in all rows, if not negative
  double same_value = 0;
  std::shared_ptr<const SyntheticRouter> router = nullptr; // instead of all that; F32 only
};

/// Whether tensors of `type` can be made: F32, F16, BF16, Q4_0, Q4_1, Q8_0.
bool canSynthesize(StorageType type);

/// The tensor `name`. `shape` is [..., K], and K a multiple of the block of `type`.
TensorEntry makeSyntheticTensor(uint64_t seed, std::string name, StorageType type,
                                std::vector<int64_t> shape, SyntheticElements elements);

/// The most experts for which zipfPreferences is meant: it takes seconds and 32 MB then.
constexpr int64_t kMostZipfExperts = 4096;

/// Preferences (see SyntheticRouter) with which `chosen` of `experts` experts are chosen as often
/// as Zipf's law says: the expert of rank r, from 1, in proportion to r^-exponent, but at most
/// always. In the order of ranks; with exponent 0 all are 0.
std::vector<float> zipfPreferences(int64_t experts, int64_t chosen, double exponent);

/// How often each is chosen then, from 0 to 1, in the order of ranks.
std::vector<double> zipfFrequencies(int64_t experts, int64_t chosen, double exponent);

/// Mixes bits: a number that differs from those of other pairs as if it were random.
uint64_t syntheticHash(uint64_t seed, uint64_t place);

} // namespace moire

#endif
