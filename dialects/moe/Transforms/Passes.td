//===- Passes.td - Passes that make moe programs runnable, slowly ---------------------------------===//

#ifndef MOIRE_DIALECTS_MOE_TRANSFORMS_PASSES
#define MOIRE_DIALECTS_MOE_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def DecomposePass : Pass<"moe-decompose", "::mlir::ModuleOp"> {
  let summary = "Replaces each operation of the dialect by its specification";
  let description = [{
    Every operation is replaced by its decomposition to linalg, tensor, scf, arith and math, and
    encodings are dropped everywhere, function types included: they say how values are stored, and
    the specification knows values only. `moe.weight` and `moe.read` stay, without encodings (see
    `moe-randomize-weights`). A `moe.tap` is an error: it has no meaning without a program around it.

    ```mlir
    func.func @gate(%g: tensor<?x4xf32>, %u: tensor<?x4xf32>) -> tensor<?x4xf32> {
      %y = moe.gate silu %g, %u : tensor<?x4xf32>
      return %y : tensor<?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
}

def RandomizeWeightsPass : Pass<"moe-randomize-weights", "::mlir::ModuleOp"> {
  let summary = "Gives each weight pseudo-random values, so that a program runs without its file";
  let description = [{
    Each `moe.read` becomes a computation of its values. An element of a source is a hash of the
    source's name (with the layer's number for `{i}`), its `interleaved_heads`, row and column, in
    [-1/8, 1/8); a concat is the rows of its parts. A pass that edits recipes without changing what
    they mean therefore changes no value, and a program can be run before and after it. The weights
    themselves are erased.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif
