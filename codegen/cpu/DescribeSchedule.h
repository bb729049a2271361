// A scheduled step as plain data: which kernels its functions consist of, and how each product is
// computed. Read off the IR after the phase schedule or team, for `moire explain`: what it says is
// what is compiled.

#ifndef MOIRE_CODEGEN_CPU_DESCRIBESCHEDULE_H
#define MOIRE_CODEGEN_CPU_DESCRIBESCHEDULE_H

#include "codegen/artifact/Packing.h"

#include "mlir/IR/BuiltinOps.h"

#include <optional>
#include <string>
#include <vector>

namespace moire {

/// How a product of many rows goes through them: #tile.blocking, and the bytes of its strip.
struct DescribedBlocking {
  int64_t direct, together, rows, block, columns, panels;
  int64_t unit;       // of panels that stay together: those of a tile but for gate and up
  int64_t stripBytes; // 0: panels are multiplied as they are packed
  bool byFours;       // rows of tiles are interleaved
};

/// How threads share the panels of a product: #tile.sharing.
struct DescribedSharing {
  int64_t equal, panels, single, streams, ahead;
  bool takesTurns; // behind the first `equal` panels; else all are in equal shares
};

/// A product of rows with a packed weight.
struct DescribedProduct {
  std::string weight;        // "q_k_v": its name without that of its layers
  int64_t rows = 0, k = 0;   // of the weight, or of an expert's matrix (gate and up count as rows)
  int64_t experts = 0;       // matrices; 0: it is no product of experts
  int64_t chosen = 0;        // … of which a token meets so many
  std::string stored;        // in the source: "q4_0", or "q4_0, q6_k"
  std::string packed;        // format of the panels
  int64_t bytes = 0;         // of a layer's panels
  std::string instruction;   // a row of Instructions.def, or vfmadd
  std::string activations;   // "int8", "bf16" (pairs), "bf16 as f32" or "f32"
  int64_t blockColumns = 0;  // of int8 rows: columns that share a scale
  std::string input;         // where the rows come from: "attention_norm", "attend"
  bool roundedApart = false; // by a kernel of its own, not where they were computed
  std::vector<std::string> sharedWith; // weights that are multiplied with the same rounded rows
  std::string epilogue;                // store, accumulate, silu, gate_silu
  bool hasBias = false;
  bool isLogits = false;
  bool isSum = false;   // a token's experts are added up in it
  std::string oneSplit; // of one row, over the team
  std::string manySplit;
  std::optional<DescribedSharing> sharing;
  std::optional<DescribedBlocking> blocking; // of many rows
};

struct DescribedAttention {
  int64_t heads = 0, kvHeads = 0, headDim = 0;
  std::string element;         // of keys and values: f16, …; i8 is #moe.int8_rows
  int64_t page = 0;            // positions
  int64_t segment = 0;         // positions
  int64_t window = 0;          // most positions that a token sees; 0: all up to its own
  int64_t bytesOfPosition = 0; // of a layer's keys and values
  std::string oneSplit, manySplit;
  int64_t oneRows = 0, manyRows = 0; // query rows that visit a page together
};

struct DescribedRouting {
  int64_t experts = 0, chosen = 0;
  std::string scoring; // softmax, sigmoid, softmax_chosen
  int64_t groups = 1, groupLimit = 1;
  bool normalized = false, biased = false;
  bool isSorted = false; // assignments of many tokens are sorted by expert
};

/// The table that rows of tokens are read from.
struct DescribedEmbedding {
  std::string weight;
  int64_t rows = 0, k = 0;
  std::string stored, packed;
  int64_t bytesOfToken = 0;
};

/// A function of the step: a layer of a class, or what is before and behind the layers.
struct DescribedFunction {
  std::string name; // "layer_0", "forward"
  std::vector<DescribedProduct> products;
  std::vector<DescribedAttention> attentions;
  std::vector<DescribedRouting> routings;
  std::optional<DescribedEmbedding> embedding;
  int64_t oneKernels = 0, oneBarriers = 0; // for one token
  int64_t manyKernels = 0, manyBarriers = 0;
};

/// The functions of a module that is scheduled; `weights` are those of its plan.
std::vector<DescribedFunction> describeSchedule(mlir::ModuleOp module,
                                                const std::vector<PackedWeight> &weights);

} // namespace moire

#endif
