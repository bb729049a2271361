// A case for each constraint of buffers, inputs, weights and layouts.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @alloc_c1_dynamic(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected a buffer of the team, or a private one without rows, to have a static shape, found 'memref<?x16xf32>'}}
  %x = tile.alloc private : memref<?x16xf32>
  return
}

// -----

func.func @alloc_c2_private_rows(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected a buffer of a row, or of a given number of rows, and no other dynamic dimension, found 'memref<1x16xf32>'}}
  %x = tile.alloc private(%n) : memref<1x16xf32>
  return
}

// -----

func.func @alloc_c2_rows(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected a buffer of a row, or of a given number of rows, and no other dynamic dimension, found 'memref<?x16xf32>'}}
  %x = tile.alloc shared : memref<?x16xf32>
  return
}

// -----

func.func @alloc_c2_many(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected a buffer of a row, or of a given number of rows}}
  %x = tile.alloc shared : memref<2x16xf32>
  return
}

// -----

func.func @alloc_c2_width(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected a buffer of a row, or of a given number of rows}}
  %x = tile.alloc shared(%n) : memref<?x?xf32>
  return
}

// -----

func.func @alloc_c3_layout(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected a row-major buffer of whole bytes an element}}
  %x = tile.alloc private : memref<4x16xf32, strided<[32, 1]>>
  return
}

// -----

func.func @alloc_c3_element(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected a row-major buffer of whole bytes an element, found 'memref<4x16xi4>'}}
  %x = tile.alloc private : memref<4x16xi4>
  return
}

// -----

func.func @alloc_c1_team(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected a buffer of the team, or a private one without rows, to have a static shape, found 'memref<?x16xf32>'}}
  %x = tile.alloc team : memref<?x16xf32>
  return
}

// -----

func.func @alloc_c5(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected a buffer of the team to have no rows}}
  %x = tile.alloc team(%n) : memref<?x16xf32>
  return
}

// -----

func.func @alloc_c5_kept(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected a buffer of the team to have no rows}}
  %x = tile.alloc kept(%n) : memref<?x16xf32>
  return
}

// -----

func.func @alloc_c4(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected an offset that is a multiple of 64, found 32}}
  %x = tile.alloc private at 32 : memref<4x16xf32>
  return
}

// -----

func.func @input_c1_element(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{'memref<?xi64>' is not the type of the field tokens}}
  %x = tile.input tokens(%n) : memref<?xi64>
  return
}

// -----

func.func @input_c1_rank(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{'memref<?xf32>' is not the type of the field logits}}
  %x = tile.input logits(%n) : memref<?xf32>
  return
}

// -----

func.func @input_c1_kv(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{'memref<?xf64>' is not the type of the field kv}}
  %x = tile.input kv : memref<?xf64>
  return
}

// -----

func.func @input_c1_route_ids(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{'memref<?x?x4xf32>' is not the type of the field route_ids}}
  %x = tile.input route_ids(%n) : memref<?x?x4xf32>
  return
}

// -----

func.func @input_c1_route_weights(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{'memref<?x?x?xf32>' is not the type of the field route_weights}}
  %x = tile.input route_weights(%n) : memref<?x?x?xf32>
  return
}

// -----

func.func @input_c1_table(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{'memref<4x?xi32>' is not the type of the field page_table}}
  %x = tile.input page_table : memref<4x?xi32>
  return
}

// -----

func.func @input_c2_missing(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected the number of rows of a dynamic dimension of rows, found 'memref<?x?x96xf32>'}}
  %x = tile.input taps : memref<?x?x96xf32>
  return
}

// -----

func.func @input_c2_needless(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected the number of rows only with a dynamic dimension of rows, found 'memref<1xi32>'}}
  %x = tile.input slots(%n) : memref<1xi32>
  return
}

// -----

func.func @weight_c1(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected a static vector of i8 (panels) or f32, found 'memref<32xf16>'}}
  %x = tile.weight "w" {offset = 0 : i64, slice_bytes = 64 : i64} : memref<32xf16>
  return
}

// -----

func.func @weight_c2_offset(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected an offset at a multiple of 4096 and slices of multiples of 64 bytes, found 64 and 64}}
  %x = tile.weight "w" {offset = 64 : i64, slice_bytes = 64 : i64} : memref<64xi8>
  return
}

// -----

func.func @weight_c2_slice(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{found 0 and 65}}
  %x = tile.weight "w" {offset = 0 : i64, slice_bytes = 65 : i64} : memref<64xi8>
  return
}

// -----

func.func @weight_c3(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{expected at most the 64 bytes of a slice, found 128}}
  %x = tile.weight "w" {offset = 0 : i64, slice_bytes = 64 : i64} : memref<32xf32>
  return
}

// -----

func.func @step_missing(%thread: index, %team: index) {
  // expected-error @below {{expected to be in a function that starts with the arguments (!llvm.ptr, index, index): the step, the thread, the team}}
  %n = tile.count tokens
  return
}

// -----

// expected-error @below {{expected to be in a function that starts with the arguments (!llvm.ptr, index, index)}}
tile.barrier

// -----

func.func @stamp_negative(%step: !llvm.ptr, %thread: index, %team: index) {
  // expected-error @below {{attribute 'region' failed to satisfy constraint: 64-bit signless integer attribute whose value is non-negative}}
  tile.stamp -1
  return
}

// -----

func.func private @KvLayout_c1() attributes {
  // expected-error @below {{expected positive numbers of layers, KV heads and head dim, found 0, 2 and 16}}
  tile.layout = #tile.kv<layers = 0, kv_heads = 2, head_dim = 16, page = 64, element = f16>}

// -----

func.func private @KvLayout_c2() attributes {
  // expected-error @below {{expected a page of a positive multiple of 16 positions, found 40}}
  tile.layout = #tile.kv<layers = 3, kv_heads = 2, head_dim = 16, page = 40, element = f16>}

// -----

func.func private @KvLayout_c3() attributes {
  // expected-error @below {{expected keys and values of f32, f16, bf16 or i8, found 'i16'}}
  tile.layout = #tile.kv<layers = 3, kv_heads = 2, head_dim = 16, page = 64, element = i16>}

// -----

func.func private @Blocking_c1_rows() attributes {
  // expected-error @below {{expected positive numbers of rows, found 4, 0 and 256}}
  tile.blocking = #tile.blocking<direct = 4, together = 4, rows = 0, block = 256, columns = 256>}

// -----

func.func private @Blocking_c1_direct() attributes {
  // expected-error @below {{expected positive numbers of rows, found 0, 4 and 256}}
  tile.blocking = #tile.blocking<direct = 0, together = 0, rows = 4, block = 256, columns = 256>}

// -----

func.func private @Blocking_c1_together() attributes {
  // expected-error @below {{expected no fewer rows in direct tiles than the 4 of one, found 3}}
  tile.blocking = #tile.blocking<direct = 3, together = 4, rows = 4, block = 256, columns = 256>}

// -----

func.func private @Blocking_c1_panels() attributes {
  // expected-error @below {{expected tiles of at least one panel, found 0}}
  tile.blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256, panels = 0>}

// -----

func.func private @Blocking_c2() attributes {
  // expected-error @below {{expected chunks of a positive multiple of 32 columns, found 40}}
  tile.blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 40>}

// -----

func.func private @Sharing_c1_panels() attributes {
  // expected-error @below {{expected positive numbers of panels and streams, and none or some panels in equal shares and single ones, found 0, 4, 0 and 8}}
  tile.sharing = #tile.sharing<equal = 0, panels = 0, single = 8, streams = 4>}

// -----

func.func private @Sharing_c1_single() attributes {
  // expected-error @below {{expected positive numbers of panels and streams, and none or some panels in equal shares and single ones, found 4, 4, 0 and -1}}
  tile.sharing = #tile.sharing<equal = 0, panels = 4, single = -1, streams = 4>}

// -----

func.func private @Sharing_c2() attributes {
  // expected-error @below {{expected whole cache lines ahead, found 100 bytes}}
  tile.sharing = #tile.sharing<equal = 0, panels = 4, single = 8, streams = 4, ahead = 100>}
