// What schedule says about its decisions: a remark for each product whose residual it takes along, and
// for each thing that could not be.
//
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule="cpu=x86-64-v3" -o %t \
// RUN:   --remarks-filter=schedule --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=AVX2
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule="cpu=znver4" -o %t \
// RUN:   --remarks-filter=schedule --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=VNNI
// RUN: sed -e 's/f32, #moe.block<q4_0>>/bf16>/g' -e 's/#moe.block<int8>/#moe.rows<bf16>/g' \
// RUN:   %S/Inputs/model.mlir > %t.bf16.mlir
// RUN: moire-opt %t.bf16.mlir --tile-specialize --tile-schedule="cpu=x86-64-v4" -o %t \
// RUN:   --remarks-filter=schedule --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=PLAIN
// RUN: moire-opt %t.bf16.mlir --tile-specialize --tile-schedule="cpu=sapphirerapids" -o %t \
// RUN:   --remarks-filter=schedule --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=SLOW
// RUN: moire-opt %t.bf16.mlir --tile-specialize --tile-schedule="cpu=znver5" -o %t \
// RUN:   --remarks-filter=schedule --remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=PAIRS
// RUN: moire-opt %s --split-input-file --verify-diagnostics --tile-specialize --tile-schedule -o %t \
// RUN:   --remarks-filter-missed=schedule --remark-format=emitRemark

// AVX2: [Missed] Schedule | Category:schedule | Function=layer.one | Remark="vpmaddubsw multiplies int8: vpdpbusd needs AVX-512 VNNI, which x86-64-v3 lacks", Weights=qkv
// AVX2: [Passed] Schedule | Category:schedule | Function=layer.one | Remark="the product is added to the residual where it lies", Weights=o
// AVX2: [Passed] Schedule | Category:schedule | Function=layer.many | Remark="the product is added to the residual where it lies", Weights=down

// VNNI-NOT: [Missed]
// VNNI: [Passed] Schedule {{.*}} Weights=o
// VNNI-NOT: [Missed]

// PLAIN: [Missed] Schedule {{.*}} Remark="rows of bf16 are multiplied as f32: vdpbf16ps needs AVX-512 BF16, which x86-64-v4 lacks", Weights=qkv
// SLOW: [Missed] Schedule {{.*}} Remark="rows of bf16 are multiplied as f32: vdpbf16ps is slow on sapphirerapids", Weights=qkv
// PAIRS-NOT: [Missed]

!rows = tensor<?x64xf32>
!ids = tensor<?xi32>
!state = tensor<1x?x?x1x16xf16>
module attributes {moe.context = 512 : i64} {
  moe.weight @w : tensor<64x64xbf16> = #moe.source<"w.weight">
  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids, %keys: !state,
                     %values: !state) -> (!rows, !state, !state) {
    %w = moe.read @w : tensor<64x64xbf16>
    %x = moe.embed %tokens, %w : !ids, tensor<64x64xbf16> -> !rows
    // expected-remark @below {{the product is not added to rows that are read again later}}
    %y = moe.linear %x, %w : !rows, tensor<64x64xbf16> -> !rows
    %z = arith.addf %x, %y : !rows
    // expected-remark @below {{a sigmoid gate is a kernel of its own behind the product}}
    %g = moe.gated_linear sigmoid %x, %w : !rows, tensor<64x64xbf16> -> tensor<?x32xf32>
    // expected-remark @below {{a sum has a buffer of its own: its terms are parts of others, or read again later}}
    %a = arith.addf %x, %z : !rows
    %b = arith.addf %a, %x : !rows
    // expected-remark @below {{rows are copied to where the caller wants them: they were made elsewhere}}
    %c = arith.addf %b, %z : !rows
    return %c, %keys, %values : !rows, !state, !state
  }
}

// -----

!rows = tensor<?x64xf32>
!int8 = tensor<?x64xf32, #moe.block<int8>>
!ids = tensor<?xi32>
!state = tensor<1x?x?x1x16xf16>
!gates = tensor<4x32x64xf32, #moe.block<q4_0>>
!ups = tensor<4x32x64xf32, #moe.block<q8_0>>
!downs = tensor<4x64x32xbf16>
module attributes {moe.context = 512 : i64} {
  moe.weight @w : tensor<64x64xbf16> = #moe.source<"w.weight">
  moe.weight @q : tensor<64x64xf32, #moe.block<q4_0>> = #moe.source<"q.weight">
  moe.weight @gain : tensor<16xf32> = #moe.source<"gain.weight">
  moe.weight @router : tensor<4x64xf32> = #moe.source<"router.weight">
  moe.weight @gate : !gates = #moe.source<"gate.weight", experts = 4>
  moe.weight @up : !ups = #moe.source<"up.weight", experts = 4>
  moe.weight @down : !downs = #moe.source<"down.weight", experts = 4>
  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids, %keys: !state,
                     %values: !state) -> (!rows, !state, !state) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %w = moe.read @w : tensor<64x64xbf16>
    %x = moe.embed %tokens, %w : !ids, tensor<64x64xbf16> -> !rows
    // expected-remark @below {{rows that are read again later are copied before they are overwritten}}
    %turned = scf.for %i = %c0 to %c3 step %c1 iter_args(%r = %x) -> !rows {
      // expected-remark @below {{rows are copied to where the caller wants them: they were made elsewhere}}
      %half = moe.scale %r by 5.0e-1 : !rows
      scf.yield %half : !rows
    }
    // One token's gate is each thread's own.
    %g = moe.gate silu %x, %turned : !rows
    // expected-remark @below {{the product is not added to rows that are a part of others, or a thread's own}}
    %y = moe.linear %x, %w : !rows, tensor<64x64xbf16> -> !rows
    %z = arith.addf %g, %y : !rows
    %gain = moe.read @gain : tensor<16xf32>
    // expected-remark @below {{the norm of parts of a row does not round it: blocks may lie across the parts}}
    %h = moe.rms_norm %z, %gain eps 1.0e-5 : !rows, tensor<16xf32> -> !int8
    %q = moe.read @q : tensor<64x64xf32, #moe.block<q4_0>>
    // expected-remark @below {{vpmaddubsw multiplies int8: vpdpbusd needs AVX-512 VNNI}}
    %p = moe.linear %h, %q : !int8, tensor<64x64xf32, #moe.block<q4_0>> -> !rows
    %wr = moe.read @router : tensor<4x64xf32>
    %scores = moe.linear %p, %wr : !rows, tensor<4x64xf32> -> tensor<?x4xf32>
    %e, %weights = moe.route softmax %scores : tensor<?x4xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
    %wg = moe.read @gate : !gates
    %wu = moe.read @up : !ups
    %wd = moe.read @down : !downs
    // expected-remark @below {{gate and up of experts are two products, and their gate is a kernel of its own}}
    // expected-remark @below {{Remark="vpmaddubsw multiplies int8}}
    // expected-remark @below {{Remark="vpsignb+vpmaddubsw multiplies int8}}
    // expected-remark @below {{rows are copied to where the caller wants them: they were made elsewhere}}
    %t = moe.experts silu %h to %e weighted %weights gate %wg up %wu down %wd
      : !int8, tensor<?x2xi32>, tensor<?x2xf32>, !gates, !ups, !downs -> !rows
    %u = arith.addf %p, %t : !rows
    return %u, %keys, %values : !rows, !state, !state
  }
}
