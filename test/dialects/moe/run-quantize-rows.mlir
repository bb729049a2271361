// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// The first block's best scale is 127 / 124 = 1.02419 (error 1.5037, against 1.57 with 127 / 127), the
// second's 254 / 124; the second row's blocks are a block of zeros and one with the scale 63.5 / 127,
// where 0.5 would be a tie.
func.func @main() {
  %x = arith.constant dense<[
    [127.0, 0.5, 1.5, 2.5, -0.5, -1.5, 2.4, 2.6,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
     0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
     1.0, 3.0, -3.0, 5.0, -254.0, 0.5, 0.9, 1.1,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
     0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
     0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
     0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,
     0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0,  0.0, 0.0, 0.0, 0.0, 0.0, 0.7, 0.8, 63.5]
  ]> : tensor<2x64xf32>
  %q = moe.quantize_rows %x : tensor<2x64xf32> -> tensor<2x64xf32, #moe.block<int8>>
  %values = tensor.cast %q : tensor<2x64xf32, #moe.block<int8>> to tensor<2x64xf32>
  // CHECK: sizes = [2, 64]
  // CHECK-NEXT: {{\[\[}}127, 0, 1.02419, 2.04839, {{-?}}0, -1.02419, 2.04839, 3.07258, 0, {{.*}} 0, 0, 2.04839, -2.04839, 4.09677, -254, 0, 0, 2.04839, 0, {{.*}} 0],
  // CHECK-NEXT: [0, 0, {{.*}} 0, 0, 0.5, 1, 63.5]]
  %v = tensor.cast %values : tensor<2x64xf32> to tensor<?x?xf32>
  call @print(%v) : (tensor<?x?xf32>) -> ()

  // One block of all 64, and two of 64 and 32 columns: the second is short, and rounded by itself.
  // CHECK: sizes = [2, 64]
  // CHECK-NEXT: {{\[\[}}127, 0, 2.04839, 2.04839, {{-?}}0, -2.04839, 2.04839, 2.04839, 0, {{.*}} 0, 0, 2.04839, -2.04839, 4.09677, -254, 0, 0, 2.04839, 0, {{.*}} 0],
  // CHECK-NEXT: [0, 0, {{.*}} 0, 0, 0.5, 1, 63.5]]
  %wide = moe.quantize_rows %x : tensor<2x64xf32> -> tensor<2x64xf32, #moe.block<int8, 64>>
  %wide_values = tensor.cast %wide : tensor<2x64xf32, #moe.block<int8, 64>> to tensor<?x?xf32>
  call @print(%wide_values) : (tensor<?x?xf32>) -> ()
  // CHECK: sizes = [2, 96]
  // CHECK-NEXT: {{\[\[}}127, 0, 2.04839, 2.04839, {{.*}} -254, {{.*}} 127, 0, 1.02419, 2.04839, {{-?}}0, -1.02419,
  %empty = arith.constant dense<0.0> : tensor<2x96xf32>
  %first = tensor.extract_slice %x[0, 0] [2, 32] [1, 1] : tensor<2x64xf32> to tensor<2x32xf32>
  %long = tensor.insert_slice %x into %empty[0, 0] [2, 64] [1, 1] : tensor<2x64xf32> into tensor<2x96xf32>
  %longer = tensor.insert_slice %first into %long[0, 64] [2, 32] [1, 1] : tensor<2x32xf32> into tensor<2x96xf32>
  %short = moe.quantize_rows %longer : tensor<2x96xf32> -> tensor<2x96xf32, #moe.block<int8, 64>>
  %short_values = tensor.cast %short : tensor<2x96xf32, #moe.block<int8, 64>> to tensor<?x?xf32>
  call @print(%short_values) : (tensor<?x?xf32>) -> ()
  return
}
