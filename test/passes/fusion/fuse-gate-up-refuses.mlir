// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-fuse-gate-up \
// RUN:   -remarks-filter-missed=fusion -remark-format=emitRemark | FileCheck %s

// Nothing is fused anywhere in this file.
// CHECK-NOT: moe.concat
// CHECK-NOT: moe.gated_linear
// CHECK-NOT: gated up

moe.weight @gate : tensor<16x32xbf16> = #moe.source<"gate">
moe.weight @up : tensor<16x32xbf16> = #moe.source<"up">
func.func @different_rows(%h: tensor<?x32xf32>, %k: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate : tensor<16x32xbf16>
  %wu = moe.read @up : tensor<16x32xbf16>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %u = moe.linear %k, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{the products read different rows}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

moe.weight @gate : tensor<16x32xf32, #moe.block<q4_0>> = #moe.source<"gate">
moe.weight @up : tensor<16x32xf32, #moe.block<q4_1>> = #moe.source<"up">
func.func @different_encodings(%h: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate : tensor<16x32xf32, #moe.block<q4_0>>
  %wu = moe.read @up : tensor<16x32xf32, #moe.block<q4_1>>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_0>> -> tensor<?x16xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_1>> -> tensor<?x16xf32>
  // expected-remark @below {{the weights are stored in different formats}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

moe.weight @gate : tensor<16x32xbf16> = #moe.source<"gate">
moe.weight @up : tensor<16x32xbf16> = #moe.source<"up">
moe.weight @bias : tensor<16xf32> = #moe.source<"bias">
func.func @has_bias(%h: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate : tensor<16x32xbf16>
  %wu = moe.read @up : tensor<16x32xbf16>
  %b = moe.read @bias : tensor<16xf32>
  %g = moe.linear %h, %wg + %b : tensor<?x32xf32>, tensor<16x32xbf16>, tensor<16xf32> -> tensor<?x16xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{a product has a bias}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

moe.weight @gate : tensor<16x32xbf16> = #moe.source<"gate">
moe.weight @up : tensor<16x32xbf16> = #moe.source<"up">
func.func @other_user(%h: tensor<?x32xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  %wg = moe.read @gate : tensor<16x32xbf16>
  %wu = moe.read @up : tensor<16x32xbf16>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{a product has other users}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y, %u : tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

moe.weight @gate : tensor<16x32xbf16> = #moe.source<"gate">
func.func @no_product(%h: tensor<?x32xf32>, %u: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate : tensor<16x32xbf16>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{the gate and the value are not both products}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

moe.weight @gate : tensor<1x32xbf16> = #moe.source<"gate">
moe.weight @up : tensor<16x32xbf16> = #moe.source<"up">
func.func @one_gate_for_a_row(%h: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate : tensor<1x32xbf16>
  %wu = moe.read @up : tensor<16x32xbf16>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<1x32xbf16> -> tensor<?x1xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{the gate is the same for a whole row}}
  %y = moe.gate sigmoid %g, %u : tensor<?x1xf32>, tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

func.func @weights_are_arguments(%h: tensor<?x32xf32>, %wg: tensor<16x32xbf16>, %wu: tensor<16x32xbf16>) -> tensor<?x16xf32> {
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{a weight is not a moe.read of a weight symbol}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

moe.weight @gate : tensor<2x16x32xbf16> = #moe.source<"{i}.gate", layers = [0, 1]>
moe.weight @up : tensor<2x16x32xbf16> = #moe.source<"{i}.up", layers = [0, 1]>
func.func @different_slices(%i: index, %j: index, %h: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate[%i] : tensor<16x32xbf16>
  %wu = moe.read @up[%j] : tensor<16x32xbf16>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{the weights are read at different slices}}
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

moe.weight @up : tensor<4x32x32xbf16> = #moe.source<"up", experts = 4>
func.func @plain_experts(%h: tensor<?x32xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %down: tensor<4x32x32xbf16>) -> tensor<?x32xf32> {
  %wu = moe.read @up : tensor<4x32x32xbf16>
  // expected-remark @below {{the experts have no gate}}
  %y = moe.experts silu %h to %ids weighted %w up %wu down %down
    : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<4x32x32xbf16>, tensor<4x32x32xbf16> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

moe.weight @gate : tensor<4x32x32xf32, #moe.block<q4_0>> = #moe.source<"gate", experts = 4>
moe.weight @up : tensor<4x32x32xbf16> = #moe.source<"up", experts = 4>
func.func @encodings_of_experts(%h: tensor<?x32xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %down: tensor<4x32x32xbf16>) -> tensor<?x32xf32> {
  %wg = moe.read @gate : tensor<4x32x32xf32, #moe.block<q4_0>>
  %wu = moe.read @up : tensor<4x32x32xbf16>
  // expected-remark @below {{the weights are stored in different formats}}
  %y = moe.experts silu %h to %ids weighted %w gate %wg up %wu down %down
    : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x32xf32, #moe.block<q4_0>>,
      tensor<4x32x32xbf16>, tensor<4x32x32xbf16> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// Three dimensions, of which nothing says that the first counts experts.
moe.weight @gate : tensor<4x32x32xbf16> = #moe.source<"gate", experts = 4>
moe.weight @up : tensor<4x32x32xbf16> = #moe.source<"up">
func.func @no_experts_in_recipe(%h: tensor<?x32xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %down: tensor<4x32x32xbf16>) -> tensor<?x32xf32> {
  %wg = moe.read @gate : tensor<4x32x32xbf16>
  %wu = moe.read @up : tensor<4x32x32xbf16>
  // expected-remark @below {{the recipe of a weight does not say that it has experts}}
  %y = moe.experts silu %h to %ids weighted %w gate %wg up %wu down %down
    : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x32xbf16>,
      tensor<4x32x32xbf16>, tensor<4x32x32xbf16> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
