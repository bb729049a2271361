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
