// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// The numbers were computed in double precision by a sort of (-choice, id) pairs in Python.

func.func @main() {
  // The best expert is alone in its group; groups that tie; nothing but NaN.
  %logits_rows = arith.constant dense<[[3.0, -3.0, 2.0, 2.0, 2.5, 1.0, 0.0, 0.0],
                           [1.0, 0.0, 1.0, 0.0, 0.0, 1.0, -1.0, -1.0],
                           [0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000, 0x7FC00000]]> : tensor<3x8xf32>
  %logits = tensor.cast %logits_rows : tensor<3x8xf32> to tensor<?x8xf32>

  // DeepSeek-V2: the groups with the best expert. Of the first row, experts 0, 1, 4 and 5 remain.
  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: {{\[\[}}0, 4, 5],
  // CHECK-NEXT: [0, 2, 1],
  // CHECK-NEXT: [0, 1, 2]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.387645, 0.235119, 0.0524621],
  // CHECK-NEXT: [0.228608, 0.228608, 0.0841],
  // CHECK-NEXT: [0.125, 0.125, 0.125]]
  %r1:2 = moe.route softmax %logits {groups = 4 : i64, group_limit = 2 : i64}
    : tensor<?x8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i1 = tensor.cast %r1#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w1 = tensor.cast %r1#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i1, %w1) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // DeepSeek-V3: the groups with the best two. Of the first row, experts 2 to 5 remain.
  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: {{\[\[}}4, 2, 3],
  // CHECK-NEXT: [0, 2, 1],
  // CHECK-NEXT: [0, 1, 2]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.688185, 0.655907, 0.655907],
  // CHECK-NEXT: [0.745173, 0.745173, 0.509654],
  // CHECK-NEXT: [0, 0, 0]]
  %r2:2 = moe.route sigmoid %logits
    {groups = 4 : i64, group_limit = 2 : i64,
     group_score = #moe.group_score<top2_sum>, normalize = 1.0e-20 : f64, scaling = 2.0 : f64}
    : tensor<?x8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i2 = tensor.cast %r2#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w2 = tensor.cast %r2#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i2, %w2) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  %last = arith.constant dense<[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0]> : tensor<8xf32>
  // A bias counts for groups and choices, and not for weights.
  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: {{\[\[}}6, 7, 2],
  // CHECK-NEXT: [6, 7, 0],
  // CHECK-NEXT: [6, 7, 0]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.5, 0.5, 0.880797],
  // CHECK-NEXT: [0.268941, 0.268941, 0.731059],
  // CHECK-NEXT: [0, 0, 0]]
  %r3:2 = moe.route sigmoid %logits bias %last
    {groups = 4 : i64, group_limit = 2 : i64,
     group_score = #moe.group_score<top2_sum>}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x3xi32>, tensor<?x3xf32>
  %i3 = tensor.cast %r3#0 : tensor<?x3xi32> to tensor<?x?xi32>
  %w3 = tensor.cast %r3#1 : tensor<?x3xf32> to tensor<?x?xf32>
  call @print_route(%i3, %w3) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // Groups of logits.
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: {{\[\[}}0, 2],
  // CHECK-NEXT: [0, 2],
  // CHECK-NEXT: [0, 1]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.731059, 0.268941],
  // CHECK-NEXT: [0.5, 0.5],
  // CHECK-NEXT: [0.5, 0.5]]
  %r4:2 = moe.route softmax_chosen %logits
    {groups = 2 : i64, group_limit = 1 : i64,
     group_score = #moe.group_score<top2_sum>}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %i4 = tensor.cast %r4#0 : tensor<?x2xi32> to tensor<?x?xi32>
  %w4 = tensor.cast %r4#1 : tensor<?x2xf32> to tensor<?x?xf32>
  call @print_route(%i4, %w4) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // A limit that excludes no group.
  // CHECK: sizes = [3, 2]
  // CHECK-NEXT: {{\[\[}}0, 4],
  // CHECK-NEXT: [0, 2],
  // CHECK-NEXT: [0, 1]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.387645, 0.235119],
  // CHECK-NEXT: [0.228608, 0.228608],
  // CHECK-NEXT: [0.125, 0.125]]
  %r5:2 = moe.route softmax %logits {groups = 4 : i64, group_limit = 4 : i64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %i5 = tensor.cast %r5#0 : tensor<?x2xi32> to tensor<?x?xi32>
  %w5 = tensor.cast %r5#1 : tensor<?x2xf32> to tensor<?x?xf32>
  call @print_route(%i5, %w5) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

  // An infinite bias is the largest number, and a NaN the lowest; FLT_MAX plus a score is that, too.
  %odd = arith.constant dense<[0.5, -0.5, 0.75, -0.25, 0xFF800000, 0x7FC00000, 0.0, 0x7F7FFFFF]>
    : tensor<8xf32>
  // With k = E all are chosen once.
  // CHECK: sizes = [3, 8]
  // CHECK-NEXT: {{\[\[}}7, 2, 0, 3, 6, 1, 4, 5],
  // CHECK-NEXT: [7, 2, 0, 6, 3, 1, 4, 5],
  // CHECK-NEXT: [7, 2, 0, 6, 3, 1, 4, 5]]
  // CHECK: sizes
  // CHECK-NEXT: {{\[\[}}0.0923055, 0.162605, 0.175856, 0.162605, 0.0923055, 0.00875534, 0.170607, 0.134961],
  // CHECK-NEXT: [0.0635636, 0.172784, 0.172784, 0.0635636, 0.118174, 0.118174, 0.118174, 0.172784],
  // CHECK-NEXT: [0, 0, 0, 0, 0, 0, 0, 0]]
  %r6:2 = moe.route sigmoid %logits bias %odd {normalize = 1.0e-06 : f64}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xi32>, tensor<?x8xf32>
  %i6 = tensor.cast %r6#0 : tensor<?x8xi32> to tensor<?x?xi32>
  %w6 = tensor.cast %r6#1 : tensor<?x8xf32> to tensor<?x?xf32>
  call @print_route(%i6, %w6) : (tensor<?x?xi32>, tensor<?x?xf32>) -> ()

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
