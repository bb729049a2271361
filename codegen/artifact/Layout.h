// Where packed weights lie in the section, and whether their recipes fit their sources: what the
// packer knows before it moves a byte. (layOutWeights is in Packing.h.)

#ifndef MOIRE_CODEGEN_ARTIFACT_LAYOUT_H
#define MOIRE_CODEGEN_ARTIFACT_LAYOUT_H

#include "codegen/artifact/Packing.h"

#include <string>

namespace moire {

constexpr int64_t kPage = 4096; // bytes; where packed weights start

/// Bytes of a panel; a vector's slice is one panel.
int64_t panelBytes(const PackedWeight &weight);
int64_t panelsPerSlice(const PackedWeight &weight);
int64_t sliceCount(const PackedWeight &weight);
int64_t elementCount(const TensorEntry &tensor);

/// Returns false, with `error` saying which weight and tensor and why, if the recipe of `weight`
/// does not fit its sources. `end` is where the weight before ends, then where this one does.
bool checkWeight(const PackedWeight &weight, int64_t &end, std::string &error);

} // namespace moire

#endif
