// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// A state of 2 layers, 2 slots, 3 positions, 2 heads of 2. Layer 1 gets three tokens, of which the
// numbers that f16 does not have are rounded; all else stays.
func.func @main() {
  %c1 = arith.constant 1 : index
  %state = arith.constant dense<0.0> : tensor<2x2x3x2x2xf16>
  %k = arith.constant dense<[[1.0001, 2.0, -0.3, 100.06], [5.0, 6.0, 7.0, 8.0],
                             [9.0, 10.0, 11.0, 12.0]]> : tensor<3x4xf32>
  %slots = arith.constant dense<[0, 1, 0]> : tensor<3xi32>
  %positions = arith.constant dense<[0, 2, 1]> : tensor<3xi32>
  %new = moe.kv_append %k into %state[%c1] at %slots, %positions
    : tensor<3x4xf32>, tensor<2x2x3x2x2xf16>, tensor<3xi32>, tensor<3xi32>

  // Rows are positions of (layer, slot), columns the heads' values.
  // CHECK: sizes = [12, 4]
  // CHECK-NEXT: {{\[\[}}0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [1, 2, -0.300049, 100.062],
  // CHECK-NEXT: [9, 10, 11, 12],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [0, 0, 0, 0],
  // CHECK-NEXT: [5, 6, 7, 8]]
  %rows = tensor.collapse_shape %new [[0, 1, 2], [3, 4]]
    : tensor<2x2x3x2x2xf16> into tensor<12x4xf16>
  %wide = arith.extf %rows : tensor<12x4xf16> to tensor<12x4xf32>
  %r = tensor.cast %wide : tensor<12x4xf32> to tensor<?x?xf32>
  call @print(%r) : (tensor<?x?xf32>) -> ()
  return
}
