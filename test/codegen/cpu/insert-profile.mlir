// A time stamp behind each kernel and each barrier, and a table of what lies between them.
//
// RUN: moire-opt %s --split-input-file --tile-insert-profile --verify-diagnostics | FileCheck %s

// A step of two layers: the start, two times the layer's four, and two more. Room is for a multiple
// of four.
// CHECK: module attributes
// CHECK-SAME: tile.regions = [
// CHECK-SAME: {in = "layer_0.many", name = "barrier", wait}
// CHECK-SAME: {bytes = 256 : i64, in = "layer_0.many", name = "rms_norm norm"}
// CHECK-SAME: {arithmetic = "f32", bytes = 8192 : i64, in = "layer_0.many", name = "contract gate_up", row_products = 8192 : i64}
// CHECK-SAME: {arithmetic = "f32", in = "layer_0.many", name = "attend", position_bytes = 64 : i64, position_products = 128 : i64, window = 100 : i64}
// CHECK-SAME: {in = "forward.many", name = "start", wait}
// CHECK-SAME: {in = "forward.many", name = "embed", row_bytes = 128 : i64}
// CHECK-SAME: {arithmetic = "f32", bytes = 8192 : i64, in = "forward.many", name = "contract head", of_logits = 1 : i64, row_products = 4096 : i64}]
// CHECK-SAME: tile.stamps = 12 : i64
module {
  // CHECK-LABEL: func private @layer_0.many
  // CHECK: tile.barrier
  // CHECK-NEXT: tile.stamp 0
  // CHECK-NEXT: tile.rms_norm
  // CHECK-NEXT: tile.stamp 1
  // CHECK: tile.contract
  // CHECK: tile.stamp 2
  // CHECK: tile.attend
  // CHECK: tile.stamp 3
  // CHECK-NEXT: return
  func.func private @layer_0.many(%step: !llvm.ptr, %thread: index, %team: index, %layer: index,
                                  %x: memref<?x64xf32>) {
    %n = tile.count tokens
    %gain = tile.weight "layer_0.norm"[%layer] {offset = 0 : i64, slice_bytes = 256 : i64}
      : memref<64xf32>
    %h = tile.alloc shared(%n) at 0 : memref<?x64xf32>
    tile.barrier
    tile.rms_norm rows %x, %gain -> %h eps 1.0e-5
      : memref<?x64xf32>, memref<64xf32> -> memref<?x64xf32>
    %w = tile.weight "layer_0.gate_up"[%layer] {offset = 4096 : i64, slice_bytes = 8192 : i64}
      : memref<8192xi8>
    tile.contract panels "vfmadd" bf16 %h weight %w -> gate_silu %x {width = 64 : i64, k = 64 : i64}
      : memref<?x64xf32> weight memref<8192xi8> -> memref<?x64xf32>
    %pool = tile.input kv : memref<?xf16>
    %table = tile.input page_table : memref<?x?xi32>
    %slots = tile.input slots(%n) : memref<?xi32>
    %positions = tile.input positions(%n) : memref<?xi32>
    %scratch = tile.alloc private at 0 : memref<6x128xf32>
    %turns = tile.alloc kept at 0 : memref<1xi64>
    tile.attend tiles %x, %pool, %table, %slots, %positions[%layer] scratch %scratch turns %turns -> %h
      <layers = 2, kv_heads = 1, head_dim = 16, page = 64, element = f16>
      {scale = 2.5e-1 : f64, segment = 512 : i64, vectors = 8 : i64, window = 100 : i64}
      : memref<?x64xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>,
        memref<6x128xf32> -> memref<?x64xf32>
    return
  }

  // CHECK-LABEL: func @forward.many
  // CHECK-NEXT: tile.stamp 4
  // CHECK: tile.embed
  // CHECK-NEXT: tile.stamp 5
  // CHECK-NEXT: scf.for
  // CHECK-NEXT: func.call
  // CHECK-NEXT: }
  // CHECK: tile.contract
  // CHECK: tile.stamp 6
  // CHECK-NEXT: return
  func.func @forward.many(%step: !llvm.ptr, %thread: index, %team: index) {
    %n = tile.count tokens
    %ids = tile.input tokens(%n) : memref<?xi32>
    %embedding = tile.weight "embedding" {offset = 0 : i64, slice_bytes = 8192 : i64}
      : memref<8192xi8>
    %x = tile.alloc shared(%n) at 0 : memref<?x64xf32>
    %from = arith.constant 0 : index
    %one = arith.constant 1 : index
    %to = arith.constant 2 : index
    tile.embed rows bf16 %ids, %embedding -> %x
      : memref<?xi32>, memref<8192xi8> -> memref<?x64xf32>
    scf.for %i = %from to %to step %one {
      func.call @layer_0.many(%step, %thread, %team, %i, %x)
        : (!llvm.ptr, index, index, index, memref<?x64xf32>) -> ()
    }
    %r = tile.count logit_rows
    %last = tile.alloc shared(%r) at 256 : memref<?x64xf32>
    %logits = tile.input logits(%r) : memref<?x64xf32>
    tile.contract panels "vfmadd" bf16 %last weight %embedding -> store %logits
      {width = 64 : i64, k = 64 : i64}
      : memref<?x64xf32> weight memref<8192xi8> -> memref<?x64xf32>
    return
  }
}

// -----

// Products of experts: with many tokens it is counted which experts have one; one token has as many
// as it has choices. What is quantized is named by the product that it is for.
// CHECK: module attributes
// CHECK-SAME: {arithmetic = "f32", expert_bytes = 8192 : i64, in = "many", name = "grouped_contract gate_up", row_products = 8192 : i64}
// CHECK-SAME: {in = "many", name = "quantize down"}
// CHECK-SAME: {arithmetic = "int8", expert_bytes = 2176 : i64, in = "many", name = "combine_contract down", row_products = 2048 : i64}
// CHECK-SAME: {arithmetic = "int8", bytes = 4352 : i64, in = "one", name = "combine_contract down", row_products = 2048 : i64}
module {
  // CHECK-LABEL: func private @many
  // CHECK: tile.grouped_contract
  // CHECK: %[[EXPERTS:.*]] = scf.for %[[E:.*]] = %[[ZERO:.*]] to %c8{{.*}} iter_args(%[[COUNT:.*]] = %[[ZERO]])
  // CHECK-NEXT: %[[BEGIN:.*]] = memref.load %{{.*}}[%[[ZERO]], %[[E]]]
  // CHECK: %[[END:.*]] = memref.load
  // CHECK: arith.cmpi ne, %[[BEGIN]], %[[END]] : i32
  // CHECK: tile.stamp 1 experts %[[EXPERTS]]
  // CHECK: tile.quantize
  // CHECK-NEXT: tile.stamp 2
  // CHECK: tile.combine_contract
  // CHECK: tile.stamp 3 experts
  func.func private @many(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x64xf32>,
                          %order: memref<?xi32>, %offsets: memref<1x9xi32>, %h: memref<?x32xf32>,
                          %v: memref<?x32xi8>, %s: memref<?x3x1xf32>, %sums: memref<?x2xi32>,
                          %weights: memref<?x2xf32>, %partial: memref<?x2x32xf32>) {
    tile.barrier
    %up = tile.weight "layer_1.gate_up" {offset = 0 : i64, slice_bytes = 65536 : i64}
      : memref<65536xi8>
    tile.grouped_contract panels "vfmadd" bf16 %x weight %up of %order, %offsets -> gate_silu %h
      {choices = 2 : i64, expert_bytes = 8192 : i64, k = 64 : i64, width = 32 : i64}
      : memref<?x64xf32> weight memref<65536xi8> of memref<?xi32>, memref<1x9xi32>
        -> memref<?x32xf32>
    tile.quantize rows %h -> %v, %s, %sums
      : memref<?x32xf32> -> memref<?x32xi8>, memref<?x3x1xf32>, memref<?x2xi32>
    %down = tile.weight "layer_1.down" {offset = 65536 : i64, slice_bytes = 17408 : i64}
      : memref<17408xi8>
    tile.combine_contract panels "vpdpbusd" q8_0 %v, %s, %sums weight %down of %order, %offsets
      by %weights partial %partial -> accumulate %x
      {expert_bytes = 2176 : i64, k = 32 : i64, width = 32 : i64}
      : memref<?x32xi8>, memref<?x3x1xf32>, memref<?x2xi32> weight memref<17408xi8>
        of memref<?xi32>, memref<1x9xi32> by memref<?x2xf32> partial memref<?x2x32xf32>
        -> memref<?x64xf32>
    return
  }

  // CHECK-LABEL: func private @one
  // CHECK: tile.combine_contract
  // CHECK-NOT: scf.for
  // CHECK: tile.stamp 4{{$}}
  func.func private @one(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<1x64xf32>,
                         %ids: memref<2xi32>, %v: memref<2x32xi8>, %s: memref<2x3x1xf32>,
                         %sums: memref<2x2xi32>, %weights: memref<1x2xf32>) {
    %down = tile.weight "layer_1.down" {offset = 65536 : i64, slice_bytes = 17408 : i64}
      : memref<17408xi8>
    tile.combine_contract panels "vpdpbusd" q8_0 %v, %s, %sums weight %down of %ids by %weights
      -> accumulate %x
      {expert_bytes = 2176 : i64, k = 32 : i64, width = 32 : i64}
      : memref<2x32xi8>, memref<2x3x1xf32>, memref<2x2xi32> weight memref<17408xi8>
        of memref<2xi32> by memref<1x2xf32> -> memref<1x64xf32>
    return
  }
}

// -----

// One token's attention is joined from the parts of its segments: of each of three heads 20 sums of
// values and two numbers, in f32.
// CHECK: module attributes
// CHECK-SAME: {arithmetic = "f32", in = "one", name = "attend_combine", position_bytes = 264 : i64, position_products = 60 : i64, segment = 512 : i64, window = 100 : i64}]
module {
  func.func private @one(%step: !llvm.ptr, %thread: index, %team: index,
                         %parts: memref<8x3x48xf32>, %positions: memref<1xi32>,
                         %y: memref<1x60xf32>) {
    tile.attend_combine whole %parts, %positions -> %y
      {head_dim = 20 : i64, segment = 512 : i64, window = 100 : i64}
      : memref<8x3x48xf32>, memref<1xi32> -> memref<1x60xf32>
    return
  }
}

// -----

func.func @unknown_rounds(%step: !llvm.ptr, %thread: index, %team: index, %rounds: index,
                          %x: memref<?x64xf32>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  // expected-error @below {{a loop around kernels whose number of rounds is not known: a step would make any number of time stamps}}
  scf.for %i = %zero to %rounds step %one {
    tile.scale rows %x by 2.0 -> %x : memref<?x64xf32> -> memref<?x64xf32>
  }
  return
}
