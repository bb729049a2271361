// Packed panels read back, by the layout in the comment of Packing.h.

#ifndef MOIRE_TEST_CODEGEN_ARTIFACT_PACKEDPANELS_H
#define MOIRE_TEST_CODEGEN_ARTIFACT_PACKEDPANELS_H

#include "dialects/Formats.h"

#include <cstdint>
#include <cstring>
#include <vector>

namespace moire::test {

/// Element `index` of an array of T that need not be aligned.
template <typename T> T at(const uint8_t *bytes, int64_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

/// Element (row, i) of a panel of `k` columns.
float panelElement(PanelFormat format, int64_t k, const uint8_t *panel, int64_t row, int64_t i);

/// Equal bits, or both not a number.
bool same(float a, float b);

/// The values that 16 rows have after they were rounded to one of our own formats, [row][k].
std::vector<std::vector<float>> roundedRows(PanelFormat format, int64_t k,
                                            const std::vector<std::vector<float>> &rows);

} // namespace moire::test

#endif
