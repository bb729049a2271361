// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-fuse-qkv > %t.fused
// RUN: FileCheck %s < %t.fused
// RUN: cat %t.fused | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// CHECK: moe.linear {{.*}} -> tensor<?x64xf32>

// With values of another format, the queries and keys are one.
// RUN: sed '/@v \|%wv/s/xbf16>/xf16>/g' %t.mlir > %t.mixed.mlir
// RUN: cat %t.mixed.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mixed.mlir -moe-fuse-qkv > %t.fused
// RUN: FileCheck %s --check-prefix=MIXED < %t.fused
// RUN: cat %t.fused | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// MIXED-LABEL: func private @layer
// MIXED: moe.linear {{.*}} -> tensor<?x48xf32>
// MIXED-NEXT: moe.linear {{.*}} -> tensor<?x16xf32>
// MIXED-NOT: moe.linear

moe.weight @q : tensor<2x32x32xbf16> = #moe.source<"{i}.q", layers = [3, 5]>
moe.weight @k : tensor<2x16x32xbf16> = #moe.source<"{i}.k", layers = [3, 5], interleaved_heads = 1>
moe.weight @v : tensor<2x16x32xbf16> = #moe.source<"{i}.v", layers = [3, 5]>
moe.weight @bq : tensor<2x32xf32> = #moe.source<"{i}.bq", layers = [3, 5]>
moe.weight @bk : tensor<2x16xf32> = #moe.source<"{i}.bk", layers = [3, 5]>
moe.weight @bv : tensor<2x16xf32> = #moe.source<"{i}.bv", layers = [3, 5]>
moe.weight @gq : tensor<2x8xf32> = #moe.source<"{i}.gq", layers = [3, 5]>
moe.weight @gk : tensor<2x16xf32> = #moe.source<"{i}.gk", layers = [3, 5]>

func.func private @layer(%i: index, %h: tensor<?x32xf32>, %keys: tensor<2x?x?x1x16xf32>,
                         %values: tensor<2x?x?x1x16xf32>, %slots: tensor<?xi32>,
                         %positions: tensor<?xi32>) -> tensor<?x32xf32> {
  %wq = moe.read @q[%i] : tensor<32x32xbf16>
  %bq = moe.read @bq[%i] : tensor<32xf32>
  %q = moe.linear %h, %wq + %bq : tensor<?x32xf32>, tensor<32x32xbf16>, tensor<32xf32> -> tensor<?x32xf32>
  %gq = moe.read @gq[%i] : tensor<8xf32>
  %nq = moe.rms_norm %q, %gq eps 1.0e-6 : tensor<?x32xf32>, tensor<8xf32> -> tensor<?x32xf32>
  %rq = moe.rope %nq at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x32xf32>, tensor<?xi32>
  %wk = moe.read @k[%i] : tensor<16x32xbf16>
  %bk = moe.read @bk[%i] : tensor<16xf32>
  %k = moe.linear %h, %wk + %bk : tensor<?x32xf32>, tensor<16x32xbf16>, tensor<16xf32> -> tensor<?x16xf32>
  %rk = moe.rope %k at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64} : tensor<?x16xf32>, tensor<?xi32>
  %gk = moe.read @gk[%i] : tensor<16xf32>
  %nk = moe.rms_norm %rk, %gk eps 1.0e-6 : tensor<?x16xf32>, tensor<16xf32> -> tensor<?x16xf32>
  %wv = moe.read @v[%i] : tensor<16x32xbf16>
  %bv = moe.read @bv[%i] : tensor<16xf32>
  %v = moe.linear %h, %wv + %bv : tensor<?x32xf32>, tensor<16x32xbf16>, tensor<16xf32> -> tensor<?x16xf32>
  %keys1 = moe.kv_append %nk into %keys[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %values1 = moe.kv_append %v into %values[%i] at %slots, %positions : tensor<?x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  %o = moe.attention %rq, %keys1, %values1[%i] at %slots, %positions {scale = 2.5e-1 : f64} : tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>
  return %o : tensor<?x32xf32>
}

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c5 = arith.constant 5 : index
  %c32 = arith.constant 32 : index
  %zero = arith.constant 0.0 : f32
  %i0 = arith.constant 0 : i32
  %i1 = arith.constant 1 : i32
  %random = call @random(%c5, %c32, %i1) : (index, index, i32) -> tensor<?x?xf32>
  %x = tensor.cast %random : tensor<?x?xf32> to tensor<?x32xf32>
  %slots = call @count(%c5, %i0, %i0) : (index, i32, i32) -> tensor<?xi32>
  %positions = call @count(%c5, %i0, %i1) : (index, i32, i32) -> tensor<?xi32>
  scf.for %i = %c0 to %c2 step %c1 {
    %empty = tensor.empty(%c1, %c5) : tensor<2x?x?x1x16xf32>
    %keys = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x?x?x1x16xf32>) -> tensor<2x?x?x1x16xf32>
    %values = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x?x?x1x16xf32>) -> tensor<2x?x?x1x16xf32>
    %y = func.call @layer(%i, %x, %keys, %values, %slots, %positions) : (index, tensor<?x32xf32>, tensor<2x?x?x1x16xf32>, tensor<2x?x?x1x16xf32>, tensor<?xi32>, tensor<?xi32>) -> tensor<?x32xf32>
    %printed = tensor.cast %y : tensor<?x32xf32> to tensor<?x?xf32>
    func.call @print(%printed) : (tensor<?x?xf32>) -> ()
  }
  return
}
