// RUN: moire-opt %s -moe-canonicalize-route | FileCheck %s

// CHECK-LABEL: func @normalized_softmax
// CHECK: moe.route softmax_chosen %{{[a-z0-9]+}} : tensor<?x8xf32>
// CHECK: moe.route softmax_chosen %{{[a-z0-9]+}} {scaling = 2.500000e+00 : f64}
// A divisor of 2/8 or more plus 1e-20 is that divisor.
// CHECK: moe.route softmax_chosen %{{[a-z0-9]+}} : tensor<?x8xf32>
func.func @normalized_softmax(%logits: tensor<?x8xf32>) {
  %0:2 = moe.route softmax %logits {normalize = 0.0 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %1:2 = moe.route softmax %logits {normalize = 0.0 : f64, scaling = 2.5 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %2:2 = moe.route softmax %logits {normalize = 1.0e-20 : f64, scaling = 1.0 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// A softmax of the chosen logits adds up to 1 already, whatever they were chosen by.
// CHECK-LABEL: func @normalized_softmax_of_chosen
// CHECK: moe.route softmax_chosen %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} {group_score = #moe.group_score<top2_sum>, groups = 2 : i64} :
func.func @normalized_softmax_of_chosen(%logits: tensor<?x8xf32>, %b: tensor<8xf32>) {
  %0:2 = moe.route softmax_chosen %logits bias %b
    {groups = 2 : i64, group_limit = 1 : i64, group_score = #moe.group_score<top2_sum>,
     normalize = 1.0e-9 : f64}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// CHECK-LABEL: func @groups
// CHECK: moe.route sigmoid %{{[a-z0-9]+}} bias %{{[a-z0-9]+}} :
// CHECK: moe.route softmax %{{[a-z0-9]+}} :
// CHECK: moe.route softmax %{{[a-z0-9]+}} :
// Without groups it is the softmax of the chosen logits.
// CHECK: moe.route softmax_chosen %{{[a-z0-9]+}} :
func.func @groups(%logits: tensor<?x8xf32>, %b: tensor<8xf32>) {
  // No group is excluded.
  %0:2 = moe.route sigmoid %logits bias %b
    {groups = 4 : i64, group_limit = 4 : i64, group_score = #moe.group_score<top2_sum>}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %1:2 = moe.route softmax %logits {group_score = #moe.group_score<top2_sum>}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  // The best two experts are in the two groups with the best experts.
  %2:2 = moe.route softmax %logits {groups = 4 : i64, group_limit = 2 : i64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %3:2 = moe.route softmax %logits {groups = 4 : i64, group_limit = 3 : i64, normalize = 0.0 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}
