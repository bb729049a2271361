// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// Eight bits of precision: between 1 and 2 a step is 1 / 128 = 0.0078125. Ties go to the even one of
// 1.0 and 1.0078125, and of 1.0078125 and 1.015625; 3.4e38 is nearer to infinity than to the largest.
func.func @main() {
  %x = arith.constant dense<[[1.0, 1.00390625, 1.01171875, 1.004, -1.004, 100.3, 3.4e38, 0.1, 0.0]]>
    : tensor<1x9xf32>
  %q = moe.quantize_rows %x : tensor<1x9xf32> -> tensor<1x9xf32, #moe.rows<bf16>>
  %values = tensor.cast %q : tensor<1x9xf32, #moe.rows<bf16>> to tensor<?x?xf32>
  // CHECK: sizes = [1, 9]
  // CHECK-NEXT: 1, 1, 1.01562, 1.00781, -1.00781, 100.5, inf, 0.100098, 0
  call @print(%values) : (tensor<?x?xf32>) -> ()

  // The norm is that of 3 and 4, 0.848528 and 1.13137, and rounds by itself; what it is multiplied
  // with may be of bf16.
  %y = arith.constant dense<[[3.0, 4.0]]> : tensor<1x2xf32>
  %gain = arith.constant dense<1.0> : tensor<2xf32>
  %h = moe.rms_norm %y, %gain eps 0.0 : tensor<1x2xf32>, tensor<2xf32> -> tensor<1x2xf32, #moe.rows<bf16>>
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xbf16>
  %z = moe.linear %h, %w : tensor<1x2xf32, #moe.rows<bf16>>, tensor<2x2xbf16> -> tensor<1x2xf32>
  %printed = tensor.cast %z : tensor<1x2xf32> to tensor<?x?xf32>
  // CHECK: sizes = [1, 2]
  // CHECK-NEXT: 0.847656, 1.13281
  call @print(%printed) : (tensor<?x?xf32>) -> ()
  return
}
