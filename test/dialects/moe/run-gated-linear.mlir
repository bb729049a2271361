// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  // The products with the rows of the gate are 1 and -2, those with the rows of the values 2 and 3.
  %x = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 0.0], [0.0, -1.0], [2.0, 0.0], [1.0, 1.0]]> : tensor<4x2xf16>
  %y = moe.gated_linear silu %x, %w : tensor<1x2xf32>, tensor<4x2xf16> -> tensor<1x2xf32>
  // CHECK: {{\[\[}}1.46212, -0.715218]]
  %y0 = tensor.cast %y : tensor<1x2xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  return
}
