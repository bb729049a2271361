// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-fuse-qkv -remarks-filter-missed=fusion \
// RUN:   -remark-format=emitRemark | FileCheck %s

// Nothing is fused anywhere in this file.
// CHECK-NOT: moe.concat

moe.weight @q : tensor<16x32xbf16> = #moe.source<"q">
moe.weight @k : tensor<16x32xf16> = #moe.source<"k">
func.func @different_formats(%i: index, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q : tensor<16x32xbf16>
  %wk = moe.read @k : tensor<16x32xf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{the weights are stored in different formats}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<16x32xf32, #moe.block<q4_0>> = #moe.source<"q">
moe.weight @k : tensor<16x32xf32, #moe.block<q8_0>> = #moe.source<"k">
func.func @different_encodings(%i: index, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q : tensor<16x32xf32, #moe.block<q4_0>>
  %wk = moe.read @k : tensor<16x32xf32, #moe.block<q8_0>>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q4_0>> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xf32, #moe.block<q8_0>> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{the weights are stored in different formats}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<2x16x32xbf16> = #moe.source<"{i}.q", layers = [0, 1]>
moe.weight @k : tensor<2x16x32xbf16> = #moe.source<"{i}.k", layers = [0, 1]>
func.func @different_slices(%i: index, %j: index, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q[%i] : tensor<16x32xbf16>
  %wk = moe.read @k[%j] : tensor<16x32xbf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{the weights are read at different slices}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<2x16x32xbf16> = #moe.source<"{i}.q", layers = [0, 1]>
moe.weight @k : tensor<3x16x32xbf16> = #moe.source<"{i}.k", layers = [0, 1, 2]>
func.func @different_stacks(%i: index, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q[%i] : tensor<16x32xbf16>
  %wk = moe.read @k[%i] : tensor<16x32xbf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{the weights are stacks of different numbers of slices}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<16x32xbf16> = #moe.source<"q">
moe.weight @k : tensor<16x32xbf16> = #moe.source<"k">
moe.weight @b : tensor<16xf32> = #moe.source<"b">
func.func @one_bias(%i: index, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q : tensor<16x32xbf16>
  %wk = moe.read @k : tensor<16x32xbf16>
  %b = moe.read @b : tensor<16xf32>
  %q = moe.linear %h, %wq + %b : tensor<?x32xf32>, tensor<16x32xbf16>, tensor<16xf32> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{some of the products have a bias and some have none}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @k : tensor<16x32xbf16> = #moe.source<"k">
func.func @weight_is_argument(%i: index, %h: tensor<?x32xf32>, %wq: tensor<16x32xbf16>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wk = moe.read @k : tensor<16x32xbf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{a weight is not a moe.read of a weight symbol}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<16x32xbf16> = #moe.source<"q">
moe.weight @k : tensor<16x32xbf16> = #moe.source<"k">
moe.weight @bk : tensor<16xf32> = #moe.source<"bk">
func.func @bias_is_argument(%i: index, %h: tensor<?x32xf32>, %bq: tensor<16xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q : tensor<16x32xbf16>
  %wk = moe.read @k : tensor<16x32xbf16>
  %bk = moe.read @bk : tensor<16xf32>
  %q = moe.linear %h, %wq + %bq : tensor<?x32xf32>, tensor<16x32xbf16>, tensor<16xf32> -> tensor<?x16xf32>
  %k = moe.linear %h, %wk + %bk : tensor<?x32xf32>, tensor<16x32xbf16>, tensor<16xf32> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{a weight is not a moe.read of a weight symbol}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<16x32xbf16> = #moe.source<"q">
moe.weight @k : tensor<16x32xbf16> = #moe.source<"k">
func.func @different_rows(%i: index, %h: tensor<?x32xf32>, %g: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q : tensor<16x32xbf16>
  %wk = moe.read @k : tensor<16x32xbf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %k = moe.linear %g, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  // expected-remark @below {{the products read different rows}}
  %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

moe.weight @q : tensor<16x32xbf16> = #moe.source<"q">
moe.weight @k : tensor<16x32xbf16> = #moe.source<"k">
func.func @different_blocks(%i: index, %c: i1, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wk = moe.read @k : tensor<16x32xbf16>
  %k = moe.linear %h, %wk : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %s1 = moe.kv_append %k into %s[%i] at %t, %p : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %r = scf.if %c -> tensor<?x16xf32> {
    %wq = moe.read @q : tensor<16x32xbf16>
    %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
    // expected-remark @below {{the products are in different blocks}}
    %o = moe.attention %q, %s1, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
    scf.yield %o : tensor<?x16xf32>
  } else {
    scf.yield %k : tensor<?x16xf32>
  }
  return %r : tensor<?x16xf32>
}

// -----

// Keys and values of another layer.
moe.weight @q : tensor<16x32xbf16> = #moe.source<"q">
func.func @no_keys(%i: index, %h: tensor<?x32xf32>, %s: tensor<2x?x?x1x16xf32>, %u: tensor<2x?x?x1x16xf32>, %t: tensor<?xi32>, %p: tensor<?xi32>) -> tensor<?x16xf32> {
  %wq = moe.read @q : tensor<16x32xbf16>
  %q = moe.linear %h, %wq : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  // expected-remark @below {{fewer than two of the queries, keys and values are products of this layer}}
  %o = moe.attention %q, %s, %u[%i] at %t, %p {scale = 2.5e-1 : f64} : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x16xf32>
}

// -----

// A gate is none of this pass's business.
moe.weight @gate : tensor<16x32xbf16> = #moe.source<"gate">
moe.weight @up : tensor<16x32xbf16> = #moe.source<"up">
func.func @gated(%h: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %wg = moe.read @gate : tensor<16x32xbf16>
  %wu = moe.read @up : tensor<16x32xbf16>
  %g = moe.linear %h, %wg : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %u = moe.linear %h, %wu : tensor<?x32xf32>, tensor<16x32xbf16> -> tensor<?x16xf32>
  %y = moe.gate silu %g, %u : tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
