// What stored weights mean: the float32 values, exactly those of ggml's C and of gguf-py.
//
// This is the reference that packers are tested against, not the way to fast arithmetic.

#ifndef MOIRE_FRONTENDS_WEIGHTS_DEQUANTIZE_H
#define MOIRE_FRONTENDS_WEIGHTS_DEQUANTIZE_H

#include "frontends/weights/Container.h"

namespace moire {

/// Whether values of `type` are real numbers that dequantize() gives: F32, F16, BF16 and the block
/// types. Integers, F64 and Bool occur in checkpoints only as buffers that no model reads.
bool isWeightType(StorageType type);

/// The number of rows of a tensor: the product of all dimensions but the last.
int64_t rowCount(const TensorEntry &tensor);

/// Elements in a row: the last dimension, 1 for a scalar.
int64_t rowElements(const TensorEntry &tensor);

/// Writes the values of whole blocks. `type` must be a weight type, and `blocks` must hold exactly
/// the storage of `values.size()` elements; it may be unaligned.
void dequantize(StorageType type, std::span<const uint8_t> blocks, std::span<float> values);

/// Writes rows [firstRow, firstRow + rows) of `tensor`, [rows, rowElements]. The rows must exist
/// and `values` must have exactly their size.
void dequantizeRows(const TensorEntry &tensor, int64_t firstRow, int64_t rows,
                    std::span<float> values);

} // namespace moire

#endif
