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

func.func @rms_norm_c1(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %g:
    memref<80xf32>, %o0: memref<?x96xf32>) {
  // expected-error @below {{expected a gain of at least 96 elements, found 80}}
  tile.rms_norm rows %x, %g -> %o0 eps 1.0e-5 : memref<?x96xf32>, memref<80xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @rms_norm_c2_shape(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %g: memref<96xf32>, %o0: memref<?x80xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 96, found 80}}
  tile.rms_norm rows %x, %g -> %o0 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x80xf32>
  return
}

// -----

func.func @rms_norm_c2_number(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %g: memref<96xf32>, %o0: memref<?x96xf32>, %o1: memref<?x96xf32>) {
  // expected-error @below {{expected rows of f32 or the three buffers of quantized rows as outs}}
  tile.rms_norm rows %x, %g -> %o0, %o1 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xf32>, memref<?x96xf32>
  return
}

// -----

func.func @rms_norm_c2_element(%step: !llvm.ptr, %thread: index, %team: index, %x:
    memref<?x96xf32>, %g: memref<96xf32>, %o0: memref<?x96xf16>) {
  // expected-error @below {{expected rows of f32 or the three buffers of quantized rows as outs}}
  tile.rms_norm rows %x, %g -> %o0 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xf16>
  return
}

// -----

func.func @rms_norm_c2_scales(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %g: memref<96xf32>, %o0: memref<?x96xi8>, %o1: memref<?x2x4xf32>, %o2: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 2 of scales to be 3, found 4}}
  tile.rms_norm rows %x, %g -> %o0, %o1, %o2 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xi8>, memref<?x2x4xf32>, memref<?x6xi32>
  return
}

// -----

func.func @rms_norm_c2_order(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %g: memref<96xf32>, %o0: memref<?x96xi8>, %o1: memref<?x6xi32>, %o2: memref<?x2x3xf32>) {
  // expected-error @below {{expected the scales to be of 'f32' with 3 dimensions, found 'memref<?x6xi32>'}}
  tile.rms_norm rows %x, %g -> %o0, %o1, %o2 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xi8>, memref<?x6xi32>, memref<?x2x3xf32>
  return
}

// -----

func.func @rms_norm_c2_round(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %g: memref<96xf32>, %o0: memref<?x96xi32>) {
  // expected-error @below {{expected dimension 1 of out to be 48, found 96}}
  tile.rms_norm rows %x, %g -> %o0 eps 1.0e-5 {round} : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xi32>
  return
}

// -----

func.func @rms_norm_c2_round_number(%step: !llvm.ptr, %thread: index, %team: index, %x:
    memref<?x96xf32>, %g: memref<96xf32>, %o0: memref<?x96xf32>) {
  // expected-error @below {{expected one buffer of rounded rows as outs}}
  tile.rms_norm rows %x, %g -> %o0, %o0 eps 1.0e-5 {round} : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xf32>, memref<?x96xf32>
  return
}

// -----

func.func @rms_norm_c3(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x80xf32>, %g:
    memref<96xf32>, %o0: memref<?x80xi8>, %o1: memref<?x2x2xf32>, %o2: memref<?x2xi32>) {
  // expected-error @below {{expected columns divisible by the block of 32, found 80}}
  tile.rms_norm rows %x, %g -> %o0, %o1, %o2 eps 1.0e-5 : memref<?x80xf32>, memref<96xf32> ->
    memref<?x80xi8>, memref<?x2x2xf32>, memref<?x2xi32>
  return
}

// -----

func.func @rms_norm_c4(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %g:
    memref<96xf32>, %o0: memref<?x96xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found tiles}}
  tile.rms_norm tiles %x, %g -> %o0 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xf32>
  return
}

// -----

func.func @quantize_c1_values(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %v: memref<?x64xi8>, %s: memref<?x2x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 1 of values to be 96, found 64}}
  tile.quantize rows %x -> %v, %s, %n : memref<?x96xf32> -> memref<?x64xi8>, memref<?x2x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @quantize_c1_scales(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %v: memref<?x96xi8>, %s: memref<?x1x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 1 of scales to be 2, found 1}}
  tile.quantize rows %x -> %v, %s, %n : memref<?x96xf32> -> memref<?x96xi8>, memref<?x1x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @quantize_c1_sums(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<4x96xf32>,
    %v: memref<4x96xi8>, %s: memref<4x2x3xf32>, %n: memref<3x6xi32>) {
  // expected-error @below {{expected dimension 0 of sums to be 4, found 3}}
  tile.quantize rows %x -> %v, %s, %n : memref<4x96xf32> -> memref<4x96xi8>, memref<4x2x3xf32>,
    memref<3x6xi32>
  return
}

// -----

func.func @quantize_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x100xf32>, %v:
    memref<?x100xi8>, %s: memref<?x2x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected columns divisible by the block of 32, found 100}}
  tile.quantize rows %x -> %v, %s, %n : memref<?x100xf32> -> memref<?x100xi8>, memref<?x2x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @quantize_c3(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %v:
    memref<?x96xi8>, %s: memref<?x2x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.quantize panels %x -> %v, %s, %n : memref<?x96xf32> -> memref<?x96xi8>, memref<?x2x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @round_c1(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x100xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected dimension 1 of out to be 100, found 96}}
  tile.round rows %x -> %y : memref<?x100xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @round_c1_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x100xf32>, %y: memref<?x50xi32>) {
  // expected-error @below {{expected dimension 1 of out to be 56, found 50}}
  tile.round rows %x -> %y : memref<?x100xf32> -> memref<?x50xi32>
  return
}

// -----

func.func @round_c1_element(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x100xf32>, %y: memref<?x100xbf16>) {
  // expected-error @below {{expected rounded rows to be of f32, or of i32 (pairs), found 'memref<?x100xbf16>'}}
  tile.round rows %x -> %y : memref<?x100xf32> -> memref<?x100xbf16>
  return
}

// -----

func.func @round_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x100xf32>, %y: memref<?x100xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.round panels %x -> %y : memref<?x100xf32> -> memref<?x100xf32>
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
