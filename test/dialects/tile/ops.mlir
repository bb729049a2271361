// Every operation, printed and parsed again.
//
// RUN: moire-opt %s | moire-opt | FileCheck %s
// RUN: moire-opt %s --mlir-print-op-generic | moire-opt | FileCheck %s

// CHECK-LABEL: func @data
func.func @data(%step: !llvm.ptr, %thread: index, %team: index, %layer: index) {
  // CHECK: %[[T:.*]] = tile.count tokens
  %t = tile.count tokens
  // CHECK: %[[R:.*]] = tile.count logit_rows
  %r = tile.count logit_rows
  // CHECK: tile.alloc shared(%[[T]]) : memref<?x96xf32>
  %x = tile.alloc shared(%t) : memref<?x96xf32>
  // CHECK: tile.alloc shared(%[[T]]) at 384 : memref<?x3x3xf32>
  %s = tile.alloc shared(%t) at 384 : memref<?x3x3xf32>
  // CHECK: tile.alloc shared : memref<1x96xi8>
  %one = tile.alloc shared : memref<1x96xi8>
  // CHECK: tile.alloc private at 64 : memref<4x80xf32>
  %scratch = tile.alloc private at 64 : memref<4x80xf32>
  // CHECK: tile.alloc team at 128 : memref<8x6x32xf32>
  %parts = tile.alloc team at 128 : memref<8x6x32xf32>
  // CHECK: tile.input tokens(%[[T]]) : memref<?xi32>
  %tokens = tile.input tokens(%t) : memref<?xi32>
  // CHECK: tile.input slots : memref<1xi32>
  %slots = tile.input slots : memref<1xi32>
  // CHECK: tile.input logits(%[[R]]) : memref<?x300xf32>
  %logits = tile.input logits(%r) : memref<?x300xf32>
  // CHECK: tile.input kv : memref<?xf16>
  %kv = tile.input kv : memref<?xf16>
  // CHECK: tile.input kv : memref<?xi8>
  %kv8 = tile.input kv : memref<?xi8>
  // CHECK: tile.input route_ids(%[[T]]) : memref<?x?x6xi32>
  %route_ids = tile.input route_ids(%t) : memref<?x?x6xi32>
  // CHECK: tile.input route_weights : memref<?x1x6xf32>
  %route_weights = tile.input route_weights : memref<?x1x6xf32>
  // CHECK: tile.input page_table : memref<?x?xi32>
  %table = tile.input page_table : memref<?x?xi32>
  // CHECK: tile.input taps(%[[T]]) : memref<?x?x96xf32>
  %taps = tile.input taps(%t) : memref<?x?x96xf32>
  // CHECK: tile.weight "down"[%{{.*}}] {offset = 8192 : i64, slice_bytes = 6144 : i64} : memref<6144xi8>
  %w = tile.weight "down"[%layer] {offset = 8192 : i64, slice_bytes = 6144 : i64} : memref<6144xi8>
  // CHECK: tile.weight "norm" {offset = 0 : i64, slice_bytes = 384 : i64} : memref<96xf32>
  %g = tile.weight "norm" {offset = 0 : i64, slice_bytes = 384 : i64} : memref<96xf32>
  // CHECK: tile.barrier
  tile.barrier
  // CHECK: tile.stamp 7
  tile.stamp 7
  // CHECK: tile.stamp 8 experts %{{.*}}
  tile.stamp 8 experts %t
  return
}

// CHECK-LABEL: func @rows
func.func @rows(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?xi32>,
                %table: memref<9216xi8>, %x: memref<?x96xf32>, %y: memref<?x96xf32>,
                %gain: memref<96xf32>, %v: memref<?x96xi8>, %s: memref<?x3x3xf32>,
                %n: memref<?x6xi32>, %p: memref<?x48xi32>, %f: memref<16xf32>, %taps: memref<?x?x96xf32>) {
  // CHECK: tile.embed rows q4_0 %{{.*}}, %{{.*}} -> %{{.*}} : memref<?xi32>, memref<9216xi8> -> memref<?x96xf32>
  tile.embed rows q4_0 %ids, %table -> %x : memref<?xi32>, memref<9216xi8> -> memref<?x96xf32>
  // CHECK: tile.select_rows whole %{{.*}}, %{{.*}} -> %{{.*}} : memref<?x96xf32>, memref<?xi32> -> memref<?x96xf32>
  tile.select_rows whole %x, %ids -> %y : memref<?x96xf32>, memref<?xi32> -> memref<?x96xf32>
  // CHECK: tile.rms_norm rows %{{.*}}, %{{.*}} -> %{{.*}} eps 1.000000e-05 : memref<?x96xf32>, memref<96xf32> -> memref<?x96xf32>
  tile.rms_norm rows %x, %gain -> %y eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> -> memref<?x96xf32>
  // CHECK: tile.rms_norm rows %{{.*}}, %{{.*}} -> %{{.*}}, %{{.*}}, %{{.*}} eps 5.000000e-01
  tile.rms_norm rows %x, %gain -> %v, %s, %n eps 0.5
    : memref<?x96xf32>, memref<96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  // CHECK: tile.quantize rows %{{.*}} -> %{{.*}}, %{{.*}}, %{{.*}} : memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  tile.quantize rows %x -> %v, %s, %n
    : memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  // CHECK: tile.quantize rows %{{.*}} {fours = 15 : i64} : memref<?x96xf32>
  tile.quantize rows %x -> %v, %s, %n {fours = 15 : i64}
    : memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  // CHECK: tile.round rows %{{.*}} -> %{{.*}} : memref<?x96xf32> -> memref<?x96xf32>
  tile.round rows %x -> %y : memref<?x96xf32> -> memref<?x96xf32>
  // CHECK: tile.round whole %{{.*}} -> %{{.*}} : memref<?x96xf32> -> memref<?x48xi32>
  tile.round whole %x -> %p : memref<?x96xf32> -> memref<?x48xi32>
  // CHECK: tile.rms_norm rows %{{.*}}, %{{.*}} -> %{{.*}} eps 5.000000e-01 {round}
  tile.rms_norm rows %x, %gain -> %p eps 0.5 {round}
    : memref<?x96xf32>, memref<96xf32> -> memref<?x48xi32>
  // CHECK: tile.rope rows %{{.*}}, %{{.*}}, %{{.*}} -> %{{.*}} {head_dim = 16 : i64, rotary_dims = 8 : i64}
  tile.rope rows %x, %ids, %f -> %y {head_dim = 16 : i64, rotary_dims = 8 : i64}
    : memref<?x96xf32>, memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
  // CHECK: tile.gate rows silu %{{.*}}, %{{.*}} -> %{{.*}} : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
  tile.gate rows silu %x, %x -> %y : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
  // CHECK: tile.add rows %{{.*}}, %{{.*}} -> %{{.*}} : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
  tile.add rows %x, %x -> %y : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
  // CHECK: tile.copy rows %{{.*}} -> %{{.*}} : memref<?x96xf32> -> memref<?x96xf32>
  tile.copy rows %x -> %y : memref<?x96xf32> -> memref<?x96xf32>
  // CHECK: tile.copy rows %{{.*}} -> %{{.*}}[%{{.*}}] : memref<?x96xf32> -> memref<?x?x96xf32>
  tile.copy rows %x -> %taps[%thread] : memref<?x96xf32> -> memref<?x?x96xf32>
  return
}

// CHECK-LABEL: func @products
func.func @products(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
                    %v: memref<?x96xi8>, %s: memref<?x3x3xf32>, %n: memref<?x6xi32>,
                    %w: memref<9792xi8>, %b: memref<48xf32>, %floats: memref<6144xi8>,
                    %bytes: memref<3840xi8>, %y: memref<?x48xf32>) {
  // CHECK: tile.contract panels "vfmadd" bf16 %{{.*}} weight %{{.*}} bias %{{.*}} strip %{{.*}} -> store %{{.*}} {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, k = 96 : i64, width = 40 : i64}
  // CHECK-SAME: bias memref<48xf32> strip memref<6144xi8> -> memref<?x48xf32>
  tile.contract panels "vfmadd" bf16 %x weight %w bias %b strip %floats -> store %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9792xi8> bias memref<48xf32> strip memref<6144xi8>
    -> memref<?x48xf32>
  // CHECK: tile.contract panels "vpdpbusd" q8_0 %{{.*}}, %{{.*}}, %{{.*}} weight %{{.*}} -> accumulate %{{.*}}
  tile.contract panels "vpdpbusd" q8_0 %v, %s, %n weight %w -> accumulate %y
    {width = 48 : i64, k = 96 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9792xi8> -> memref<?x48xf32>
  // CHECK: tile.contract panels "vpmaddubsw" q4_1 %{{.*}} strip %{{.*}} -> gate_silu %{{.*}}
  tile.contract panels "vpmaddubsw" q4_1 %v, %s, %n weight %w strip %bytes -> gate_silu %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, width = 40 : i64, k = 96 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9792xi8> strip memref<3840xi8>
    -> memref<?x48xf32>
  return
}

// CHECK-LABEL: func @route
func.func @route(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?x4xi32>,
                 %w: memref<?x4xf32>, %all_ids: memref<?x?x6xi32>, %all_w: memref<?x?x6xf32>) {
  // CHECK: tile.tap_route rows %{{.*}}, %{{.*}} -> %{{.*}}, %{{.*}}[%{{.*}}] : memref<?x4xi32>, memref<?x4xf32> -> memref<?x?x6xi32>, memref<?x?x6xf32>
  tile.tap_route rows %ids, %w -> %all_ids, %all_w[%thread]
    : memref<?x4xi32>, memref<?x4xf32> -> memref<?x?x6xi32>, memref<?x?x6xf32>
  return
}

// CHECK-LABEL: func @superblocks
func.func @superblocks(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?xi32>,
                       %x: memref<?x256xf32>, %w: memref<6144xi8>, %y: memref<?x16xf32>) {
  // CHECK: tile.embed rows w8_16m
  tile.embed rows w8_16m %ids, %w -> %x : memref<?xi32>, memref<6144xi8> -> memref<?x256xf32>
  // CHECK: tile.contract panels "vfmadd" q6_k
  tile.contract panels "vfmadd" q6_k %x weight %w -> store %y {width = 16 : i64, k = 256 : i64}
    : memref<?x256xf32> weight memref<6144xi8> -> memref<?x16xf32>
  return
}

// CHECK-LABEL: func @attention
func.func @attention(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
                     %k: memref<?x32xf32>, %pool: memref<?xf16>, %table: memref<?x?xi32>,
                     %slots: memref<?xi32>, %positions: memref<?xi32>, %scratch: memref<48x128xf32>,
                     %turns: memref<1xi64>, %y: memref<?x96xf32>, %layer: index, %pool8: memref<?xi8>, %q1: memref<1x96xf32>,
                     %k1: memref<1x32xf32>, %id: memref<1xi32>, %s1: memref<3x128xf32>,
                     %parts: memref<8x6x32xf32>, %y1: memref<1x96xf32>) {
  // CHECK: tile.kv_append rows keys
  // CHECK-SAME: <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
  tile.kv_append rows keys %k, %pool, %table, %slots, %positions[%layer]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    : memref<?x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>
  // CHECK: tile.kv_append rows values {{.*}} element = i8> : {{.*}}, memref<?xi8>,
  tile.kv_append rows values %k, %pool8, %table, %slots, %positions[%layer]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = i8>
    : memref<?x32xf32>, memref<?xi8>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>
  // CHECK: tile.kv_append segments keys {{.*}} element = f16> {segment = 512 : i64} :
  tile.kv_append segments keys %k1, %pool, %table, %id, %id[%layer]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16> {segment = 512 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  // CHECK: tile.attend tiles {{.*}} scratch %{{.*}} turns %{{.*}} -> %{{.*}} <layers = 3, {{.*}}> {scale = 2.500000e-01 : f64, segment = 512 : i64, vectors = 8 : i64, window = 100 : i64}
  tile.attend tiles %q, %pool, %table, %slots, %positions[%layer] scratch %scratch turns %turns -> %y
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    {scale = 2.5e-1 : f64, segment = 512 : i64, vectors = 8 : i64, window = 100 : i64}
    : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>,
      memref<48x128xf32> -> memref<?x96xf32>
  // CHECK: tile.attend segments {{.*}} memref<3x128xf32> -> memref<8x6x32xf32>
  tile.attend segments %q1, %pool, %table, %id, %id[%layer] scratch %s1 -> %parts
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    {scale = 2.5e-1 : f64, segment = 512 : i64, vectors = 8 : i64}
    : memref<1x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>,
      memref<3x128xf32> -> memref<8x6x32xf32>
  // CHECK: tile.attend_combine whole %{{.*}}, %{{.*}} -> %{{.*}} {head_dim = 16 : i64, segment = 512 : i64, window = 100 : i64} : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
  tile.attend_combine whole %parts, %id -> %y1
    {head_dim = 16 : i64, segment = 512 : i64, window = 100 : i64}
    : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}
