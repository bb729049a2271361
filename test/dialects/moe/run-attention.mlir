// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// Five tokens of two sequences, 4 query heads over 2 KV heads of 2. The numbers were computed in
// double precision from the formula in the description, on keys and values rounded to f16. Positions
// that no token wrote hold NaN, which must not matter.
func.func @main() {
  %c1 = arith.constant 1 : index
  %nan = arith.constant dense<0x7E00> : tensor<2x2x4x2x2xf16>
  %k = arith.constant dense<[[0.03, -0.34, 0.4, -0.28], [-1.35, -0.78, 1.25, -1.83],
                             [-1.81, 0.51, -0.88, 0.14], [-0.12, -0.63, 1.99, -1.22],
                             [-0.35, -1.19, 0.53, -0.89]]> : tensor<5x4xf32>
  %v = arith.constant dense<[[-0.58, 0.99, -0.72, 0.23], [1.62, -1.6, -1.75, -1.08],
                             [1.06, 0.46, -1.05, -0.68], [-1.29, -0.16, -1.83, 0.79],
                             [1.58, 1.82, 0.94, 1.84]]> : tensor<5x4xf32>
  %q = arith.constant dense<[[-1.06, -1.59, -0.42, -1.38, -1.73, -0.39, 1.67, 1.2],
                             [1.06, -1.11, 0.15, -0.89, -1.31, -1.58, -1.14, 1.71],
                             [1.32, 1.23, 1.2, -1.23, -0.76, 0.51, 0.93, 1.42],
                             [1.52, -1.65, 0.42, 0.69, 0.02, -1.29, -0.11, -1.64],
                             [1.74, 1.46, 0.19, -0.8, 1.64, 0.29, 1.53, 1.39]]> : tensor<5x8xf32>
  %slots = arith.constant dense<[0, 1, 0, 0, 1]> : tensor<5xi32>
  %positions = arith.constant dense<[0, 0, 1, 2, 1]> : tensor<5xi32>
  %keys = moe.kv_append %k into %nan[%c1] at %slots, %positions
    : tensor<5x4xf32>, tensor<2x2x4x2x2xf16>, tensor<5xi32>, tensor<5xi32>
  %nan2 = arith.constant dense<0x7E00> : tensor<2x2x4x2x2xf16>
  %values = moe.kv_append %v into %nan2[%c1] at %slots, %positions
    : tensor<5x4xf32>, tensor<2x2x4x2x2xf16>, tensor<5xi32>, tensor<5xi32>

  %all = moe.attention %q, %keys, %values[%c1] at %slots, %positions {scale = 0.5 : f64}
    : tensor<5x8xf32>, tensor<2x2x4x2x2xf16>, tensor<5xi32>, tensor<5xi32>
  // CHECK: sizes = [5, 8]
  // CHECK-NEXT: {{\[\[}}-0.580078, 0.990234, -0.580078, 0.990234, -0.720215, 0.22998, -0.720215, 0.22998],
  // CHECK-NEXT: [1.62012, -1.59961, 1.62012, -1.59961, -1.75, -1.08008, -1.75, -1.08008],
  // CHECK-NEXT: [-0.032912{{[0-3]}}, 0.813277, -0.310645, 0.903098, -0.932521, -0.356298, -0.860727, -0.15804],
  // CHECK-NEXT: [-0.847661, 0.383565, -0.267519, 0.455177, -1.36062, 0.328961, -1.37474, 0.341447],
  // CHECK-NEXT: [1.59454, 0.584757, 1.59752, 0.33074, -0.705381, 0.05385{{1[6-9]|2}}, -0.336297, 0.454491]]
  %all0 = tensor.cast %all : tensor<5x8xf32> to tensor<?x?xf32>
  call @print(%all0) : (tensor<?x?xf32>) -> ()

  // With a window of two, token 3 (position 2) no longer sees token 0 (position 0).
  %near = moe.attention %q, %keys, %values[%c1] at %slots, %positions
    {scale = 0.5 : f64, window = 2 : i64}
    : tensor<5x8xf32>, tensor<2x2x4x2x2xf16>, tensor<5xi32>, tensor<5xi32>
  // CHECK: sizes = [5, 8]
  // CHECK-NEXT: {{\[\[}}-0.580078, 0.990234,
  // CHECK-NEXT: [1.62012, -1.59961,
  // CHECK-NEXT: [-0.032912{{[0-3]}}, 0.813277,
  // CHECK-NEXT: [-1.06074, -0.0995285, -0.09269{{9|96|97|98}}, 0.15591, -1.60546, 0.366803, -1.61359, 0.382124],
  // CHECK-NEXT: [1.59454, 0.584757,
  %near0 = tensor.cast %near : tensor<5x8xf32> to tensor<?x?xf32>
  call @print(%near0) : (tensor<?x?xf32>) -> ()
  return
}
