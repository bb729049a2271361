// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  %x = arith.constant dense<[[1.0, -2.0, 0.0], [10.0, 0x7F800000, 0.5]]> : tensor<2x3xf32>
  %y = moe.scale %x by -6.0e-1 : tensor<2x3xf32>
  // CHECK: {{\[\[}}-0.6, 1.2, -0],
  // CHECK-NEXT: [-6, -inf, -0.3]]
  %y0 = tensor.cast %y : tensor<2x3xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  return
}
