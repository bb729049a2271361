// Routing and the products of experts, printed and parsed again.
//
// RUN: moire-opt %s | moire-opt | FileCheck %s
// RUN: moire-opt %s --mlir-print-op-generic | moire-opt | FileCheck %s

// CHECK-LABEL: func @routing
func.func @routing(%step: !llvm.ptr, %thread: index, %team: index, %logits: memref<?x12xf32>,
                   %b: memref<16xf32>, %s: memref<3x16xf32>, %ids: memref<?x4xi32>,
                   %w: memref<?x4xf32>, %order: memref<?xi32>, %offsets: memref<1x13xi32>) {
  // CHECK: tile.route rows softmax %{{.*}} scratch %{{.*}} -> %{{.*}}, %{{.*}} : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  tile.route rows softmax %logits scratch %s -> %ids, %w
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  // CHECK: tile.route whole sigmoid %{{.*}} bias %{{.*}} scratch %{{.*}} -> %{{.*}}, %{{.*}} {group_limit = 2 : i64, group_score = 1 : i32, groups = 4 : i64, normalize = 9.9999999999999995E-21 : f64, scaling = 2.500000e+00 : f64}
  tile.route whole sigmoid %logits bias %b scratch %s -> %ids, %w
    {group_limit = 2 : i64, group_score = 1 : i32, groups = 4 : i64, normalize = 1.0e-20 : f64,
     scaling = 2.5 : f64}
    : memref<?x12xf32> bias memref<16xf32> scratch memref<3x16xf32>
    -> memref<?x4xi32>, memref<?x4xf32>
  // CHECK: tile.dispatch first %{{.*}} -> %{{.*}}, %{{.*}} : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
  tile.dispatch first %ids -> %order, %offsets
    : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
  // CHECK: tile.dispatch first %{{.*}} -> %{{.*}}, %{{.*}} {fours = 12 : i64} :
  tile.dispatch first %ids -> %order, %offsets {fours = 12 : i64}
    : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
  return
}

// CHECK-LABEL: func @experts
func.func @experts(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
                   %w: memref<147456xi8>, %s: memref<12288xi8>, %order: memref<?xi32>,
                   %offsets: memref<1x13xi32>, %hidden: memref<?x32xf32>, %down: memref<98304xi8>,
                   %t: memref<2048xi8>, %weights: memref<?x4xf32>, %p: memref<?x4x128xf32>,
                   %y: memref<?x96xf32>) {
  // CHECK: tile.grouped_contract panels "vfmadd" bf16 %{{.*}} weight %{{.*}} strip %{{.*}} of %{{.*}}, %{{.*}} -> gate_silu %{{.*}} {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w strip %s of %order, %offsets
    -> gate_silu %hidden {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> strip memref<12288xi8>
    of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  // CHECK: tile.combine_contract panels "vfmadd" bf16 %{{.*}} weight %{{.*}} strip %{{.*}} of %{{.*}}, %{{.*}} by %{{.*}} partial %{{.*}} -> accumulate %{{.*}} {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
  tile.combine_contract panels "vfmadd" bf16 %hidden weight %down strip %t of %order, %offsets
    by %weights partial %p -> accumulate %y {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> strip memref<2048xi8>
    of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32>
    -> memref<?x96xf32>
  return
}

// CHECK-LABEL: func @by_fours
func.func @by_fours(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x96xi8>,
                    %s: memref<?x3x3xf32>, %n: memref<?x6xi32>, %v1: memref<?x96xi8>,
                    %s1: memref<?x3x3xf32>, %n1: memref<?x6xi32>, %w: memref<147456xi8>,
                    %strip: memref<3456xi8>, %order: memref<?xi32>, %offsets: memref<1x13xi32>,
                    %hidden: memref<?x32xf32>) {
  // CHECK: tile.gather_rows rows %{{.*}}, %{{.*}}, %{{.*}} of %{{.*}} -> %{{.*}}, %{{.*}}, %{{.*}} {choices = 4 : i64, fours = 15 : i64} : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> of memref<?xi32> -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  tile.gather_rows rows %v, %s, %n of %order -> %v1, %s1, %n1 {choices = 4 : i64, fours = 15 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> of memref<?xi32>
    -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  // CHECK: tile.grouped_contract panels "vpmaddubsw" q4_0 {{.*}}, fours, k = 96 : i64,
  tile.grouped_contract panels "vpmaddubsw" q4_0 %v1, %s1, %n1 weight %w strip %strip
    of %order, %offsets -> gate_silu %hidden {blocking = #tile.blocking<direct = 15, together = 5, rows = 4, block = 256, columns = 96>, choices = 4 : i64, expert_bytes = 12288 : i64, fours, k = 96 : i64, width = 32 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<147456xi8>
    strip memref<3456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// CHECK-LABEL: func @one_token
func.func @one_token(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<1x96xf32>,
                     %w: memref<147456xi8>, %ids: memref<4xi32>, %hidden: memref<4x32xf32>,
                     %down: memref<98304xi8>, %weights: memref<1x4xf32>, %y: memref<1x96xf32>) {
  // CHECK: tile.grouped_contract panels "vfmadd" bf16 %{{.*}} weight %{{.*}} of %{{.*}} -> silu %{{.*}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %ids -> silu %hidden
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<1x96xf32> weight memref<147456xi8> of memref<4xi32> -> memref<4x32xf32>
  // CHECK: tile.combine_contract panels "vfmadd" bf16 %{{.*}} weight %{{.*}} of %{{.*}} by %{{.*}} -> store %{{.*}}
  tile.combine_contract panels "vfmadd" bf16 %hidden weight %down of %ids by %weights -> store %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<4x32xf32> weight memref<98304xi8> of memref<4xi32> by memref<1x4xf32>
    -> memref<1x96xf32>
  return
}

// CHECK-LABEL: func @rows
func.func @rows(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
                %gain: memref<32xf32>, %g: memref<?x1xf32>, %y: memref<?x96xf32>) {
  // CHECK: tile.rms_norm rows %{{.*}}, %{{.*}} -> %{{.*}} eps 1.000000e-05 {group = 24 : i64}
  tile.rms_norm rows %x, %gain -> %y eps 1.0e-5 {group = 24 : i64}
    : memref<?x96xf32>, memref<32xf32> -> memref<?x96xf32>
  // CHECK: tile.gate rows sigmoid %{{.*}}, %{{.*}} -> %{{.*}} : memref<?x1xf32>, memref<?x96xf32> -> memref<?x96xf32>
  tile.gate rows sigmoid %g, %x -> %y : memref<?x1xf32>, memref<?x96xf32> -> memref<?x96xf32>
  // CHECK: tile.scale rows %{{.*}} by 6.000000e-01 -> %{{.*}} : memref<?x96xf32> -> memref<?x96xf32>
  tile.scale rows %x by 6.0e-1 -> %y : memref<?x96xf32> -> memref<?x96xf32>
  // CHECK: tile.alloc private(%{{.*}}) at 64 : memref<?x4x32xf32>
  %n = tile.count tokens
  %p = tile.alloc private(%n) at 64 : memref<?x4x32xf32>
  return
}
