// From a model on disk to the moe dialect.

#ifndef MOIRE_FRONTENDS_NATIVE_IMPORT_H
#define MOIRE_FRONTENDS_NATIVE_IMPORT_H

#include "dialects/moe/Moe.h"
#include "frontends/native/Model.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace moire {

struct ImportOptions {
  std::string descriptionFile; // empty: a built-in description
  bool keepHidden = false;     // hand out the residual stream that enters each layer (moe.tap)
  std::string kv = "f16";      // how keys and values are stored: f32, f16, bf16 or int8
  bool keepRoute = false;      // hand out which experts each token has (moe.tap_route)
};

/// Finds the description of `container`, applies it and builds the program:
///
///   @forward(tokens, slots, positions [T] i32, rows [R] i32, keys, values [L, ?, ?, KV, DH])
///     -> (logits [R, V] f32, keys, values)
///   @layer_<class>(layer, slice: index, x [T, d] f32, slots, positions, keys, values)
///     -> (x, keys, values), one for each class of equal layers
///   moe.weight symbols: one for each weight of the model, and a stack for each weight of a class
///
/// with the module's attributes moe.architecture and moe.context (the largest number of positions).
/// Every operation's location points into the description. On failure the result is null and
/// `error` says why.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext &context,
                                              const Container &container,
                                              const ImportOptions &options, ReadError &error);

/// The IR of `model`, whose locations are in the file `descriptionPath`.
mlir::OwningOpRef<mlir::ModuleOp> buildModule(mlir::MLIRContext &context, const Model &model,
                                              const std::string &descriptionPath,
                                              const ImportOptions &options);

/// The name of the function for layers of class `index`.
std::string layerSymbol(size_t index);

/// The tensor of `container` that fills slice `slice` (0 if the weight is no stack) of a weight
/// with the recipe `source`, or, if there is a tensor for each expert, the matrix of `expert` in
/// it. Null only if `source` was not made from `container`.
const TensorEntry *sourceTensor(const Container &container, mlir::moe::SourceAttr source,
                                int64_t slice, int64_t expert = 0);

} // namespace moire

#endif
