// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// What appending rounds to. Three tokens, 2 heads of 4; rows are tokens, columns the heads' values.
!int8 = tensor<1x1x3x2x4xf32, #moe.int8_rows>
!bf16 = tensor<1x1x3x2x4xbf16>
func.func @main() {
  %c0 = arith.constant 0 : index
  %slots = arith.constant dense<0> : tensor<3xi32>
  %positions = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  // Ties and zeros; too small, infinite; a NaN, and a row that has no number exactly.
  %x = arith.constant dense<[[127.0, 0.5, 1.5, -2.5, 0.0, -0.0, 0.0, 0.0],
                             [1.0e-31, -3.0e-31, 0.0, 0.0, 0x7F800000, 1.0, 2.0, 3.0],
                             [1.0, 0x7F800001, 2.0, 3.0, -3.81, 1.27, 0.3, 0.02]]> : tensor<3x8xf32>
  %plain = arith.constant dense<0.0> : tensor<1x1x3x2x4xf32>
  %empty = tensor.cast %plain : tensor<1x1x3x2x4xf32> to !int8
  %int8 = moe.kv_append %x into %empty[%c0] at %slots, %positions
    : tensor<3x8xf32>, !int8, tensor<3xi32>, tensor<3xi32>
  // CHECK: sizes = [3, 8]
  // CHECK-NEXT: {{\[\[}}127, 0, 2, -2, 0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0, nan, nan, nan, nan],
  // CHECK-NEXT: [nan, nan, nan, nan, -3.81, 1.26, 0.3, 0.03]]
  %numbers = tensor.cast %int8 : !int8 to tensor<1x1x3x2x4xf32>
  %rows = tensor.collapse_shape %numbers [[0, 1, 2], [3, 4]]
    : tensor<1x1x3x2x4xf32> into tensor<3x8xf32>
  %r = tensor.cast %rows : tensor<3x8xf32> to tensor<?x?xf32>
  call @print(%r) : (tensor<?x?xf32>) -> ()

  // Ties, to the even one below and above; a carry up to infinity; NaN whose upper half is none.
  %y = arith.constant dense<[[1.00390625, 1.01171875, -1.0039064, 3.4e38, 0.0, -0.0, 1.0, 3.3e38],
                             [0x7F800001, 0xFF800001, 0x7FFFFFFF, 0x7F800000, 1.0, 2.0, 3.0, 4.0],
                             [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]]> : tensor<3x8xf32>
  %zeros = arith.constant dense<0.0> : !bf16
  %bf16 = moe.kv_append %y into %zeros[%c0] at %slots, %positions
    : tensor<3x8xf32>, !bf16, tensor<3xi32>, tensor<3xi32>
  // CHECK: sizes = [3, 8]
  // CHECK-NEXT: {{\[\[}}1, 1.01562, -1.00781, inf, 0, -0, 1, 3.29649e+38],
  // CHECK-NEXT: [nan, -nan, nan, inf, 1, 2, 3, 4],
  // CHECK-NEXT: [0.100098, 0.200195, 0.300781, 0.400391, 0.5, 0.601562, 0.699219, 0.800781]]
  %halves = tensor.collapse_shape %bf16 [[0, 1, 2], [3, 4]] : !bf16 into tensor<3x8xbf16>
  %wide = arith.extf %halves : tensor<3x8xbf16> to tensor<3x8xf32>
  %w = tensor.cast %wide : tensor<3x8xf32> to tensor<?x?xf32>
  call @print(%w) : (tensor<?x?xf32>) -> ()

  // Attention reads what was stored: the value of one token is the result.
  %one = arith.constant dense<0> : tensor<1xi32>
  %q = arith.constant dense<1.0> : tensor<1x8xf32>
  %v = arith.constant dense<[[-3.81, 1.27, 0.3, 0.02, 127.0, 0.5, 1.5, -2.5]]> : tensor<1x8xf32>
  %values = moe.kv_append %v into %int8[%c0] at %one, %one
    : tensor<1x8xf32>, !int8, tensor<1xi32>, tensor<1xi32>
  %a = moe.attention %q, %values, %values[%c0] at %one, %one {scale = 0.5 : f64}
    : tensor<1x8xf32>, !int8, tensor<1xi32>, tensor<1xi32>
  // CHECK: sizes = [1, 8]
  // CHECK-NEXT: {{\[\[}}-3.81, 1.26, 0.3, 0.03, 127, 0, 2, -2]]
  %p = tensor.cast %a : tensor<1x8xf32> to tensor<?x?xf32>
  call @print(%p) : (tensor<?x?xf32>) -> ()
  return
}
