// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0], [-1.0, 0.5, 0.0]]> : tensor<2x3xf32>
  %w = arith.constant dense<[[1.0, 0.0, 2.0], [0.5, -1.0, 0.25]]> : tensor<2x3xbf16>
  %b = arith.constant dense<[10.0, -20.0]> : tensor<2xf32>
  %y = moe.linear %x, %w : tensor<2x3xf32>, tensor<2x3xbf16> -> tensor<2x2xf32>
  %z = moe.linear %x, %w + %b : tensor<2x3xf32>, tensor<2x3xbf16>, tensor<2xf32> -> tensor<2x2xf32>

  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}7, -0.75],
  // CHECK-NEXT: [-1, -1]]
  %y0 = tensor.cast %y : tensor<2x2xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()

  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}17, -20.75],
  // CHECK-NEXT: [9, -21]]
  %z0 = tensor.cast %z : tensor<2x2xf32> to tensor<?x?xf32>
  call @print(%z0) : (tensor<?x?xf32>) -> ()
  return
}
