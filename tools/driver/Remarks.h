// What passes and phases say about their work (mlir/IR/Remarks.h), kept for `moire explain`.

#ifndef MOIRE_TOOLS_DRIVER_REMARKS_H
#define MOIRE_TOOLS_DRIVER_REMARKS_H

#include "mlir/IR/MLIRContext.h"

#include <string>
#include <vector>

namespace moire::driver {

struct NotedRemark {
  bool done = false;                // else `text` says why something was not done
  std::string pass;                 // "fuse-qkv": the option of moire-opt, without its dialect
  std::string function;             // "layer_0", for all of its variants; "": the whole model
  std::string text;                 // "the products are one now"
  std::vector<std::string> weights; // that it is about
  bool one = false, many = false;   // made for one of the variants
};

/// Notes all remarks that are made in `context` from now on, in their order; those that differ in
/// nothing but weights and variants once. `remarks` must outlive the context.
void noteRemarks(mlir::MLIRContext &context, std::vector<NotedRemark> &remarks);

} // namespace moire::driver

#endif
