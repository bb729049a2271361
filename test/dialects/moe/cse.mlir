// RUN: moire-opt %s --cse | FileCheck %s

moe.weight @w : tensor<3x4x4xf32> = #moe.source<"w.{i}", layers = [0, 1, 2]>

// Equal reads are one value, and what nobody uses goes.
// CHECK-LABEL: @equal
// CHECK-COUNT-1: moe.read @w[
// CHECK-NOT: moe.read
func.func @equal(%x: tensor<?x4xf32>, %i: index) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  %w0 = moe.read @w[%i] : tensor<4x4xf32>
  %w1 = moe.read @w[%i] : tensor<4x4xf32>
  %unused = moe.read @w : tensor<3x4x4xf32>
  %y0 = moe.linear %x, %w0 : tensor<?x4xf32>, tensor<4x4xf32> -> tensor<?x4xf32>
  %y1 = moe.linear %x, %w1 : tensor<?x4xf32>, tensor<4x4xf32> -> tensor<?x4xf32>
  return %y0, %y1 : tensor<?x4xf32>, tensor<?x4xf32>
}
