// A case for each constraint of attention.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @attend_c1(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x80xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<6x128xf32>, %turns: memref<1xi64>, %y: memref<?x80xf32>) {
  // expected-error @below {{expected a width of the queries that is a multiple of 32 (KV heads times head dim), found 80}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x80xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> ->
    memref<?x80xf32>
  return
}

// -----

func.func @attend_c2(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<6x128xf32>, %turns: memref<1xi64>, %y: memref<?x64xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 96, found 64}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> ->
    memref<?x64xf32>
  return
}

// -----

func.func @attend_c2_parts(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 6, found 4}}
  tile.attend segments %q1, %kv, %t, %i, %i[%thread] scratch %s1 -> %few <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<1x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>, memref<3x128xf32> -> memref<8x4x32xf32>
  return
}

// -----

func.func @attend_c2_rank(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected out to be static parts [segments, heads, columns] of f32, found 'memref<1x96xf32>'}}
  tile.attend segments %q1, %kv, %t, %i, %i[%thread] scratch %s1 -> %y1 <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<1x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>, memref<3x128xf32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_c3(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf32>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<6x128xf32>, %turns: memref<1xi64>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a pool of the layout's 'f16', found 'memref<?xf32>'}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>,
    memref<?xf32>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c4_slots(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<3x96xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<2xi32>, %p: memref<?xi32>, %scratch:
    memref<6x128xf32>, %turns: memref<1xi64>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected the number of slots (one for each row) to be 3, found 2}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<3x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<2xi32>, memref<?xi32>, memref<6x128xf32> ->
    memref<3x96xf32>
  return
}

// -----

func.func @attend_c4_positions(%step: !llvm.ptr, %thread: index, %team: index, %q:
    memref<3x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<2xi32>,
    %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected the number of positions (one for each row) to be 3, found 2}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<3x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<2xi32>, memref<6x128xf32> ->
    memref<3x96xf32>
  return
}

// -----

func.func @attend_c5(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<6x64xf32>, %turns: memref<1xi64>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a static scratch of 128 columns (page, 3 * head dim rounded up to 16, 16), found 'memref<6x64xf32>'}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x64xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c5_dynamic(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<?x128xf32>, %turns: memref<1xi64>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a static scratch of 128 columns}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<?x128xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c5_group(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected the rows of scratch (heads of a KV head) to be 3, found 6}}
  tile.attend segments %q1, %kv, %t, %i, %i[%thread] scratch %scratch -> %parts <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<1x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>, memref<6x128xf32> -> memref<8x6x32xf32>
  return
}

// -----

func.func @attend_c6(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<6x128xf32>, %turns: memref<1xi64>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a positive window, found 0}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64, window = 0 : i64} :
    memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>,
    memref<6x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @attend_c7_rows(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a single row where segments are split, found 'memref<?x96xf32>'}}
  tile.attend segments %q, %kv, %t, %s, %p[%thread] scratch %s1 -> %parts <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<3x128xf32> -> memref<8x6x32xf32>
  return
}

// -----

func.func @attend_c7_split(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected the work to be split by segments or tiles, found rows}}
  tile.attend rows %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @attend_c8(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a segment of a positive multiple of the page's 64 positions, found 96}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 96 : i64, vectors = 8 : i64} : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @attend_c9(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected registers for at least 8 vectors, found 4}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch turns %turns -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 4 : i64} : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @attend_c10(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %s1: memref<3x128xf32>, %turns:
    memref<1xi64>, %y: memref<?x96xf32>, %parts: memref<8x6x32xf32>) {
  // expected-error @below {{expected a counter of turns at tiles}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<6x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @attend_c10_segments(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %s1: memref<3x128xf32>, %turns:
    memref<1xi64>, %y: memref<?x96xf32>, %parts: memref<8x6x32xf32>) {
  // expected-error @below {{expected no turns by segments}}
  tile.attend segments %q1, %kv, %t, %i, %i[%thread] scratch %s1 turns %turns -> %parts <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16>
    {scale = 0.25 : f64, segment = 512 : i64, vectors = 8 : i64} : memref<1x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<1xi32>, memref<1xi32>, memref<3x128xf32> -> memref<8x6x32xf32>
  return
}

// -----

func.func @attend_combine_c1(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a positive head dim, and parts of that rounded up to 16 and 16 columns, found 16 and 'memref<8x6x48xf32>'}}
  tile.attend_combine whole %wide, %i -> %y1 {head_dim = 16 : i64, segment = 512 : i64}
    : memref<8x6x48xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_combine_c1_none(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a positive head dim, and parts of that rounded up to 16 and 16 columns, found 0}}
  tile.attend_combine whole %parts, %i -> %y1 {head_dim = 0 : i64, segment = 512 : i64}
    : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_combine_c2(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 64, found 96}}
  tile.attend_combine whole %few, %i -> %y1 {head_dim = 16 : i64, segment = 512 : i64}
    : memref<8x4x32xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_combine_c3(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>, %two: memref<2xi32>) {
  // expected-error @below {{expected the number of positions to be 1, found 2}}
  tile.attend_combine whole %parts, %two -> %y1 {head_dim = 16 : i64, segment = 512 : i64}
    : memref<8x6x32xf32>, memref<2xi32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_combine_c4(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a positive segment, found 0}}
  tile.attend_combine whole %parts, %i -> %y1 {head_dim = 16 : i64, segment = 0 : i64}
    : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_combine_c4_window(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected a positive window, found 0}}
  tile.attend_combine whole %parts, %i -> %y1 {head_dim = 16 : i64, segment = 512 : i64, window = 0 : i64}
    : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}

// -----

func.func @attend_combine_c5(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %q1: memref<1x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p:
    memref<?xi32>, %i: memref<1xi32>, %scratch: memref<6x128xf32>, %turns: memref<1xi64>, %s1: memref<3x128xf32>, %y:
    memref<?x96xf32>, %y1: memref<1x96xf32>, %parts: memref<8x6x32xf32>, %k: memref<?x32xf32>, %k1:
    memref<1x32xf32>, %few: memref<8x4x32xf32>, %wide: memref<8x6x48xf32>) {
  // expected-error @below {{expected the work to be split by whole, found rows}}
  tile.attend_combine rows %parts, %i -> %y1 {head_dim = 16 : i64, segment = 512 : i64}
    : memref<8x6x32xf32>, memref<1xi32> -> memref<1x96xf32>
  return
}
