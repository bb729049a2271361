// RUN: cat %s %prelude | %run_oracle | FileCheck %s

func.func @main() {
  %x = arith.constant dense<[[0.5, 1.5], [2.5, -3.5], [4.5, 5.5]]> : tensor<3x2xf32>
  %rows = arith.constant dense<[2, 1]> : tensor<2xi32>
  %y = moe.select_rows %x, %rows : tensor<3x2xf32>, tensor<2xi32> -> tensor<2x2xf32>
  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}4.5, 5.5],
  // CHECK-NEXT: [2.5, -3.5]]
  %y0 = tensor.cast %y : tensor<2x2xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()

  // No row is wanted: a step in the middle of a prompt.
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i32
  %none = call @count(%c0, %zero, %zero) : (index, i32, i32) -> tensor<?xi32>
  %z = moe.select_rows %x, %none : tensor<3x2xf32>, tensor<?xi32> -> tensor<?x2xf32>
  // CHECK: sizes = [0, 2]
  %z0 = tensor.cast %z : tensor<?x2xf32> to tensor<?x?xf32>
  call @print(%z0) : (tensor<?x?xf32>) -> ()
  return
}
