// A case for each constraint of kernels on rows.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @embed_c1(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<3xi32>, %w:
    memref<9216xi8>, %x: memref<4x96xf32>) {
  // expected-error @below {{expected the rows of out (one for each token) to be 3, found 4}}
  tile.embed rows q4_0 %ids, %w -> %x : memref<3xi32>, memref<9216xi8> -> memref<4x96xf32>
  return
}

// -----

func.func @embed_c2(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?xi32>, %w:
    memref<9216xi8>, %x: memref<?x80xf32>) {
  // expected-error @below {{expected columns divisible by the block of 32, found 80}}
  tile.embed rows q8_0 %ids, %w -> %x : memref<?xi32>, memref<9216xi8> -> memref<?x80xf32>
  return
}

// -----

func.func @embed_c2_super(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?xi32>, %w:
    memref<9216xi8>, %x: memref<?x96xf32>) {
  // expected-error @below {{expected columns divisible by the block of 256, found 96}}
  tile.embed rows q6_k %ids, %w -> %x : memref<?xi32>, memref<9216xi8> -> memref<?x96xf32>
  return
}

// -----

func.func @embed_c3(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?xi32>, %w:
    memref<9216xi8>, %x: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.embed panels f16 %ids, %w -> %x : memref<?xi32>, memref<9216xi8> -> memref<?x96xf32>
  return
}

// -----

func.func @select_rows_c1(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %r:
    memref<2xi32>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected the rows of out (those wanted) to be 2, found 3}}
  tile.select_rows rows %x, %r -> %y : memref<?x96xf32>, memref<2xi32> -> memref<3x96xf32>
  return
}

// -----

func.func @select_rows_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %r:
    memref<?xi32>, %y: memref<?x80xf32>) {
  // expected-error @below {{expected the width of out (that of x) to be 96, found 80}}
  tile.select_rows rows %x, %r -> %y : memref<?x96xf32>, memref<?xi32> -> memref<?x80xf32>
  return
}

// -----

func.func @select_rows_c3(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %r:
    memref<?xi32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found segments}}
  tile.select_rows segments %x, %r -> %y : memref<?x96xf32>, memref<?xi32> -> memref<?x96xf32>
  return
}

// -----

func.func @rope_c1(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<16xf32>, %y: memref<?x80xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 96, found 80}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 16 : i64} : memref<?x96xf32>,
    memref<?xi32>, memref<16xf32> -> memref<?x80xf32>
  return
}

// -----

func.func @rope_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<3x96xf32>, %p:
    memref<4xi32>, %f: memref<16xf32>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected the number of positions (one for each row) to be 3, found 4}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 16 : i64} : memref<3x96xf32>,
    memref<4xi32>, memref<16xf32> -> memref<3x96xf32>
  return
}

// -----

func.func @rope_c3(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<16xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a width that is a multiple of head_dim 20, found 96}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 20 : i64, rotary_dims = 16 : i64} : memref<?x96xf32>,
    memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @rope_c3_zero(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<16xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a width that is a multiple of head_dim 0, found 96}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 0 : i64, rotary_dims = 16 : i64} : memref<?x96xf32>,
    memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @rope_c4_odd(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<16xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected an even number of rotary_dims, at most head_dim 16, found 7}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 7 : i64} : memref<?x96xf32>,
    memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @rope_c4_large(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<16xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected an even number of rotary_dims, at most head_dim 16, found 18}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 18 : i64} : memref<?x96xf32>,
    memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @rope_c5(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<7xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a frequency for each of the 8 pairs, found 7}}
  tile.rope rows %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 16 : i64} : memref<?x96xf32>,
    memref<?xi32>, memref<7xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @rope_c6(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %p:
    memref<?xi32>, %f: memref<16xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found segments}}
  tile.rope segments %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 16 : i64} :
    memref<?x96xf32>, memref<?xi32>, memref<16xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @gate_c1_operand(%step: !llvm.ptr, %thread: index, %team: index, %a: memref<?x96xf32>,
    %b: memref<?x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected dimension 1 of the gate to be 80, found 96}}
  tile.gate rows silu %a, %b -> %y : memref<?x96xf32>, memref<?x80xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @gate_c1_result(%step: !llvm.ptr, %thread: index, %team: index, %a: memref<2x96xf32>, %b:
    memref<2x96xf32>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected dimension 0 of out to be 2, found 3}}
  tile.gate rows silu %a, %b -> %y : memref<2x96xf32>, memref<2x96xf32> -> memref<3x96xf32>
  return
}

// -----

func.func @gate_c1_gate(%step: !llvm.ptr, %thread: index, %team: index, %g: memref<?x2xf32>, %u: memref<?x96xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected dimension 1 of the gate to be 96, found 2}}
  tile.gate rows sigmoid %g, %u -> %y : memref<?x2xf32>, memref<?x96xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @gate_c2(%step: !llvm.ptr, %thread: index, %team: index, %a: memref<?x96xf32>, %b:
    memref<?x96xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.gate panels silu %a, %b -> %y : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @add_c1_operand(%step: !llvm.ptr, %thread: index, %team: index, %a: memref<?x96xf32>, %b:
    memref<?x80xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected dimension 1 of rhs to be 96, found 80}}
  tile.add rows %a, %b -> %y : memref<?x96xf32>, memref<?x80xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @add_c1_result(%step: !llvm.ptr, %thread: index, %team: index, %a: memref<2x96xf32>, %b:
    memref<2x96xf32>, %y: memref<3x96xf32>) {
  // expected-error @below {{expected dimension 0 of out to be 2, found 3}}
  tile.add rows %a, %b -> %y : memref<2x96xf32>, memref<2x96xf32> -> memref<3x96xf32>
  return
}

// -----

func.func @add_c2(%step: !llvm.ptr, %thread: index, %team: index, %a: memref<?x96xf32>, %b:
    memref<?x96xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.add panels %a, %b -> %y : memref<?x96xf32>, memref<?x96xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @scale_c1(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %y: memref<?x80xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 96, found 80}}
  tile.scale rows %x by 2.0 -> %y : memref<?x96xf32> -> memref<?x80xf32>
  return
}

// -----

func.func @scale_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found segments}}
  tile.scale segments %x by 2.0 -> %y : memref<?x96xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @copy_c1_index(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %y:
    memref<?x96xf32>) {
  // expected-error @below {{expected out to have 3 dimensions, found 'memref<?x96xf32>'}}
  tile.copy rows %x -> %y[%thread] : memref<?x96xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @copy_c1_none(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %y:
    memref<?x?x96xf32>) {
  // expected-error @below {{expected out to have 2 dimensions, found 'memref<?x?x96xf32>'}}
  tile.copy rows %x -> %y : memref<?x96xf32> -> memref<?x?x96xf32>
  return
}

// -----

func.func @copy_c1_width(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %y:
    memref<?x?x80xf32>) {
  // expected-error @below {{expected dimension 2 of out to be 96, found 80}}
  tile.copy rows %x -> %y[%thread] : memref<?x96xf32> -> memref<?x?x80xf32>
  return
}

// -----

func.func @copy_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %y:
    memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found tiles}}
  tile.copy tiles %x -> %y : memref<?x96xf32> -> memref<?x96xf32>
  return
}
