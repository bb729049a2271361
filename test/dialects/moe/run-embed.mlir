// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  %table = arith.constant dense<[[0.5, 1.5], [2.5, -3.5], [4.5, 5.5]]> : tensor<3x2xbf16>
  %tokens = arith.constant dense<[2, 0, 2, 1]> : tensor<4xi32>
  %x = moe.embed %tokens, %table : tensor<4xi32>, tensor<3x2xbf16> -> tensor<4x2xf32>
  // CHECK: sizes = [4, 2]
  // CHECK-NEXT: {{\[\[}}4.5, 5.5],
  // CHECK-NEXT: [0.5, 1.5],
  // CHECK-NEXT: [4.5, 5.5],
  // CHECK-NEXT: [2.5, -3.5]]
  %x0 = tensor.cast %x : tensor<4x2xf32> to tensor<?x?xf32>
  call @print(%x0) : (tensor<?x?xf32>) -> ()

  // The number of tokens is not known before the program runs.
  %c2 = arith.constant 2 : index
  %first = arith.constant 1 : i32
  %some = call @count(%c2, %first, %first) : (index, i32, i32) -> tensor<?xi32>
  %y = moe.embed %some, %table : tensor<?xi32>, tensor<3x2xbf16> -> tensor<?x2xf32>
  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}2.5, -3.5],
  // CHECK-NEXT: [4.5, 5.5]]
  %y0 = tensor.cast %y : tensor<?x2xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  return
}
