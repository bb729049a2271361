// A barrier wherever data crosses threads, and nowhere else. Each CHECK-NEXT is there to see both.
//
// RUN: moire-opt %s --tile-insert-barriers | FileCheck %s

// What a product writes panel by panel is read by rows.
// CHECK-LABEL: func @read_after_write
// CHECK: tile.contract
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.gate
// CHECK-NEXT: return
func.func @read_after_write(%step: !llvm.ptr, %thread: index, %team: index, %w: memref<1024xi8>,
                            %x: memref<1x16xf32>, %y: memref<1x16xf32>, %z: memref<1x16xf32>) {
  tile.contract panels "vfmadd" f32 %x weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  tile.gate rows silu %y, %y -> %z : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  return
}

// A product reads all of x while others write rows of it.
// CHECK-LABEL: func @write_after_read
// CHECK: tile.contract
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.gate
func.func @write_after_read(%step: !llvm.ptr, %thread: index, %team: index, %w: memref<1024xi8>,
                            %x: memref<1x16xf32>, %y: memref<1x16xf32>, %z: memref<1x16xf32>) {
  tile.contract panels "vfmadd" f32 %x weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  tile.gate rows silu %z, %z -> %x : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  return
}

// CHECK-LABEL: func @write_after_write
// CHECK: tile.contract
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.gate
func.func @write_after_write(%step: !llvm.ptr, %thread: index, %team: index, %w: memref<1024xi8>,
                             %x: memref<1x16xf32>, %y: memref<1x16xf32>, %z: memref<1x16xf32>) {
  tile.contract panels "vfmadd" f32 %x weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  tile.gate rows silu %z, %z -> %y : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  return
}

// Two readers do not disturb each other.
// CHECK-LABEL: func @read_after_read
// CHECK-NOT: tile.barrier
// CHECK: return
func.func @read_after_read(%step: !llvm.ptr, %thread: index, %team: index, %w: memref<1024xi8>,
                           %x: memref<1x16xf32>, %y: memref<1x16xf32>, %z: memref<1x16xf32>) {
  tile.contract panels "vfmadd" f32 %x weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  tile.gate rows silu %x, %x -> %z : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  return
}

// Each thread reads the rows that it wrote, also through a view.
// CHECK-LABEL: func @same_rows
// CHECK-NOT: tile.barrier
// CHECK: return
func.func @same_rows(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x32xf32>) {
  %n = tile.count tokens
  %y = tile.alloc shared(%n) at 0 : memref<?x32xf32>
  %z = tile.alloc shared(%n) at 128 : memref<?x16xf32>
  tile.gate rows silu %x, %x -> %y : memref<?x32xf32>, memref<?x32xf32> -> memref<?x32xf32>
  %left = memref.subview %y[0, 16] [%n, 16] [1, 1]
    : memref<?x32xf32> to memref<?x16xf32, strided<[32, 1], offset: 16>>
  tile.copy rows %left -> %z : memref<?x16xf32, strided<[32, 1], offset: 16>> -> memref<?x16xf32>
  return
}

// The same bytes, the same rows, but rows of another length: they lie at other places.
// CHECK-LABEL: func @reused_bytes
// CHECK: tile.copy rows
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.copy rows
// CHECK-NEXT: return
func.func @reused_bytes(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x32xf32>,
                        %y: memref<?x16xf32>) {
  %n = tile.count tokens
  %a = tile.alloc shared(%n) at 0 : memref<?x32xf32>
  %b = tile.alloc shared(%n) at 64 : memref<?x16xf32>
  tile.copy rows %a -> %x : memref<?x32xf32> -> memref<?x32xf32>
  tile.copy rows %y -> %b : memref<?x16xf32> -> memref<?x16xf32>
  return
}

// Neighbours in the arena.
// CHECK-LABEL: func @other_bytes
// CHECK-NOT: tile.barrier
// CHECK: return
func.func @other_bytes(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x32xf32>,
                       %y: memref<?x16xf32>) {
  %n = tile.count tokens
  %a = tile.alloc shared(%n) at 0 : memref<?x32xf32>
  %b = tile.alloc shared(%n) at 128 : memref<?x16xf32>
  tile.copy rows %a -> %x : memref<?x32xf32> -> memref<?x32xf32>
  tile.copy rows %y -> %b : memref<?x16xf32> -> memref<?x16xf32>
  return
}

// Private buffers are each thread's own.
// CHECK-LABEL: func @private_buffers
// CHECK-NOT: tile.barrier
// CHECK: return
func.func @private_buffers(%step: !llvm.ptr, %thread: index, %team: index, %w: memref<1024xi8>,
                           %gain: memref<16xf32>, %x: memref<1x16xf32>, %y: memref<1x16xf32>) {
  %a = tile.alloc private at 0 : memref<1x16xf32>
  tile.rms_norm whole %x, %gain -> %a eps 1.0e-5
    : memref<1x16xf32>, memref<16xf32> -> memref<1x16xf32>
  tile.contract panels "vfmadd" f32 %a weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  return
}

// One barrier serves all that came before it: the second product reads what the first wrote, and
// writes what the norm read; after it the gate is covered, too.
// CHECK-LABEL: func @none_redundant
// CHECK: tile.rms_norm
// CHECK-NEXT: tile.contract
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.contract
// CHECK-NEXT: tile.gate
// CHECK-NEXT: return
func.func @none_redundant(%step: !llvm.ptr, %thread: index, %team: index, %w: memref<1024xi8>,
                          %gain: memref<16xf32>, %x: memref<1x16xf32>, %y: memref<1x16xf32>,
                          %z: memref<1x16xf32>, %v: memref<1x16xf32>, %u: memref<1x16xf32>) {
  tile.rms_norm rows %z, %gain -> %v eps 1.0e-5
    : memref<1x16xf32>, memref<16xf32> -> memref<1x16xf32>
  tile.contract panels "vfmadd" f32 %x weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  tile.contract panels "vfmadd" f32 %y weight %w -> store %z {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  tile.gate rows silu %y, %v -> %u : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  return
}

// By segments, a thread attends to what it appended itself; the parts are joined by everybody.
// CHECK-LABEL: func @segments
// CHECK-NOT: tile.barrier
// CHECK: tile.attend segments
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.attend_combine
// CHECK-NEXT: return
func.func @segments(%step: !llvm.ptr, %thread: index, %team: index, %k: memref<1x32xf32>,
                    %q: memref<1x32xf32>, %y: memref<1x32xf32>) {
  %kv = tile.input kv : memref<?xf16>
  %table = tile.input page_table : memref<?x?xi32>
  %ids = tile.input positions : memref<1xi32>
  %s = tile.alloc private at 0 : memref<1x128xf32>
  %parts = tile.alloc team at 0 : memref<8x2x32xf32>
  tile.kv_append segments keys %k, %kv, %table, %ids, %ids[%thread]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16> {segment = 512 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  %pool = tile.input kv : memref<?xf16>
  tile.attend segments %q, %pool, %table, %ids, %ids[%thread] scratch %s -> %parts
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>,
      memref<1x128xf32> -> memref<8x2x32xf32>
  tile.attend_combine whole %parts, %ids -> %y {head_dim = 16 : i64, segment = 512 : i64}
    : memref<8x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
  return
}

// Behind a window there are fewer segments to share than appending takes for granted.
// CHECK-LABEL: func @segments_of_window
// CHECK: tile.kv_append segments
// CHECK: tile.barrier
// CHECK-NEXT: tile.attend segments
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.attend_combine
func.func @segments_of_window(%step: !llvm.ptr, %thread: index, %team: index, %k: memref<1x32xf32>,
                    %q: memref<1x32xf32>, %y: memref<1x32xf32>) {
  %kv = tile.input kv : memref<?xf16>
  %table = tile.input page_table : memref<?x?xi32>
  %ids = tile.input positions : memref<1xi32>
  %s = tile.alloc private at 0 : memref<1x128xf32>
  %parts = tile.alloc team at 0 : memref<8x2x32xf32>
  tile.kv_append segments keys %k, %kv, %table, %ids, %ids[%thread]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16> {segment = 512 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  %pool = tile.input kv : memref<?xf16>
  tile.attend segments %q, %pool, %table, %ids, %ids[%thread] scratch %s -> %parts
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64, window = 100 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>,
      memref<1x128xf32> -> memref<8x2x32xf32>
  tile.attend_combine whole %parts, %ids -> %y {head_dim = 16 : i64, segment = 512 : i64, window = 100 : i64}
    : memref<8x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
  return
}

// The team's buffers and those of a step lie beside each other, whatever their offsets.
// CHECK-LABEL: func @team_and_rows
// CHECK-NOT: tile.barrier
// CHECK: return
func.func @team_and_rows(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<1xi32>,
                         %x: memref<1x32xf32>, %y: memref<1x32xf32>) {
  %parts = tile.alloc team at 0 : memref<8x2x32xf32>
  %a = tile.alloc shared at 0 : memref<1x32xf32>
  tile.attend_combine whole %parts, %ids -> %y {head_dim = 16 : i64, segment = 512 : i64}
    : memref<8x2x32xf32>, memref<1xi32> -> memref<1x32xf32>
  tile.copy rows %x -> %a : memref<1x32xf32> -> memref<1x32xf32>
  return
}

// By tiles, to what all appended; keys and values are one pool, in whatever order they come.
// CHECK-LABEL: func @tiles
// CHECK: tile.kv_append rows keys
// CHECK-NOT: tile.barrier
// CHECK: tile.kv_append rows values
// CHECK: tile.barrier
// CHECK-NEXT: tile.attend
// CHECK-NEXT: return
func.func @tiles(%step: !llvm.ptr, %thread: index, %team: index, %k: memref<1x32xf32>,
                 %q: memref<1x32xf32>, %y: memref<1x32xf32>) {
  %kv = tile.input kv : memref<?xf16>
  %table = tile.input page_table : memref<?x?xi32>
  %ids = tile.input positions : memref<1xi32>
  %s = tile.alloc private at 0 : memref<6x128xf32>
  tile.kv_append rows keys %k, %kv, %table, %ids, %ids[%thread]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  tile.kv_append rows values %k, %kv, %table, %ids, %ids[%thread]
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  %pool = tile.input kv : memref<?xf16>
  %turns = tile.alloc kept at 0 : memref<1xi64>
  tile.attend tiles %q, %pool, %table, %ids, %ids[%thread] scratch %s turns %turns -> %y
    <layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>,
      memref<6x128xf32> -> memref<1x32xf32>
  return
}

// A layer starts wherever its caller is: its first access to shared data waits, the next does not.
// CHECK-LABEL: func private @layer
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.add
// CHECK-NEXT: tile.add
// CHECK-NEXT: return
func.func private @layer(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x16xf32>) {
  tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
  tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
  return
}

// Before a loop the team is together. Each turn's first access waits for the turn before; so does
// the first one behind the loop, and behind a call.
// CHECK-LABEL: func @loops
// CHECK: tile.add
// CHECK-NEXT: scf.for
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.add
// CHECK-NEXT: tile.add
// CHECK-NEXT: func.call @layer
// CHECK-NEXT: }
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.add
// CHECK-NEXT: call @layer
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.add
// CHECK-NEXT: return
func.func @loops(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x16xf32>,
                 %from: index, %to: index) {
  tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
  scf.for %i = %from to %to step %to {
    tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
    tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
    func.call @layer(%step, %thread, %team, %x)
      : (!llvm.ptr, index, index, memref<?x16xf32>) -> ()
  }
  tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
  func.call @layer(%step, %thread, %team, %x) : (!llvm.ptr, index, index, memref<?x16xf32>) -> ()
  tile.add rows %x, %x -> %x : memref<?x16xf32>, memref<?x16xf32> -> memref<?x16xf32>
  return
}

// A loop may not run: the barrier in it does not help what comes behind.
// CHECK-LABEL: func @loop_that_may_not_run
// CHECK: tile.contract
// CHECK-NEXT: scf.for
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.add
// CHECK-NEXT: }
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.add
// CHECK-NEXT: return
func.func @loop_that_may_not_run(%step: !llvm.ptr, %thread: index, %team: index,
                                 %w: memref<1024xi8>, %x: memref<1x16xf32>, %y: memref<1x16xf32>,
                                 %z: memref<1x16xf32>, %from: index, %to: index) {
  tile.contract panels "vfmadd" f32 %x weight %w -> store %y {width = 16 : i64, k = 16 : i64}
    : memref<1x16xf32> weight memref<1024xi8> -> memref<1x16xf32>
  scf.for %i = %from to %to step %to {
    tile.add rows %z, %z -> %z : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  }
  tile.add rows %y, %y -> %y : memref<1x16xf32>, memref<1x16xf32> -> memref<1x16xf32>
  return
}

// The choice of experts is handed out by rows, as a norm of the same rows is made; a product needs
// whole rows.
// CHECK-LABEL: func @tap_route
// CHECK-NEXT: tile.rms_norm
// CHECK-NEXT: tile.tap_route
// CHECK-NEXT: tile.barrier
// CHECK-NEXT: tile.contract
// CHECK-NEXT: return
func.func @tap_route(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<1x4xi32>,
                     %w: memref<1x4xf32>, %gain: memref<4xf32>, %all_ids: memref<?x1x6xi32>,
                     %all_w: memref<?x1x6xf32>, %panels: memref<1024xi8>, %y: memref<1x16xf32>) {
  tile.rms_norm rows %w, %gain -> %w eps 1.0e-5
    : memref<1x4xf32>, memref<4xf32> -> memref<1x4xf32>
  tile.tap_route rows %ids, %w -> %all_ids, %all_w[%thread]
    : memref<1x4xi32>, memref<1x4xf32> -> memref<?x1x6xi32>, memref<?x1x6xf32>
  tile.contract panels "vfmadd" f32 %w weight %panels -> store %y {width = 16 : i64, k = 4 : i64}
    : memref<1x4xf32> weight memref<1024xi8> -> memref<1x16xf32>
  return
}
