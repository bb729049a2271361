// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  // silu(1) = 0.731059, silu(-2) = -0.238406; far from 0 it is 0 or the identity, never NaN.
  %g = arith.constant dense<[[1.0, -2.0, 0.0, 100.0, -200.0]]> : tensor<1x5xf32>
  %u = arith.constant dense<[[2.0, 3.0, 5.0, 1.0, -1.0]]> : tensor<1x5xf32>
  %y = moe.gate silu %g, %u : tensor<1x5xf32>
  // CHECK: {{\[\[}}1.46212, -0.715218, 0, 100, 0]]
  %y0 = tensor.cast %y : tensor<1x5xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  return
}
