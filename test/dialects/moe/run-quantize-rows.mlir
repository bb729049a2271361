// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// The first block's scale is 127 / 127 = 1 (ties go to even), the second's 254 / 127 = 2; the second
// row's blocks are a block of zeros and one with the scale 0.5.
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
  // CHECK-NEXT: {{\[\[}}127, 0, 2, 2, {{-?}}0, -2, 2, 3, 0, {{.*}} 0, 0, 4, -4, 4, -254, 0, 0, 2, 0, {{.*}} 0],
  // CHECK-NEXT: [0, 0, {{.*}} 0, 0, 0.5, 1, 63.5]]
  %v = tensor.cast %values : tensor<2x64xf32> to tensor<?x?xf32>
  call @print(%v) : (tensor<?x?xf32>) -> ()
  return
}
