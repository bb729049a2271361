// The innermost step of packing: 16 rows of a source tensor become one panel (layouts: Packing.h).

#ifndef MOIRE_CODEGEN_ARTIFACT_PANELS_H
#define MOIRE_CODEGEN_ARTIFACT_PANELS_H

#include "codegen/artifact/Packing.h"

#include <array>

namespace moire {

/// The start of each row of a panel in its source; rows that do not exist point at zero bytes.
using PanelRows = std::array<const uint8_t *, kPanelRows>;

/// Whether elements stored as `source` become `format` without rounding, or are meant to be rounded
/// (isOwnFormat).
bool canPack(StorageType source, PanelFormat format);

/// Bytes of `k` consecutive elements; `k` is a multiple of the type's block.
int64_t storedBytes(StorageType type, int64_t k);

/// Writes all panelBytes(format, k) bytes of a panel of a format that is neither Vector nor one of
/// our own. `source` and `format` fit (canPack), and k is a multiple of the source's block.
void packPanel(PanelFormat format, StorageType source, int64_t k, const PanelRows &rows,
               uint8_t *panel);

/// The same of one of our own formats: rounds `values` [k][16 rows], as Rounding.h says.
void packRounded(PanelFormat format, int64_t k, const float *values, uint8_t *panel);

/// Widens `count` elements of f32, f16 or bf16 exactly; `from` needs no alignment.
void widen(StorageType source, const uint8_t *from, int64_t count, float *to);

} // namespace moire

#endif
