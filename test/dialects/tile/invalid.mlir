// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @alloc_c1_dynamic(%step: !llvm.ptr, %thread: index, %team: index, %n: index) {
  // expected-error @below {{expected a private buffer without rows to have a static shape, found 'memref<?x16xf32>'}}
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
  // expected-error @below {{expected the work to be split by rows or whole, found heads}}
  tile.select_rows heads %x, %r -> %y : memref<?x96xf32>, memref<?xi32> -> memref<?x96xf32>
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
  // expected-error @below {{expected the work to be split by rows or whole, found heads}}
  tile.rope heads %x, %p, %f -> %y {head_dim = 16 : i64, rotary_dims = 16 : i64} :
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

func.func @tap_route_c1(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?x4xi32>,
    %w: memref<?x3xf32>, %all_ids: memref<?x?x6xi32>, %all_w: memref<?x?x6xf32>) {
  // expected-error @below {{expected dimension 1 of weights to be 4, found 3}}
  tile.tap_route rows %ids, %w -> %all_ids, %all_w[%thread] : memref<?x4xi32>, memref<?x3xf32>
    -> memref<?x?x6xi32>, memref<?x?x6xf32>
  return
}

// -----

func.func @tap_route_c2_rows(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<2x4xi32>,
    %w: memref<2x4xf32>, %all_ids: memref<?x3x6xi32>, %all_w: memref<?x3x6xf32>) {
  // expected-error @below {{expected the rows of the outputs (those of ids) to be 2, found 3}}
  tile.tap_route rows %ids, %w -> %all_ids, %all_w[%thread] : memref<2x4xi32>, memref<2x4xf32>
    -> memref<?x3x6xi32>, memref<?x3x6xf32>
  return
}

// -----

func.func @tap_route_c2_width(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?x4xi32>,
    %w: memref<?x4xf32>, %all_ids: memref<?x?x3xi32>, %all_w: memref<?x?x3xf32>) {
  // expected-error @below {{expected outputs of at least 4 columns, found 'memref<?x?x3xi32>'}}
  tile.tap_route rows %ids, %w -> %all_ids, %all_w[%thread] : memref<?x4xi32>, memref<?x4xf32>
    -> memref<?x?x3xi32>, memref<?x?x3xf32>
  return
}

// -----

func.func @tap_route_c2_shape(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?x4xi32>,
    %w: memref<?x4xf32>, %all_ids: memref<?x?x6xi32>, %all_w: memref<?x?x4xf32>) {
  // expected-error @below {{expected dimension 2 of the output of weights to be 6, found 4}}
  tile.tap_route rows %ids, %w -> %all_ids, %all_w[%thread] : memref<?x4xi32>, memref<?x4xf32>
    -> memref<?x?x6xi32>, memref<?x?x4xf32>
  return
}

// -----

func.func @tap_route_c3(%step: !llvm.ptr, %thread: index, %team: index, %ids: memref<?x4xi32>,
    %w: memref<?x4xf32>, %all_ids: memref<?x?x6xi32>, %all_w: memref<?x?x6xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.tap_route panels %ids, %w -> %all_ids, %all_w[%thread] : memref<?x4xi32>, memref<?x4xf32>
    -> memref<?x?x6xi32>, memref<?x?x6xf32>
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

// -----

func.func @contract_c1_width(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x80xf32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected the width of x to be 96, found 80}}
  tile.contract panels "vfmadd" f16 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x80xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c1_number(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %x1: memref<?x96xf32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected x to be rows of f32 or the three buffers of quantized rows}}
  tile.contract panels "vfmadd" f16 %x0, %x1 weight %w -> store %y {width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32>, memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c1_scales(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xi8>,
    %x1: memref<?x3x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected dimension 1 of scales to be 2, found 3}}
  tile.contract panels "vpmaddubsw" q4_0 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k =
    96 : i64} : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
    memref<?x48xf32>
  return
}

// -----

func.func @contract_c1_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xi32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected dimension 1 of x to be 48, found 96}}
  tile.contract panels "vdpbf16ps" bf16_pairs %x0 weight %w -> store %y {width = 40 : i64, k = 96 :
    i64} : memref<?x96xi32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c2(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xi8>, %x1:
    memref<?x2x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected weights of a block format for quantized rows, found bf16}}
  tile.contract panels "vpmaddubsw" bf16 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k =
    96 : i64} : memref<?x96xi8>, memref<?x2x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
    memref<?x48xf32>
  return
}

// -----

func.func @contract_c2_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x48xi32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected weights of bf16_pairs for pairs, found bf16}}
  tile.contract panels "vdpbf16ps" bf16 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x48xi32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c3(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x100xf32>, %w:
    memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected columns divisible by the block of 32, found 100}}
  tile.contract panels "vfmadd" q4_1 %x0 weight %w -> store %y {width = 40 : i64, k = 100 : i64} :
    memref<?x100xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c3_super(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected columns divisible by the block of 256, found 96}}
  tile.contract panels "vfmadd" q4_k %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_unknown_format(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{there is no format 'q3_0'}}
  // expected-error @below {{failed to parse Tile_Format}}
  tile.contract panels "vfmadd" q3_0 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c4_float(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected the instruction vfmadd for rows of f32, found vpdpbusd}}
  tile.contract panels "vpdpbusd" f16 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c4_integer(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xi8>, %x1: memref<?x2x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y:
    memref<?x48xf32>) {
  // expected-error @below {{expected an integer instruction for quantized rows, found vfmadd}}
  tile.contract panels "vfmadd" q8_0 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k = 96
    : i64} : memref<?x96xi8>, memref<?x2x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
    memref<?x48xf32>
  return
}

// -----

func.func @contract_c4_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x48xi32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected the instruction vdpbf16ps for pairs, found vfmadd}}
  tile.contract panels "vfmadd" bf16_pairs %x0 weight %w -> store %y {width = 40 : i64, k = 96 :
    i64} : memref<?x48xi32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c4_integer_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xi8>, %x1: memref<?x2x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y:
    memref<?x48xf32>) {
  // expected-error @below {{expected an integer instruction for quantized rows, found vdpbf16ps}}
  tile.contract panels "vdpbf16ps" q8_0 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k = 96
    : i64} : memref<?x96xi8>, memref<?x2x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
    memref<?x48xf32>
  return
}

// -----

func.func @contract_c5_rows(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<3x96xf32>,
    %w: memref<9216xi8>, %y: memref<4x48xf32>) {
  // expected-error @below {{expected the rows of out (those of x) to be 3, found 4}}
  tile.contract panels "vfmadd" f16 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<3x96xf32> weight memref<9216xi8> -> memref<4x48xf32>
  return
}

// -----

func.func @contract_c5_width(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected out to have at least 49 columns, found 48}}
  tile.contract panels "vfmadd" f16 %x0 weight %w -> store %y {width = 49 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c5_none(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected out to have at least 0 columns, found 48}}
  tile.contract panels "vfmadd" f16 %x0 weight %w -> store %y {width = 0 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c6(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>, %w:
    memref<9216xi8>, %b: memref<40xf32>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected a bias of at least 48 elements (whole panels), found 40}}
  tile.contract panels "vfmadd" f16 %x0 weight %w bias %b -> store %y {width = 40 : i64, k = 96 :
    i64} : memref<?x96xf32> weight memref<9216xi8> bias memref<40xf32> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c7(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>, %w:
    memref<9216xi8>, %b: memref<48xf32>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected no bias with a gate}}
  tile.contract panels "vfmadd" f16 %x0 weight %w bias %b -> gate_silu %y {width = 40 : i64, k = 96
    : i64} : memref<?x96xf32> weight memref<9216xi8> bias memref<48xf32> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_element(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %s: memref<1536xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected a strip of 'memref<96x16xf32>', found 'memref<1536xi8>'}}
  tile.contract panels "vfmadd" f16 %x0 weight %w strip %s -> store %y {width = 40 : i64, k = 96 :
    i64} : memref<?x96xf32> weight memref<9216xi8> strip memref<1536xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_parts(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xi8>,
    %x1: memref<?x2x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %s: memref<1536xi8>, %y:
    memref<?x48xf32>) {
  // expected-error @below {{expected a strip of 'memref<3072xi8>', found 'memref<1536xi8>'}}
  tile.contract panels "vpmaddubsw" q4_0 %x0, %x1, %x2 weight %w strip %s -> gate_silu %y {width =
    40 : i64, k = 96 : i64} : memref<?x96xi8>, memref<?x2x3xf32>, memref<?x6xi32> weight
    memref<9216xi8> strip memref<1536xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_needless(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %s: memref<96x16xf32>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected no strip: these panels are read as they are}}
  tile.contract panels "vfmadd" f32 %x0 weight %w strip %s -> store %y {width = 40 : i64, k = 96 :
    i64} : memref<?x96xf32> weight memref<9216xi8> strip memref<96x16xf32> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x48xi32>,
    %w: memref<9216xi8>, %s: memref<96x16xf32>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected no strip: these panels are read as they are}}
  tile.contract panels "vdpbf16ps" bf16_pairs %x0 weight %w strip %s -> store %y {width = 40 : i64, k
    = 96 : i64} : memref<?x48xi32> weight memref<9216xi8> strip memref<96x16xf32> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c9(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>, %w:
    memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected the work to be split by panels or whole, found rows}}
  tile.contract rows "vfmadd" f16 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

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
