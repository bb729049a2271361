// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// The numbers were computed in double precision from the formulas in the description.
func.func @main() {
  // Two heads of 6, of which 4 are rotated by position and position / 100.
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0],
                             [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0],
                             [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -1.0, -2.0, -3.0, -4.0, -5.0, -6.0]]>
    : tensor<3x12xf32>
  %positions = arith.constant dense<[0, 1, 7]> : tensor<3xi32>
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 6 : i64, rotary_dims = 4 : i64}
    : tensor<3x12xf32>, tensor<3xi32>
  // CHECK: sizes = [3, 12]
  // CHECK-NEXT: {{\[\[}}1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6],
  // CHECK-NEXT: [-1.98411, 1.9599, 2.46238, 4.0198, 5, 6, 1.98411, -1.9599, -2.46238, -4.0198, -5, -6],
  // CHECK-NEXT: [-1.21706, 1.71533, 2.91869, 4.13009, 5, 6, 1.21706, -1.71533, -2.91869, -4.13009, -5, -6]]
  %r0 = tensor.cast %r : tensor<3x12xf32> to tensor<?x?xf32>
  call @print(%r0) : (tensor<?x?xf32>) -> ()

  // Divided by 7, positions 0, 7 and 49 are 0, 1 and 7.
  %far = arith.constant dense<[0, 7, 49]> : tensor<3xi32>
  %s = moe.rope %x at %far {base = 1.0e4 : f64, head_dim = 6 : i64, rotary_dims = 4 : i64,
                            scaling = #moe.linear_scaling<7.0 : f64>}
    : tensor<3x12xf32>, tensor<3xi32>
  // CHECK: sizes = [3, 12]
  // CHECK-NEXT: {{\[\[}}1, 2, 3, 4,
  // CHECK-NEXT: [-1.98411, 1.9599, 2.46238, 4.0198,
  // CHECK-NEXT: [-1.21706, 1.71533, 2.91869, 4.13009,
  %s0 = tensor.cast %s : tensor<3x12xf32> to tensor<?x?xf32>
  call @print(%s0) : (tensor<?x?xf32>) -> ()

  // Cosines, then sines, of the angles at position 100: the first two frequencies stay, the third is
  // mixed (0.00141421 becomes 0.000524846), the last is divided by 8.
  %units = arith.constant dense<[[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0]]> : tensor<1x8xf32>
  %hundred = arith.constant dense<100> : tensor<1xi32>
  %t = moe.rope %units at %hundred {base = 5.0e5 : f64, head_dim = 8 : i64, rotary_dims = 8 : i64,
    scaling = #moe.llama3_scaling<factor = 8.0 : f64, low_factor = 1.0 : f64,
                                  high_factor = 4.0 : f64, original_context = 8192>}
    : tensor<1x8xf32>, tensor<1xi32>
  // CHECK: sizes = [1, 8]
  // CHECK-NEXT: {{\[\[}}0.862319, -0.814453, 0.998623, 1, -0.506366, -0.580229, 0.0524605, 0.000664787]]
  %t0 = tensor.cast %t : tensor<1x8xf32> to tensor<?x?xf32>
  call @print(%t0) : (tensor<?x?xf32>) -> ()
  return
}
