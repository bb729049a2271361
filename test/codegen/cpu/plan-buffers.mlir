// Places of buffers: those alive together do not overlap, dead ones are used again.
//
// RUN: moire-opt %s --split-input-file --tile-plan-buffers | FileCheck %s

// Bytes of a row are rounded up to 64. %a is dead behind the first product (others may still read
// it before); %c takes its place, %d does not fit in front of %b.
//
// CHECK: module attributes {tile.arena_bytes_per_token = 384 : i64, tile.scratch_bytes = 0 : i64}
module {
  // CHECK-LABEL: func @reuse
  // CHECK-DAG: tile.alloc shared(%{{.*}}) at 0 : memref<?x17xf32>
  // CHECK-DAG: tile.alloc shared(%{{.*}}) at 128 : memref<?x16xf32>
  // CHECK-DAG: tile.alloc shared(%{{.*}}) at 0 : memref<?x32xf32>
  // CHECK-DAG: tile.alloc shared(%{{.*}}) at 192 : memref<?x48xf32>
  func.func @reuse(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x17xf32>,
                   %w: memref<4352xi8>, %v: memref<3072xi8>) {
    %n = tile.count tokens
    %a = tile.alloc shared(%n) : memref<?x17xf32>
    tile.copy rows %x -> %a : memref<?x17xf32> -> memref<?x17xf32>
    %b = tile.alloc shared(%n) : memref<?x16xf32>
    tile.contract panels "vfmadd" f32 %a weight %w -> store %b {width = 16 : i64, k = 17 : i64}
      : memref<?x17xf32> weight memref<4352xi8> -> memref<?x16xf32>
    %e = tile.alloc shared(%n) : memref<?x16xf32>
    tile.contract panels "vfmadd" f32 %b weight %v -> store %e {width = 16 : i64, k = 16 : i64}
      : memref<?x16xf32> weight memref<3072xi8> -> memref<?x16xf32>
    %c = tile.alloc shared(%n) : memref<?x32xf32>
    tile.contract panels "vfmadd" f32 %b weight %v -> store %c {width = 32 : i64, k = 16 : i64}
      : memref<?x16xf32> weight memref<3072xi8> -> memref<?x32xf32>
    %d = tile.alloc shared(%n) : memref<?x48xf32>
    tile.contract panels "vfmadd" f32 %b weight %v -> store %d {width = 48 : i64, k = 16 : i64}
      : memref<?x16xf32> weight memref<3072xi8> -> memref<?x48xf32>
    tile.copy rows %c -> %c : memref<?x32xf32> -> memref<?x32xf32>
    return
  }
}

// -----

// What forward keeps across the calls of a layer lies below all that a layer uses; what it needs only
// before or behind may lie where layers work. A buffer lives as long as the views of it.
//
// CHECK: module attributes {tile.arena_bytes_per_token = 320 : i64, tile.scratch_bytes = 576 : i64}
module {
  // CHECK-LABEL: func @forward
  // CHECK: tile.alloc shared(%{{.*}}) at 0 : memref<?x16xf32>
  // CHECK: tile.alloc shared(%{{.*}}) at 64 : memref<?x64xf32>
  func.func @forward(%step: !llvm.ptr, %thread: index, %team: index, %from: index, %to: index) {
    %n = tile.count tokens
    %stream = tile.alloc shared(%n) : memref<?x16xf32>
    scf.for %i = %from to %to step %to {
      func.call @layer(%step, %thread, %team, %stream)
        : (!llvm.ptr, index, index, memref<?x16xf32>) -> ()
    }
    %behind = tile.alloc shared(%n) : memref<?x64xf32>
    %part = memref.subview %behind[0, 16] [%n, 16] [1, 1]
      : memref<?x64xf32> to memref<?x16xf32, strided<[64, 1], offset: 16>>
    tile.copy rows %stream -> %part
      : memref<?x16xf32> -> memref<?x16xf32, strided<[64, 1], offset: 16>>
    return
  }

  // CHECK-LABEL: func private @layer
  // CHECK: tile.alloc shared(%{{.*}}) at 64 : memref<?x32xf32>
  // CHECK: tile.alloc shared(%{{.*}}) at 192 : memref<?x16xf32>
  // CHECK: tile.alloc private at 0 : memref<4x32xf32>
  // CHECK: tile.alloc private at 512 : memref<1x16xf32>
  func.func private @layer(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x16xf32>) {
    %n = tile.count tokens
    %a = tile.alloc shared(%n) : memref<?x32xf32>
    %view = memref.subview %a[0, 16] [%n, 16] [1, 1]
      : memref<?x32xf32> to memref<?x16xf32, strided<[32, 1], offset: 16>>
    %b = tile.alloc shared(%n) : memref<?x16xf32>
    tile.copy rows %x -> %b : memref<?x16xf32> -> memref<?x16xf32>
    tile.copy rows %view -> %x : memref<?x16xf32, strided<[32, 1], offset: 16>> -> memref<?x16xf32>
    %s = tile.alloc private : memref<4x32xf32>
    %t = tile.alloc private : memref<1x16xf32>
    %zero = arith.constant 0.0 : f32
    memref.store %zero, %t[%thread, %thread] : memref<1x16xf32>
    memref.store %zero, %s[%thread, %thread] : memref<4x32xf32>
    return
  }
}

// -----

// Other threads may still read %a when this one writes %b: bytes are used again only behind the next
// product, where a barrier stands anyway.
//
// CHECK: module attributes {tile.arena_bytes_per_token = 128 : i64
module {
  // CHECK-LABEL: func @readers
  // CHECK: tile.alloc shared(%{{.*}}) at 0 : memref<?x16xf32>
  // CHECK: tile.alloc shared(%{{.*}}) at 64 : memref<?x16xf32>
  // CHECK: tile.alloc shared(%{{.*}}) at 0 : memref<?x16xf32>
  func.func @readers(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x16xf32>,
                     %w: memref<1024xi8>) {
    %n = tile.count tokens
    %a = tile.alloc shared(%n) : memref<?x16xf32>
    tile.contract panels "vfmadd" f32 %x weight %w -> store %a {width = 16 : i64, k = 16 : i64}
      : memref<?x16xf32> weight memref<1024xi8> -> memref<?x16xf32>
    tile.copy rows %a -> %x : memref<?x16xf32> -> memref<?x16xf32>
    %b = tile.alloc shared(%n) : memref<?x16xf32>
    tile.copy rows %x -> %b : memref<?x16xf32> -> memref<?x16xf32>
    tile.contract panels "vfmadd" f32 %b weight %w -> store %x {width = 16 : i64, k = 16 : i64}
      : memref<?x16xf32> weight memref<1024xi8> -> memref<?x16xf32>
    %c = tile.alloc shared(%n) : memref<?x16xf32>
    tile.copy rows %x -> %c : memref<?x16xf32> -> memref<?x16xf32>
    return
  }
}

// -----

// The team's buffers of a fixed size are counted by themselves; bytes are used again here, too.
//
// CHECK: module attributes {tile.arena_bytes = 3072 : i64, tile.arena_bytes_per_token = 64 : i64
module {
  // CHECK-LABEL: func @team
  // CHECK: tile.alloc team at 0 : memref<4x2x32xf32>
  // CHECK: tile.alloc team at 1024 : memref<8x2x32xf32>
  // CHECK: tile.alloc team at 0 : memref<2x2x32xf32>
  // CHECK: tile.alloc shared at 0 : memref<1x16xf32>
  func.func @team(%step: !llvm.ptr, %thread: index, %team: index, %id: memref<1xi32>,
                  %y: memref<1x32xf32>, %w: memref<1024xi8>) {
    %a = tile.alloc team : memref<4x2x32xf32>
    tile.attend_combine whole %a, %id -> %y {head_dim = 16 : i64, segment = 512 : i64}
      : memref<4x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
    %b = tile.alloc team : memref<8x2x32xf32>
    tile.attend_combine whole %b, %id -> %y {head_dim = 16 : i64, segment = 512 : i64}
      : memref<8x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
    tile.attend_combine whole %b, %id -> %y {head_dim = 16 : i64, segment = 512 : i64}
      : memref<8x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
    %c = tile.alloc team : memref<2x2x32xf32>
    tile.attend_combine whole %c, %id -> %y {head_dim = 16 : i64, segment = 512 : i64}
      : memref<2x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
    %x = tile.alloc shared : memref<1x16xf32>
    tile.contract panels "vfmadd" f32 %x weight %w -> store %x {width = 16 : i64, k = 16 : i64}
      : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
    return
  }
}

// -----

// What is kept lies in front of everything, and nothing else is ever there.
//
// CHECK: module attributes {tile.arena_bytes = 256 : i64
module {
  // CHECK-LABEL: func @kept
  // CHECK: tile.alloc kept at 0 : memref<1xi64>
  // CHECK: tile.alloc team at 128 : memref<2x16xf32>
  func.func @kept(%step: !llvm.ptr, %thread: index, %team: index) {
    %turns = tile.alloc kept : memref<1xi64>
    %parts = tile.alloc team : memref<2x16xf32>
    return
  }
  // CHECK-LABEL: func @other
  // CHECK: tile.alloc kept at 64 : memref<1xi64>
  // CHECK: tile.alloc team at 128 : memref<2x16xf32>
  func.func @other(%step: !llvm.ptr, %thread: index, %team: index) {
    %turns = tile.alloc kept : memref<1xi64>
    %parts = tile.alloc team : memref<2x16xf32>
    return
  }
}
