// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-canonicalize-route \
// RUN:   -remarks-filter-missed=routing -remark-format=emitRemark | FileCheck %s

// Nothing is canonicalized anywhere in this file.

// CHECK-LABEL: func @sigmoid
// CHECK: moe.route sigmoid {{.*}} {normalize = 0.000000e+00 : f64}
func.func @sigmoid(%logits: tensor<?x8xf32>) {
  // expected-remark @below {{the scores are not a softmax}}
  %0:2 = moe.route sigmoid %logits {normalize = 0.0 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

// CHECK-LABEL: func @raw
// CHECK: moe.route softmax %{{[a-z0-9]+}} :
func.func @raw(%logits: tensor<?x8xf32>) {
  // expected-remark @below {{the weights are not normalized}}
  %0:2 = moe.route softmax %logits : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

// CHECK-LABEL: func @bias
// CHECK: moe.route softmax {{.*}} {normalize = 0.000000e+00 : f64}
func.func @bias(%logits: tensor<?x8xf32>, %b: tensor<8xf32>) {
  // expected-remark @below {{the experts are chosen with a bias}}
  %0:2 = moe.route softmax %logits bias %b {normalize = 0.0 : f64}
    : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

// CHECK-LABEL: func @groups
// CHECK: moe.route softmax {{.*}} {groups = 4 : i64, normalize = 0.000000e+00 : f64}
func.func @groups(%logits: tensor<?x8xf32>) {
  // expected-remark @below {{the limit of groups can exclude an expert}}
  // expected-remark @below {{the experts are chosen by groups}}
  %0:2 = moe.route softmax %logits {groups = 4 : i64, group_limit = 1 : i64, normalize = 0.0 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

// The best two experts need not be in the two groups with the best pairs.
// CHECK-LABEL: func @pairs
// CHECK: moe.route softmax_chosen {{.*}} {group_limit = 2 : i64, group_score = #moe.group_score<top2_sum>, groups = 4 : i64}
func.func @pairs(%logits: tensor<?x8xf32>) {
  // expected-remark @below {{the limit of groups can exclude an expert}}
  %0:2 = moe.route softmax_chosen %logits
    {groups = 4 : i64, group_limit = 2 : i64, group_score = #moe.group_score<top2_sum>}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

// CHECK-LABEL: func @divisor
// CHECK: moe.route softmax {{.*}} {normalize = 9.9999999999999995E-7 : f64}
func.func @divisor(%logits: tensor<?x8xf32>) {
  // expected-remark @below {{what is added to the divisor changes the weights}}
  %0:2 = moe.route softmax %logits {normalize = 1.0e-6 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}

// -----

// CHECK-LABEL: func @divisor_of_chosen
// CHECK: moe.route softmax_chosen {{.*}} {normalize = 1.250000e-01 : f64}
func.func @divisor_of_chosen(%logits: tensor<?x8xf32>) {
  // expected-remark @below {{what is added to the divisor changes the weights}}
  %0:2 = moe.route softmax_chosen %logits {normalize = 0.125 : f64}
    : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return
}
