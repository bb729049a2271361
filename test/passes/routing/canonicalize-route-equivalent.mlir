// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-canonicalize-route > %t.canonical
// RUN: FileCheck %s < %t.canonical
// RUN: cat %t.canonical | %run_oracle > %t.after
// The weights are equal but for rounding.
// RUN: %compare_printed %t.before %t.after --relative 1e-5

// CHECK-NOT: normalize
// CHECK-NOT: groups
// CHECK-COUNT-3: moe.route softmax_chosen
// CHECK: moe.route sigmoid
// CHECK-NOT: normalize
// CHECK-NOT: groups

// Random logits; some that tie within a group and between groups; none but NaN.
func.func private @logits() -> tensor<?x8xf32> {
  %c61 = arith.constant 61 : index
  %c8 = arith.constant 8 : index
  %seed = arith.constant 5 : i32
  %random = call @random(%c61, %c8, %seed) : (index, index, i32) -> tensor<?x?xf32>
  %odd = arith.constant dense<[[1.0, 1.0, 0.0, 2.0, 2.0, 1.0, 2.0, 1.0],
                               [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                               [0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000,
                                0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]]> : tensor<3x8xf32>
  %spread = arith.constant 4.0 : f32
  %empty = tensor.empty() : tensor<61x8xf32>
  %static = tensor.cast %random : tensor<?x?xf32> to tensor<61x8xf32>
  %wide = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%static : tensor<61x8xf32>) outs(%empty : tensor<61x8xf32>) {
  ^bb0(%value: f32, %out: f32):
    %product = arith.mulf %value, %spread : f32
    linalg.yield %product : f32
  } -> tensor<61x8xf32>
  %all = tensor.concat dim(0) %wide, %odd : (tensor<61x8xf32>, tensor<3x8xf32>) -> tensor<64x8xf32>
  %result = tensor.cast %all : tensor<64x8xf32> to tensor<?x8xf32>
  return %result : tensor<?x8xf32>
}

func.func @main() {
  %logits = call @logits() : () -> tensor<?x8xf32>
  %b = arith.constant dense<[0.5, 0.0, -0.5, 0.25, 0.0, 0.0, 0.125, 0.0]> : tensor<8xf32>
  %r0:2 = moe.route softmax %logits {normalize = 0.0 : f64, scaling = 2.5 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %i0 = tensor.cast %r0#0 : tensor<?x2xi32> to tensor<?x?xi32>
  %w0 = tensor.cast %r0#1 : tensor<?x2xf32> to tensor<?x?xf32>
  call @print_route(%i0, %w0) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()
  %r1:2 = moe.route softmax %logits {groups = 4 : i64, group_limit = 2 : i64, normalize = 1.0e-12 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %i1 = tensor.cast %r1#0 : tensor<?x2xi32> to tensor<?x?xi32>
  %w1 = tensor.cast %r1#1 : tensor<?x2xf32> to tensor<?x?xf32>
  call @print_route(%i1, %w1) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()
  %r2:2 = moe.route softmax_chosen %logits bias %b {normalize = 1.0e-9 : f64}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i2 = tensor.cast %r2#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w2 = tensor.cast %r2#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i2, %w2) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()
  %r3:2 = moe.route sigmoid %logits bias %b {groups = 4 : i64, group_limit = 3 : i64}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i3 = tensor.cast %r3#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w3 = tensor.cast %r3#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i3, %w3) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()
  return
}

// Prints the ids and then the weights.
func.func private @print_route(%ids: tensor<?x?xi32>, %weights: tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %ids, %c0 : tensor<?x?xi32>
  %chosen = tensor.dim %ids, %c1 : tensor<?x?xi32>
  %empty = tensor.empty(%rows, %chosen) : tensor<?x?xf32>
  %numbers = linalg.generic {
      indexing_maps = [affine_map<(t, j) -> (t, j)>, affine_map<(t, j) -> (t, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<?x?xi32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%id: i32, %out: f32):
    %number = arith.sitofp %id : i32 to f32
    linalg.yield %number : f32
  } -> tensor<?x?xf32>
  call @print(%numbers) : (tensor<?x?xf32>) -> ()
  call @print(%weights) : (tensor<?x?xf32>) -> ()
  return
}
