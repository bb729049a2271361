// The phase optimize as a whole, on a layer as frontends make it.
// RUN: moire-opt %s -moe-optimize | FileCheck %s
// RUN: moire-opt %s -moe-optimize=activations=f32 | FileCheck %s --check-prefix=F32

moe.weight @norm1 : tensor<2x32xf32> = #moe.source<"{i}.norm1", layers = [0, 1]>
moe.weight @norm2 : tensor<2x32xf32> = #moe.source<"{i}.norm2", layers = [0, 1]>
moe.weight @q : tensor<2x32x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.q", layers = [0, 1]>
moe.weight @k : tensor<2x16x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.k", layers = [0, 1]>
moe.weight @v : tensor<2x16x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.v", layers = [0, 1]>
moe.weight @gate : tensor<2x64x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.gate", layers = [0, 1]>
moe.weight @up : tensor<2x64x32xf32, #moe.block<q4_1>> = #moe.source<"{i}.up", layers = [0, 1]>
moe.weight @down : tensor<2x32x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.down", layers = [0, 1]>

// CHECK-LABEL: func @layer_0
// CHECK-NOT: moe.quantize_rows
// CHECK: moe.rms_norm {{.*}} -> tensor<?x32xf32, #moe.block<int8>>
// CHECK-NOT: moe.quantize_rows
// CHECK: moe.linear {{.*}} -> tensor<?x64xf32>
// CHECK-COUNT-3: tensor.extract_slice
// CHECK-NOT: moe.quantize_rows
// CHECK: moe.attention
// CHECK-NOT: moe.quantize_rows
// CHECK: moe.rms_norm {{.*}} -> tensor<?x32xf32, #moe.block<int8>>
// CHECK-NOT: moe.linear
// CHECK: %[[F:.*]] = moe.gated_linear
// CHECK: %[[QF:.*]] = moe.quantize_rows %[[F]]
// CHECK: moe.linear %[[QF]]

// F32-LABEL: func @layer_0
// F32: moe.rms_norm
// F32-NOT: moe.block<int8>
// F32: moe.gated_linear
// F32-NOT: moe.block<int8>
// F32: return
func.func @layer_0(%i: index, %x: tensor<?x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                   %values: tensor<2x?x?x1x16xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>)
    -> (tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<2x?x?x1x16xf32>) {
  %n1 = moe.read @norm1[%i] : tensor<32xf32>
  %h = moe.rms_norm %x, %n1 eps 1.0e-5 : tensor<?x32xf32>, tensor<32xf32> -> tensor<?x32xf32>
  %wq = moe.read @q[%i] : tensor<32x32xf32, #moe.block<q4_1>>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<32x32xf32, #moe.block<q4_1>> -> tensor<?x32xf32>
  %wk = moe.read @k[%i] : tensor<16x32xf32, #moe.block<q4_1>>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_1>> -> tensor<?x16xf32>
  %wv = moe.read @v[%i] : tensor<16x32xf32, #moe.block<q4_1>>
  %v = moe.linear %h, %wv : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_1>> -> tensor<?x16xf32>
  %keys1 = moe.kv_append %k into %keys[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %values1 = moe.kv_append %v into %values[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %o = moe.attention %q, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %n2 = moe.read @norm2[%i] : tensor<32xf32>
  // The norm of each product is computed on its own here: it is one value only after CSE.
  %g0 = moe.rms_norm %o, %n2 eps 1.0e-5 : tensor<?x32xf32>, tensor<32xf32> -> tensor<?x32xf32>
  %u0 = moe.rms_norm %o, %n2 eps 1.0e-5 : tensor<?x32xf32>, tensor<32xf32> -> tensor<?x32xf32>
  %wg = moe.read @gate[%i] : tensor<64x32xf32, #moe.block<q4_1>>
  %g = moe.linear %g0, %wg : tensor<?x32xf32>, tensor<64x32xf32, #moe.block<q4_1>> -> tensor<?x64xf32>
  %wu = moe.read @up[%i] : tensor<64x32xf32, #moe.block<q4_1>>
  %u = moe.linear %u0, %wu : tensor<?x32xf32>, tensor<64x32xf32, #moe.block<q4_1>> -> tensor<?x64xf32>
  %f = moe.gate silu %g, %u : tensor<?x64xf32>
  %wd = moe.read @down[%i] : tensor<32x64xf32, #moe.block<q4_1>>
  %y = moe.linear %f, %wd : tensor<?x64xf32>, tensor<32x64xf32, #moe.block<q4_1>> -> tensor<?x32xf32>
  return %y, %keys1, %values1 : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<2x?x?x1x16xf32>
}

// A layer of experts: a shared one beside the routed ones, and a router that reads the norm in f32.

moe.weight @norm : tensor<2x64xf32> = #moe.source<"{i}.norm", layers = [2, 3]>
moe.weight @router : tensor<2x8x64xf32> = #moe.source<"{i}.router", layers = [2, 3]>
moe.weight @gates : tensor<2x8x32x64xf32, #moe.block<q8_0>> = #moe.source<"{i}.gates", layers = [2, 3], experts = 8>
moe.weight @ups : tensor<2x8x32x64xf32, #moe.block<q8_0>> = #moe.source<"{i}.ups", layers = [2, 3], experts = 8>
moe.weight @downs : tensor<2x8x64x32xf32, #moe.block<q8_0>> = #moe.source<"{i}.downs", layers = [2, 3], experts = 8>
moe.weight @shared_gate : tensor<2x32x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.sg", layers = [2, 3]>
moe.weight @shared_up : tensor<2x32x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.su", layers = [2, 3]>
moe.weight @shared_down : tensor<2x64x32xbf16> = #moe.source<"{i}.sd", layers = [2, 3]>

// CHECK-LABEL: func @experts
// CHECK-DAG: %[[H:.*]] = moe.rms_norm {{.*}} -> tensor<?x64xf32>{{$}}
// CHECK-DAG: %[[Q:.*]] = moe.rms_norm {{.*}} -> tensor<?x64xf32, #moe.block<int8>>
// CHECK: moe.linear %[[H]],
// CHECK: moe.route softmax_chosen %{{[a-z0-9]+}} :
// CHECK-NOT: moe.quantize_rows
// CHECK: moe.experts silu %[[Q]] to %{{.*}} weighted %{{.*}} gated up %{{.*}} down %{{.*}} {hidden = #moe.block<int8>}
// CHECK: moe.gated_linear silu %[[Q]],
// CHECK: moe.linear {{.*}} tensor<64x32xbf16>

// F32-LABEL: func @experts
// F32-NOT: moe.block<int8>
// F32: gated up
// F32-NOT: moe.block<int8>
// F32: return
func.func @experts(%i: index, %x: tensor<?x64xf32>) -> (tensor<?x64xf32>, tensor<?x64xf32>) {
  %n = moe.read @norm[%i] : tensor<64xf32>
  %h = moe.rms_norm %x, %n eps 1.0e-5 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %wr = moe.read @router[%i] : tensor<8x64xf32>
  %logits = moe.linear %h, %wr : tensor<?x64xf32>, tensor<8x64xf32> -> tensor<?x8xf32>
  %ids, %weights = moe.route softmax %logits {normalize = 0.0 : f64} : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %wg = moe.read @gates[%i] : tensor<8x32x64xf32, #moe.block<q8_0>>
  %wu = moe.read @ups[%i] : tensor<8x32x64xf32, #moe.block<q8_0>>
  %wd = moe.read @downs[%i] : tensor<8x64x32xf32, #moe.block<q8_0>>
  %y = moe.experts silu %h to %ids weighted %weights gate %wg up %wu down %wd
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<8x32x64xf32, #moe.block<q8_0>>,
      tensor<8x32x64xf32, #moe.block<q8_0>>, tensor<8x64x32xf32, #moe.block<q8_0>> -> tensor<?x64xf32>
  %sg = moe.read @shared_gate[%i] : tensor<32x64xf32, #moe.block<q4_1>>
  %su = moe.read @shared_up[%i] : tensor<32x64xf32, #moe.block<q4_1>>
  %sd = moe.read @shared_down[%i] : tensor<64x32xbf16>
  %g = moe.linear %h, %sg : tensor<?x64xf32>, tensor<32x64xf32, #moe.block<q4_1>> -> tensor<?x32xf32>
  %u = moe.linear %h, %su : tensor<?x64xf32>, tensor<32x64xf32, #moe.block<q4_1>> -> tensor<?x32xf32>
  %f = moe.gate silu %g, %u : tensor<?x32xf32>
  %z = moe.linear %f, %sd : tensor<?x32xf32>, tensor<64x32xbf16> -> tensor<?x64xf32>
  return %y, %z : tensor<?x64xf32>, tensor<?x64xf32>
}
