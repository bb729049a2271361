// A case for each constraint of keys and values.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @kv_append_c1(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x48xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>) {
  // expected-error @below {{expected the width of the values (KV heads times head dim) to be 32, found 48}}
  tile.kv_append rows keys %v, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2, head_dim = 16,
    page = 64, element = f16> : memref<?x48xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>,
    memref<?xi32>
  return
}

// -----

func.func @kv_append_c2(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x32xf32>, %kv:
    memref<?xf32>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>) {
  // expected-error @below {{expected a pool of the layout's 'f16', found 'memref<?xf32>'}}
  tile.kv_append rows keys %v, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2, head_dim = 16,
    page = 64, element = f16> : memref<?x32xf32>, memref<?xf32>, memref<?x?xi32>, memref<?xi32>,
    memref<?xi32>
  return
}

// -----

func.func @kv_append_c3_slots(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<3x32xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<2xi32>, %p: memref<?xi32>) {
  // expected-error @below {{expected the number of slots (one for each row) to be 3, found 2}}
  tile.kv_append rows keys %v, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2, head_dim = 16,
    page = 64, element = f16> : memref<3x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<2xi32>,
    memref<?xi32>
  return
}

// -----

func.func @kv_append_c3_positions(%step: !llvm.ptr, %thread: index, %team: index, %v:
    memref<3x32xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<2xi32>)
    {
  // expected-error @below {{expected the number of positions (one for each row) to be 3, found 2}}
  tile.kv_append rows keys %v, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2, head_dim = 16,
    page = 64, element = f16> : memref<3x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>,
    memref<2xi32>
  return
}

// -----

func.func @kv_append_c4(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x32xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>) {
  // expected-error @below {{expected the work to be split by segments or rows or whole, found panels}}
  tile.kv_append panels keys %v, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2, head_dim = 16,
    page = 64, element = f16> : memref<?x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>,
    memref<?xi32>
  return
}

// -----

func.func @kv_append_c4_rows(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a single row where segments are split, found 'memref<?x32xf32>'}}
  tile.kv_append segments keys %k, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {segment = 512 : i64}
    : memref<?x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>
  return
}

// -----

func.func @kv_append_c5(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a segment with the split segments, and only there}}
  tile.kv_append segments keys %k1, %kv, %t, %i, %i[%thread] <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  return
}

// -----

func.func @kv_append_c5_rows(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a segment with the split segments, and only there}}
  tile.kv_append rows keys %k, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {segment = 512 : i64}
    : memref<?x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>
  return
}

// -----

func.func @kv_append_c5_page(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a segment of a positive multiple of the page's 64 positions, found 32}}
  tile.kv_append segments keys %k1, %kv, %t, %i, %i[%thread] <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {segment = 32 : i64}
    : memref<1x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>
  return
}
