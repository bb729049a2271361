// RUN: moire-opt %s -moe-fuse-qkv | FileCheck %s
// RUN: moire-opt %s -moe-fuse-qkv -remarks-filter=fusion -remark-format=emitRemark -o %t 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// REMARK: [Passed] FuseQkv | Category:fusion | Function=layer | Remark="the products are one now", Weights="q, k, v"
// REMARK: [Passed] FuseQkv | Category:fusion | Function=mixed | Remark="the products of equal formats are one now", Weights="mq, mk, mv"
// REMARK: [Missed] FuseQkv | Category:fusion | Function=mixed | Remark="the others stay apart: the weights are stored in different formats", Weights="mq, mk, mv"

// Stacked weights, rope on queries and keys, biases on all three.

// CHECK: moe.weight @v : tensor<2x16x32xf32, #moe.block<q4_0>>
// CHECK-NEXT: moe.weight @q_k_v : tensor<2x64x32xf32, #moe.block<q4_0>> = #moe.concat<@q, @k, @v>
// CHECK: moe.weight @bq_bk_bv : tensor<2x64xf32> = #moe.concat<@bq, @bk, @bv>
moe.weight @q : tensor<2x32x32xf32, #moe.block<q4_0>> = #moe.source<"{i}.q", layers = [0, 1]>
moe.weight @k : tensor<2x16x32xf32, #moe.block<q4_0>> = #moe.source<"{i}.k", layers = [0, 1]>
moe.weight @v : tensor<2x16x32xf32, #moe.block<q4_0>> = #moe.source<"{i}.v", layers = [0, 1]>
moe.weight @bq : tensor<2x32xf32> = #moe.source<"{i}.bq", layers = [0, 1]>
moe.weight @bk : tensor<2x16xf32> = #moe.source<"{i}.bk", layers = [0, 1]>
moe.weight @bv : tensor<2x16xf32> = #moe.source<"{i}.bv", layers = [0, 1]>

// CHECK-LABEL: func @layer
// CHECK-SAME: %[[I:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: tensor<?x32xf32>
// CHECK-NOT: moe.read @q[
// CHECK-DAG: %[[W:.*]] = moe.read @q_k_v[%[[I]]] : tensor<64x32xf32, #moe.block<q4_0>>
// CHECK-DAG: %[[B:.*]] = moe.read @bq_bk_bv[%[[I]]] : tensor<64xf32>
// CHECK: %[[QKV:.*]] = moe.linear %[[H]], %[[W]] + %[[B]]
// CHECK-SAME: -> tensor<?x64xf32>
// CHECK: %[[T:.*]] = tensor.dim %[[QKV]]
// CHECK: %[[Q:.*]] = tensor.extract_slice %[[QKV]][0, 0] [%[[T]], 32] [1, 1]
// CHECK: %[[K:.*]] = tensor.extract_slice %[[QKV]][0, 32] [%[[T]], 16] [1, 1]
// CHECK: %[[V:.*]] = tensor.extract_slice %[[QKV]][0, 48] [%[[T]], 16] [1, 1]
// CHECK-NOT: moe.linear
// CHECK: %[[RQ:.*]] = moe.rope %[[Q]]
// CHECK: %[[RK:.*]] = moe.rope %[[K]]
// CHECK: moe.kv_append %[[RK]]
// CHECK: moe.kv_append %[[V]]
// CHECK: moe.attention %[[RQ]]
func.func @layer(%i: index, %h: tensor<?x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                 %values: tensor<2x?x?x1x16xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>)
    -> tensor<?x32xf32> {
  %wq = moe.read @q[%i] : tensor<32x32xf32, #moe.block<q4_0>>
  %bq = moe.read @bq[%i] : tensor<32xf32>
  %q = moe.linear %h, %wq + %bq : tensor<?x32xf32>, tensor<32x32xf32, #moe.block<q4_0>>, tensor<32xf32> -> tensor<?x32xf32>
  %rq = moe.rope %q at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x32xf32>, tensor<?xi32>
  %wk = moe.read @k[%i] : tensor<16x32xf32, #moe.block<q4_0>>
  %bk = moe.read @bk[%i] : tensor<16xf32>
  %k = moe.linear %h, %wk + %bk : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_0>>, tensor<16xf32> -> tensor<?x16xf32>
  %rk = moe.rope %k at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x16xf32>, tensor<?xi32>
  %wv = moe.read @v[%i] : tensor<16x32xf32, #moe.block<q4_0>>
  %bv = moe.read @bv[%i] : tensor<16xf32>
  %v = moe.linear %h, %wv + %bv : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_0>>, tensor<16xf32> -> tensor<?x16xf32>
  %keys1 = moe.kv_append %rk into %keys[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %values1 = moe.kv_append %v into %values[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %o = moe.attention %rq, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}

// A second reader of the same weights shares their concatenation; a product that serves as keys and
// values is one part. A product of the same rows that does not reach the attention stays.

moe.weight @kv : tensor<16x32xf16> = #moe.source<"kv">
moe.weight @q2 : tensor<32x32xf16> = #moe.source<"q2">
moe.weight @other : tensor<8x32xf16> = #moe.source<"other">
// CHECK: moe.weight @q2_kv : tensor<48x32xf16> = #moe.concat<@q2, @kv>
// CHECK-NOT: moe.concat
// CHECK-LABEL: func @shared
// CHECK: moe.read @q2_kv : tensor<48x32xf16>
// CHECK: moe.linear {{.*}} tensor<48x32xf16> -> tensor<3x48xf32>
// CHECK: tensor.extract_slice %{{.*}}[0, 0] [3, 32] [1, 1]
// CHECK: tensor.extract_slice %{{.*}}[0, 32] [3, 16] [1, 1]
// CHECK: moe.linear {{.*}} tensor<8x32xf16> -> tensor<3x8xf32>
// CHECK-LABEL: func @again
// CHECK: moe.read @q2_kv : tensor<48x32xf16>
func.func @shared(%i: index, %h: tensor<3x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                  %values: tensor<2x?x?x1x16xf32>, %slots: tensor<3xi32>, %positions: tensor<3xi32>)
    -> (tensor<3x32xf32>, tensor<3x8xf32>) {
  %wq = moe.read @q2 : tensor<32x32xf16>
  %wkv = moe.read @kv : tensor<16x32xf16>
  %wo = moe.read @other : tensor<8x32xf16>
  %q = moe.linear %h, %wq : tensor<3x32xf32>, tensor<32x32xf16> -> tensor<3x32xf32>
  %kv = moe.linear %h, %wkv : tensor<3x32xf32>, tensor<16x32xf16> -> tensor<3x16xf32>
  %keys1 = moe.kv_append %kv into %keys[%i] at %slots, %positions : tensor<3x16xf32>, tensor<2x?x?x1x16xf32>, tensor<3xi32>, tensor<3xi32>
  %values1 = moe.kv_append %kv into %values[%i] at %slots, %positions : tensor<3x16xf32>, tensor<2x?x?x1x16xf32>, tensor<3xi32>, tensor<3xi32>
  %o = moe.attention %q, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<3x32xf32>, tensor<2x?x?x1x16xf32>, tensor<3xi32>, tensor<3xi32>
  %r = moe.linear %h, %wo : tensor<3x32xf32>, tensor<8x32xf16> -> tensor<3x8xf32>
  return %o, %r : tensor<3x32xf32>, tensor<3x8xf32>
}
func.func @again(%i: index, %h: tensor<1x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                 %values: tensor<2x?x?x1x16xf32>, %slots: tensor<1xi32>, %positions: tensor<1xi32>)
    -> tensor<1x32xf32> {
  %wq = moe.read @q2 : tensor<32x32xf16>
  %wkv = moe.read @kv : tensor<16x32xf16>
  %q = moe.linear %h, %wq : tensor<1x32xf32>, tensor<32x32xf16> -> tensor<1x32xf32>
  %kv = moe.linear %h, %wkv : tensor<1x32xf32>, tensor<16x32xf16> -> tensor<1x16xf32>
  %keys1 = moe.kv_append %kv into %keys[%i] at %slots, %positions : tensor<1x16xf32>, tensor<2x?x?x1x16xf32>, tensor<1xi32>, tensor<1xi32>
  %values1 = moe.kv_append %kv into %values[%i] at %slots, %positions : tensor<1x16xf32>, tensor<2x?x?x1x16xf32>, tensor<1xi32>, tensor<1xi32>
  %o = moe.attention %q, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<1x32xf32>, tensor<2x?x?x1x16xf32>, tensor<1xi32>, tensor<1xi32>
  return %o : tensor<1x32xf32>
}

// Norms of the queries, of each head before a rope, and of the keys, of all heads behind it.

moe.weight @q3 : tensor<32x32xf16> = #moe.source<"q3">
moe.weight @k3 : tensor<16x32xf16> = #moe.source<"k3">
moe.weight @v3 : tensor<16x32xf16> = #moe.source<"v3">
// CHECK: moe.weight @q3_k3_v3 : tensor<64x32xf16> = #moe.concat<@q3, @k3, @v3>
// CHECK-LABEL: func @norms
// CHECK: %[[QKV:.*]] = moe.linear {{.*}} -> tensor<?x64xf32>
// CHECK: %[[Q:.*]] = tensor.extract_slice %[[QKV]][0, 0]
// CHECK: %[[K:.*]] = tensor.extract_slice %[[QKV]][0, 32]
// CHECK-NOT: moe.linear
// CHECK: %[[NQ:.*]] = moe.rms_norm %[[Q]]
// CHECK: moe.rope %[[NQ]]
// CHECK: %[[RK:.*]] = moe.rope %[[K]]
// CHECK: moe.rms_norm %[[RK]]
func.func @norms(%h: tensor<?x32xf32>, %gq: tensor<16xf32>, %gk: tensor<16xf32>,
                 %keys: tensor<1x?x?x1x16xf32>, %values: tensor<1x?x?x1x16xf32>,
                 %slots: tensor<?xi32>, %positions: tensor<?xi32>) -> tensor<?x32xf32> {
  %c0 = arith.constant 0 : index
  %wq = moe.read @q3 : tensor<32x32xf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<32x32xf16> -> tensor<?x32xf32>
  %nq = moe.rms_norm %q, %gq eps 1.0e-6 : tensor<?x32xf32>, tensor<16xf32> -> tensor<?x32xf32>
  %rq = moe.rope %nq at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x32xf32>, tensor<?xi32>
  %wk = moe.read @k3 : tensor<16x32xf16>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xf16> -> tensor<?x16xf32>
  %rk = moe.rope %k at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x16xf32>, tensor<?xi32>
  %nk = moe.rms_norm %rk, %gk eps 1.0e-6 : tensor<?x16xf32>, tensor<16xf32> -> tensor<?x16xf32>
  %wv = moe.read @v3 : tensor<16x32xf16>
  %v = moe.linear %h, %wv : tensor<?x32xf32>, tensor<16x32xf16> -> tensor<?x16xf32>
  %keys1 = moe.kv_append %nk into %keys[%c0] at %slots, %positions : tensor<?x16xf32>, tensor<1x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %values1 = moe.kv_append %v into %values[%c0] at %slots, %positions : tensor<?x16xf32>, tensor<1x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %o = moe.attention %rq, %keys1, %values1[%c0] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<?x32xf32>, tensor<1x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}

// Values in another format than queries and keys: two products, side by side.

// CHECK: moe.weight @mq_mk : tensor<48x256xf32, #moe.block<q4_k>> = #moe.concat<@mq, @mk>
moe.weight @mq : tensor<32x256xf32, #moe.block<q4_k>> = #moe.source<"mq">
moe.weight @mk : tensor<16x256xf32, #moe.block<q4_k>> = #moe.source<"mk">
moe.weight @mv : tensor<16x256xf32, #moe.block<q6_k>> = #moe.source<"mv">

// CHECK-LABEL: func @mixed
// CHECK-SAME: %[[I:[a-z0-9]+]]: index, %[[H:[a-z0-9]+]]: tensor<?x256xf32>
// CHECK-DAG: %[[WV:.*]] = moe.read @mv
// CHECK-DAG: %[[W:.*]] = moe.read @mq_mk
// CHECK: %[[QK:.*]] = moe.linear %[[H]], %[[W]]
// CHECK-NEXT: %[[V:.*]] = moe.linear %[[H]], %[[WV]]
// CHECK: %[[Q:.*]] = tensor.extract_slice %[[QK]][0, 0]
// CHECK: %[[K:.*]] = tensor.extract_slice %[[QK]][0, 32]
// CHECK: moe.rope %[[Q]]
// CHECK: moe.kv_append %[[K]]
// CHECK: moe.kv_append %[[V]]
func.func @mixed(%i: index, %h: tensor<?x256xf32>, %keys: tensor<2x?x?x1x16xf32>,
                 %values: tensor<2x?x?x1x16xf32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>)
    -> tensor<?x32xf32> {
  %wq = moe.read @mq : tensor<32x256xf32, #moe.block<q4_k>>
  %q = moe.linear %h, %wq : tensor<?x256xf32>, tensor<32x256xf32, #moe.block<q4_k>> -> tensor<?x32xf32>
  %rq = moe.rope %q at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x32xf32>, tensor<?xi32>
  %wk = moe.read @mk : tensor<16x256xf32, #moe.block<q4_k>>
  %k = moe.linear %h, %wk : tensor<?x256xf32>, tensor<16x256xf32, #moe.block<q4_k>> -> tensor<?x16xf32>
  %wv = moe.read @mv : tensor<16x256xf32, #moe.block<q6_k>>
  %v = moe.linear %h, %wv : tensor<?x256xf32>, tensor<16x256xf32, #moe.block<q6_k>> -> tensor<?x16xf32>
  %keys1 = moe.kv_append %k into %keys[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %values1 = moe.kv_append %v into %values[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %o = moe.attention %rq, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}
