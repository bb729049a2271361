// One product of rows with a weight and nothing around it: what the code generator makes of the
// product of a model, to be measured by itself (bench/limits).

#ifndef MOIRE_CODEGEN_CPU_PRODUCTPROBE_H
#define MOIRE_CODEGEN_CPU_PRODUCTPROBE_H

#include "codegen/cpu/InProcess.h"
#include "frontends/weights/Container.h"

#include <string>
#include <vector>

namespace moire::cpu {

/// Rows of f32, rows rounded to bf16, or int8 with scales.
enum class ProbeRows : uint8_t { F32, BF16, Int8 };

/// [rows, k] times a weight [width, k] of a storage type of numbers or blocks, into the logits.
struct ProbeProduct {
  StorageType type;
  ProbeRows rows;
  int64_t k;     // a whole number of the type's blocks
  int64_t width; // a multiple of 16

  /// Bytes of a panel of the weight: 16 of its rows.
  int64_t panelBytes() const;
};

/// The product, scheduled, expanded and compiled for this processor as one of a model would be, but
/// without what makes its rows. A step reads `weights`, and rows from its arena or its scratch,
/// with whatever is in there, and writes `logits` [row_count, width]; row_count is token_count.
struct ProductProbe {
  LoadedSteps steps;
  std::string panel;       // name of the weight's format of panels
  std::string instruction; // row of Instructions.def, or "vfmadd"
  int64_t weightBytes = 0; // of the section: the panels, and a little more
  int64_t arenaBytesPerToken = 0;
  int64_t scratchBytes = 0, scratchBytesPerToken = 0;

  static llvm::Expected<ProductProbe> compile(const ProbeProduct &product);
};

/// A storage type for each format of panels, and f32, f16 and bf16, with the rows that such weights
/// are multiplied with by default (bf16 with rows of bf16).
std::vector<ProbeProduct> probeProducts(int64_t k, int64_t width);

} // namespace moire::cpu

#endif
