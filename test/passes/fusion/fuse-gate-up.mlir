// RUN: moire-opt %s -moe-fuse-gate-up | FileCheck %s
// RUN: moire-opt %s -moe-fuse-gate-up -remarks-filter=fusion -remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] FuseGateUp | Category:fusion | Function=ffn | Remark="the gate and its products are one now", Weights="gate, up"

moe.weight @layer_0.gate : tensor<2x48x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.gate", layers = [0, 1]>
moe.weight @layer_0.up : tensor<2x48x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.up", layers = [0, 1]>
// CHECK: moe.weight @layer_0.gate_up : tensor<2x96x32xf32, #moe.block<q4_1>> = #moe.concat<@layer_0.gate, @layer_0.up>

// CHECK-LABEL: func @ffn
// CHECK-SAME: %[[I:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK-NOT: moe.read @layer_0.gate[
// CHECK-NOT: moe.read @layer_0.up[
// CHECK: %[[W:.*]] = moe.read @layer_0.gate_up[%[[I]]]
// CHECK: %[[Y:.*]] = moe.gated_linear silu %[[H]], %[[W]]
// CHECK-NOT: moe.gate silu
// CHECK: return %[[Y]]
func.func @ffn(%i: index, %h: tensor<?x32xf32>) -> tensor<?x48xf32> {
  %wg = moe.read @layer_0.gate[%i] : tensor<48x32xf32, #moe.block<q4_1>>
  %wu = moe.read @layer_0.up[%i] : tensor<48x32xf32, #moe.block<q4_1>>
  // The order of the products does not matter, that of the gate's operands does.
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<48x32xf32, #moe.block<q4_1>> -> tensor<?x48xf32>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<48x32xf32, #moe.block<q4_1>> -> tensor<?x48xf32>
  %y = moe.gate silu %g, %u : tensor<?x48xf32>
  return %y : tensor<?x48xf32>
}

// A weight that others read stays readable; a taken name is avoided.
moe.weight @a : tensor<8x32xf16> = #moe.source<"a">
moe.weight @b : tensor<8x32xf16> = #moe.source<"b">
moe.weight @a_b : tensor<8x32xf16> = #moe.source<"a_b">
// CHECK: moe.weight @[[NAME:a_b_[0-9]+]] : tensor<16x32xf16> = #moe.concat<@a, @b>
// CHECK-LABEL: func @shared
// CHECK: %[[A:.*]] = moe.read @a :
// CHECK-NOT: moe.read @b :
// CHECK: moe.read @[[NAME]] : tensor<16x32xf16>
// CHECK: moe.linear %{{.*}}, %[[A]]
func.func @shared(%h: tensor<?x32xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %wa = moe.read @a : tensor<8x32xf16>
  %wb = moe.read @b : tensor<8x32xf16>
  %g = moe.linear %h, %wa : tensor<?x32xf32>, tensor<8x32xf16> -> tensor<?x8xf32>
  %u = moe.linear %h, %wb : tensor<?x32xf32>, tensor<8x32xf16> -> tensor<?x8xf32>
  %y = moe.gate silu %g, %u : tensor<?x8xf32>
  %z = moe.linear %h, %wa : tensor<?x32xf32>, tensor<8x32xf16> -> tensor<?x8xf32>
  return %y, %z : tensor<?x8xf32>, tensor<?x8xf32>
}

// Of experts, the rows of each are joined.
moe.weight @gate_exps : tensor<2x4x16x32xbf16> = #moe.source<"{i}.{e}.gate", layers = [0, 1], experts = 4>
moe.weight @up_exps : tensor<2x4x16x32xbf16> = #moe.source<"{i}.ups", layers = [0, 1], experts = 4>
moe.weight @down_exps : tensor<2x4x32x16xbf16> = #moe.source<"{i}.{e}.down", layers = [0, 1], experts = 4>
// CHECK: moe.weight @gate_exps_up_exps : tensor<2x4x32x32xbf16> = #moe.concat<@gate_exps, @up_exps>
// CHECK-LABEL: func @experts
// CHECK-NOT: moe.read @gate_exps[
// CHECK-NOT: moe.read @up_exps[
// CHECK: %[[W:.*]] = moe.read @gate_exps_up_exps[%{{.*}}] : tensor<4x32x32xbf16>
// CHECK: moe.experts silu %{{.*}} to %{{.*}} weighted %{{.*}} gated up %[[W]] down %{{.*}}
func.func @experts(%i: index, %h: tensor<?x32xf32>, %ids: tensor<?x2xi32>,
                   %weights: tensor<?x2xf32>) -> tensor<?x32xf32> {
  %wg = moe.read @gate_exps[%i] : tensor<4x16x32xbf16>
  %wu = moe.read @up_exps[%i] : tensor<4x16x32xbf16>
  %wd = moe.read @down_exps[%i] : tensor<4x32x16xbf16>
  %y = moe.experts silu %h to %ids weighted %weights gate %wg up %wu down %wd
    : tensor<?x32xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x16x32xbf16>,
      tensor<4x16x32xbf16>, tensor<4x32x16xbf16> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
