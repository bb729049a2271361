// A case for each constraint of keys, values and attention.
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
  // expected-error @below {{expected the work to be split by rows or heads or whole, found panels}}
  tile.kv_append panels keys %v, %kv, %t, %s, %p[%thread] <layers = 3, kv_heads = 2, head_dim = 16,
    page = 64, element = f16> : memref<?x32xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>,
    memref<?xi32>
  return
}

// -----

func.func @attend_c1(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x80xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<?x80xf32>) {
  // expected-error @below {{expected a width of the queries that is a multiple of 32 (KV heads times head dim), found 80}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x80xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<4x80xf32> ->
    memref<?x80xf32>
  return
}

// -----

func.func @attend_c2(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<?x64xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 96, found 64}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<4x80xf32> ->
    memref<?x64xf32>
  return
}

// -----

func.func @attend_c3(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf32>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a pool of the layout's 'f16', found 'memref<?xf32>'}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x96xf32>,
    memref<?xf32>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<4x80xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c4_slots(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<3x96xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<2xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected the number of slots (one for each row) to be 3, found 2}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<3x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<2xi32>, memref<?xi32>, memref<4x80xf32> ->
    memref<3x96xf32>
  return
}

// -----

func.func @attend_c4_positions(%step: !llvm.ptr, %thread: index, %team: index, %q:
    memref<3x96xf32>, %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<2xi32>,
    %scratch: memref<4x80xf32>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected the number of positions (one for each row) to be 3, found 2}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<3x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<2xi32>, memref<4x80xf32> ->
    memref<3x96xf32>
  return
}

// -----

func.func @attend_c5(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x64xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a static scratch of 80 columns (page, head dim rounded up to 16), found 'memref<4x64xf32>'}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<4x64xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c5_dynamic(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<?x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a static scratch of 80 columns}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<?x80xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c6(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>, %kv:
    memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a positive window, found 0}}
  tile.attend tiles %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64, window = 0 : i64} :
    memref<?x96xf32>, memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>,
    memref<4x80xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @attend_c7_rows(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a single row where heads are split, found 'memref<?x96xf32>'}}
  tile.attend heads %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<4x80xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @attend_c7_split(%step: !llvm.ptr, %thread: index, %team: index, %q: memref<?x96xf32>,
    %kv: memref<?xf16>, %t: memref<?x?xi32>, %s: memref<?xi32>, %p: memref<?xi32>, %scratch:
    memref<4x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by heads or tiles, found rows}}
  tile.attend rows %q, %kv, %t, %s, %p[%thread] scratch %scratch -> %y <layers = 3, kv_heads = 2,
    head_dim = 16, page = 64, element = f16> {scale = 0.25 : f64} : memref<?x96xf32>,
    memref<?xf16>, memref<?x?xi32>, memref<?xi32>, memref<?xi32>, memref<4x80xf32> ->
    memref<?x96xf32>
  return
}
