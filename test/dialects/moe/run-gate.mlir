// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  // silu(1) = 0.731059, silu(-2) = -0.238406; far from 0 it is 0 or the identity, never NaN.
  %g = arith.constant dense<[[1.0, -2.0, 0.0, 100.0, -200.0]]> : tensor<1x5xf32>
  %u = arith.constant dense<[[2.0, 3.0, 5.0, 1.0, -1.0]]> : tensor<1x5xf32>
  %y = moe.gate silu %g, %u : tensor<1x5xf32>
  // CHECK: {{\[\[}}1.46212, -0.715218, 0, 100, 0]]
  %y0 = tensor.cast %y : tensor<1x5xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()

  // sigmoid(1) = 0.731059, sigmoid(-2) = 0.119203.
  %z = moe.gate sigmoid %g, %u : tensor<1x5xf32>
  // CHECK: {{\[\[}}1.46212, 0.357609, 2.5, 1, -0]]
  %z0 = tensor.cast %z : tensor<1x5xf32> to tensor<?x?xf32>
  call @print(%z0) : (tensor<?x?xf32>) -> ()

  // A gate that is the same for a row.
  %s = arith.constant dense<[[1.0], [-2.0]]> : tensor<2x1xf32>
  %v = arith.constant dense<[[2.0, 3.0, 0.0], [10.0, -10.0, 100.0]]> : tensor<2x3xf32>
  %dynamic_s = tensor.cast %s : tensor<2x1xf32> to tensor<?x1xf32>
  %dynamic_v = tensor.cast %v : tensor<2x3xf32> to tensor<?x3xf32>
  %w = moe.gate sigmoid %dynamic_s, %dynamic_v : tensor<?x1xf32>, tensor<?x3xf32>
  // CHECK: {{\[\[}}1.46212, 2.19318, 0],
  // CHECK-NEXT: [1.19203, -1.19203, 11.9203]]
  %w0 = tensor.cast %w : tensor<?x3xf32> to tensor<?x?xf32>
  call @print(%w0) : (tensor<?x?xf32>) -> ()

  // Rows of width 1.
  %narrow = moe.gate silu %s, %s : tensor<2x1xf32>
  // CHECK: {{\[\[}}0.731059],
  // CHECK-NEXT: [0.476812]]
  %narrow0 = tensor.cast %narrow : tensor<2x1xf32> to tensor<?x?xf32>
  call @print(%narrow0) : (tensor<?x?xf32>) -> ()
  return
}
