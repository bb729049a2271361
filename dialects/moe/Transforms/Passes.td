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

    Before:
    ```mlir
    func.func @select(%x: tensor<?x96xf32>, %rows: tensor<?xi32>) -> tensor<?x96xf32> {
      %last = moe.select_rows %x, %rows : tensor<?x96xf32>, tensor<?xi32> -> tensor<?x96xf32>
      return %last : tensor<?x96xf32>
    }
    ```

    After:
    ```mlir
    func.func @select(%x: tensor<?x96xf32>, %rows: tensor<?xi32>) -> tensor<?x96xf32> {
      %c0 = arith.constant 0 : index
      %count = tensor.dim %rows, %c0 : tensor<?xi32>
      %empty = tensor.empty(%count) : tensor<?x96xf32>
      %last = linalg.generic {
          indexing_maps = [affine_map<(t, j) -> (t)>, affine_map<(t, j) -> (t, j)>],
          iterator_types = ["parallel", "parallel"]}
          ins(%rows : tensor<?xi32>) outs(%empty : tensor<?x96xf32>) {
      ^bb0(%id: i32, %out: f32):
        %row = arith.index_cast %id : i32 to index
        %column = linalg.index 1 : index
        %value = tensor.extract %x[%row, %column] : tensor<?x96xf32>
        linalg.yield %value : f32
      } -> tensor<?x96xf32>
      return %last : tensor<?x96xf32>
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
    Each `moe.read` becomes a computation of its values. An element of a source is a hash of the name
    of its tensor in the file (with the numbers of layer and expert for `{i}` and `{e}`), of
    `interleaved_heads`, and of its place in that tensor: row and column, before them the expert where
    one tensor holds all of them; in [-1/8, 1/8). A concat is the rows of its parts. A pass that edits
    recipes without changing what they mean therefore changes no value, and a program can be run
    before and after it. The weights themselves are erased.

    Before:
    ```mlir
    moe.weight @norm : tensor<96xf32> = #moe.source<"output_norm.weight">
    func.func @gain() -> tensor<96xf32> {
      %gain = moe.read @norm : tensor<96xf32>
      return %gain : tensor<96xf32>
    }
    ```

    After:
    ```mlir
    func.func @gain() -> tensor<96xf32> {
      %seeds = arith.constant dense<371408843> : tensor<1xi32>
      %0 = tensor.empty() : tensor<96xf32>
      %1 = linalg.generic {
          indexing_maps = [affine_map<(j) -> (j)>],
          iterator_types = ["parallel"]}
          outs(%0 : tensor<96xf32>) {
      ^bb0(%out: f32):
        %c0 = arith.constant 0 : index
        %seed = tensor.extract %seeds[%c0] : tensor<1xi32>
        %2 = linalg.index 0 : index
        %3 = arith.index_cast %2 : index to i32
        %4 = arith.xori %seed, %3 : i32
        %c16_i32 = arith.constant 16 : i32
        %5 = arith.shrui %4, %c16_i32 : i32
        %6 = arith.xori %4, %5 : i32
        %c-2048144789_i32 = arith.constant -2048144789 : i32
        %7 = arith.muli %6, %c-2048144789_i32 : i32
        %c13_i32 = arith.constant 13 : i32
        %8 = arith.shrui %7, %c13_i32 : i32
        %9 = arith.xori %7, %8 : i32
        %c-1028477387_i32 = arith.constant -1028477387 : i32
        %10 = arith.muli %9, %c-1028477387_i32 : i32
        %c16_i32_0 = arith.constant 16 : i32
        %11 = arith.shrui %10, %c16_i32_0 : i32
        %12 = arith.xori %10, %11 : i32
        %c8_i32 = arith.constant 8 : i32
        %13 = arith.shrsi %12, %c8_i32 : i32
        %14 = arith.sitofp %13 : i32 to f32
        %scale = arith.constant 1.49011612E-8 : f32
        %15 = arith.mulf %14, %scale : f32
        linalg.yield %15 : f32
      } -> tensor<96xf32>
      return %1 : tensor<96xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

#endif
