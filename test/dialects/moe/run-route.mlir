// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// The numbers were computed in double precision by a sort of (-choice, id) pairs in Python.

func.func @main() {
  // A tie; NaN and infinities beside numbers; nothing but NaN; infinities that tie.
  %logits_rows = arith.constant dense<[[0.5, 2.0, -1.0, 2.0, 1.0, 0.0],
                           [0x7FC00000, 1.0, 0x7F800000, 0xFF800000, 1.0, 0.0],
                           [0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000],
                           [0xFF800000, 0x7F800000, 0xFF800000, 0x7F800000, 0.0, 0x7FC00000]]> : tensor<4x6xf32>
  %logits = tensor.cast %logits_rows : tensor<4x6xf32> to tensor<?x6xf32>

  // Scores that are 0 tie, however far below the best their logits are.
  // CHECK: sizes = [4, 3]
  // CHECK-NEXT: {{\[\[}}1, 3, 4],
  // CHECK-NEXT: [2, 0, 1],
  // CHECK-NEXT: [0, 1, 2],
  // CHECK-NEXT: [1, 3, 0]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.360213, 0.360213, 0.132515],
  // CHECK-NEXT: [1, 0, 0],
  // CHECK-NEXT: [0.166667, 0.166667, 0.166667],
  // CHECK-NEXT: [0.5, 0.5, 0]]
  %r1:2 = moe.route softmax %logits
    : tensor<?x6xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i1 = tensor.cast %r1#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w1 = tensor.cast %r1#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i1, %w1) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // Mixtral: the chosen weights add up to the scaling.
  // CHECK: sizes = [4, 3]
  // CHECK-NEXT: {{\[\[}}1, 3, 4],
  // CHECK-NEXT: [2, 0, 1],
  // CHECK-NEXT: [0, 1, 2],
  // CHECK-NEXT: [1, 3, 0]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}1.0558, 1.0558, 0.388406],
  // CHECK-NEXT: [2.5, 0, 0],
  // CHECK-NEXT: [0.833333, 0.833333, 0.833333],
  // CHECK-NEXT: [1.25, 1.25, 0]]
  %r2:2 = moe.route softmax %logits {normalize = 0.0 : f64, scaling = 2.5 : f64}
    : tensor<?x6xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i2 = tensor.cast %r2#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w2 = tensor.cast %r2#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i2, %w2) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // Granite: the same weights, but chosen by logits.
  // CHECK: sizes = [4, 3]
  // CHECK-NEXT: {{\[\[}}1, 3, 4],
  // CHECK-NEXT: [2, 1, 4],
  // CHECK-NEXT: [0, 1, 2],
  // CHECK-NEXT: [1, 3, 4]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.422319, 0.422319, 0.155362],
  // CHECK-NEXT: [1, 0, 0],
  // CHECK-NEXT: [0.333333, 0.333333, 0.333333],
  // CHECK-NEXT: [0.5, 0.5, 0]]
  %r3:2 = moe.route softmax_chosen %logits
    : tensor<?x6xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i3 = tensor.cast %r3#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w3 = tensor.cast %r3#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i3, %w3) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // Scores that do not add up to 1.
  // CHECK: sizes = [4, 3]
  // CHECK-NEXT: {{\[\[}}1, 3, 4],
  // CHECK-NEXT: [2, 1, 4],
  // CHECK-NEXT: [0, 1, 2],
  // CHECK-NEXT: [1, 3, 4]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.880797, 0.880797, 0.731059],
  // CHECK-NEXT: [1, 0.731059, 0.731059],
  // CHECK-NEXT: [0, 0, 0],
  // CHECK-NEXT: [1, 1, 0.5]]
  %r4:2 = moe.route sigmoid %logits
    : tensor<?x6xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i4 = tensor.cast %r4#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w4 = tensor.cast %r4#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i4, %w4) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // What is added to the divisor counts.
  // CHECK: sizes = [4, 3]
  // CHECK-NEXT: {{\[\[}}1, 3, 4],
  // CHECK-NEXT: [2, 1, 4],
  // CHECK-NEXT: [0, 1, 2],
  // CHECK-NEXT: [1, 3, 4]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.336484, 0.336484, 0.27928],
  // CHECK-NEXT: [0.386531, 0.282577, 0.282577],
  // CHECK-NEXT: [0, 0, 0],
  // CHECK-NEXT: [0.380952, 0.380952, 0.190476]]
  %r5:2 = moe.route sigmoid %logits {normalize = 0.125 : f64}
    : tensor<?x6xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i5 = tensor.cast %r5#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w5 = tensor.cast %r5#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i5, %w5) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // One expert (Hunyuan): its score is not 1.
  // CHECK: sizes = [4, 1]
  // CHECK-NEXT: {{\[\[}}1],
  // CHECK-NEXT: [2],
  // CHECK-NEXT: [0],
  // CHECK-NEXT: [1]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.360213],
  // CHECK-NEXT: [1],
  // CHECK-NEXT: [0.166667],
  // CHECK-NEXT: [0.5]]
  %r6:2 = moe.route softmax %logits
    : tensor<?x6xf32> -> tensor<?x1xi32>, tensor<?x1xf32>
  %i6 = tensor.cast %r6#0 : tensor<?x1xi32> to tensor<?x?xi32>
  %w6 = tensor.cast %r6#1 : tensor<?x1xf32> to tensor<?x?xf32>
  call @print_route(%i6, %w6) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // All experts.
  %one_row = tensor.extract_slice %logits[0, 0] [1, 6] [1, 1] : tensor<?x6xf32> to tensor<1x6xf32>
  %one = tensor.cast %one_row : tensor<1x6xf32> to tensor<?x6xf32>
  // The ids are in the order of their weights.
  // CHECK: sizes = [1, 6]
  // CHECK-NEXT: {{\[\[}}1, 3, 4, 0, 5, 2]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.360213, 0.360213, 0.132515, 0.0803745, 0.0487496, 0.017934]]
  %r7:2 = moe.route softmax_chosen %one
    : tensor<?x6xf32> -> tensor<?x6xi32>, tensor<?x6xf32>
  %i7 = tensor.cast %r7#0 : tensor<?x6xi32> to tensor<?x?xi32>
  %w7 = tensor.cast %r7#1 : tensor<?x6xf32> to tensor<?x?xf32>
  call @print_route(%i7, %w7) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // Scores that are all 0 have weights of 0, whether something is added to the divisor or not.
  %none_rows = arith.constant dense<[[0xFF800000, 0xFF800000, 0xFF800000],
                                     [0x7FC00000, 0x7FC00000, 0x7FC00000]]> : tensor<2x3xf32>
  %none = tensor.cast %none_rows : tensor<2x3xf32> to tensor<?x3xf32>
  // DeepSeek-V3 adds 1e-20 …
  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}0, 1],
  // CHECK-NEXT: [0, 1]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0, 0],
  // CHECK-NEXT: [0, 0]]
  %r8:2 = moe.route sigmoid %none {normalize = 1.0e-20 : f64}
    : tensor<?x3xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %i8 = tensor.cast %r8#0 : tensor<?x2xi32> to tensor<?x?xi32>
  %w8 = tensor.cast %r8#1 : tensor<?x2xf32> to tensor<?x?xf32>
  call @print_route(%i8, %w8) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // … and nothing is the same.
  // CHECK: sizes = [2, 2]
  // CHECK-NEXT: {{\[\[}}0, 1],
  // CHECK-NEXT: [0, 1]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0, 0],
  // CHECK-NEXT: [0, 0]]
  %r9:2 = moe.route sigmoid %none {normalize = 0.0 : f64}
    : tensor<?x3xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %i9 = tensor.cast %r9#0 : tensor<?x2xi32> to tensor<?x?xi32>
  %w9 = tensor.cast %r9#1 : tensor<?x2xf32> to tensor<?x?xf32>
  call @print_route(%i9, %w9) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  return
}

// Prints the ids and then the weights.
func.func private @print_route(%ids: tensor<?x?xi32>, %weights: tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %ids, %c0 : tensor<?x?xi32>
  %chosen = tensor.dim %ids, %c1 : tensor<?x?xi32>
  %empty = tensor.empty(%rows, %chosen) : tensor<?x?xf32>
  %numbers = linalg.generic {
      indexing_maps = [affine_map<(t, j) -> (t, j)>, affine_map<(t, j) -> (t, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<?x?xi32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%id: i32, %out: f32):
    %number = arith.sitofp %id : i32 to f32
    linalg.yield %number : f32
  } -> tensor<?x?xf32>
  call @print(%numbers) : (tensor<?x?xf32>) -> ()
  call @print(%weights) : (tensor<?x?xf32>) -> ()
  return
}
