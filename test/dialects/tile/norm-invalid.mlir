// A case for each constraint of norms and the rounding of rows.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

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
    %g: memref<96xf32>, %o0: memref<?x96xi8>, %o1: memref<?x3x4xf32>, %o2: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 2 of scales to be 3, found 4}}
  tile.rms_norm rows %x, %g -> %o0, %o1, %o2 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xi8>, memref<?x3x4xf32>, memref<?x6xi32>
  return
}

// -----

func.func @rms_norm_c2_order(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %g: memref<96xf32>, %o0: memref<?x96xi8>, %o1: memref<?x6xi32>, %o2: memref<?x3x3xf32>) {
  // expected-error @below {{expected the scales to be of 'f32' with 3 dimensions, found 'memref<?x6xi32>'}}
  tile.rms_norm rows %x, %g -> %o0, %o1, %o2 eps 1.0e-5 : memref<?x96xf32>, memref<96xf32> ->
    memref<?x96xi8>, memref<?x6xi32>, memref<?x3x3xf32>
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
    memref<96xf32>, %o0: memref<?x80xi8>, %o1: memref<?x3x2xf32>, %o2: memref<?x2xi32>) {
  // expected-error @below {{expected columns divisible by the block of 32, found 80}}
  tile.rms_norm rows %x, %g -> %o0, %o1, %o2 eps 1.0e-5 : memref<?x80xf32>, memref<96xf32> ->
    memref<?x80xi8>, memref<?x3x2xf32>, memref<?x2xi32>
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

func.func @rms_norm_c5(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %g: memref<64xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a group that divides the width 96, and then one output, not rounded, found 40}}
  tile.rms_norm rows %x, %g -> %y eps 1.0e-5 {group = 40 : i64}
    : memref<?x96xf32>, memref<64xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @rms_norm_c6(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %g: memref<96xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected three outputs with rows by fours}}
  tile.rms_norm rows %x, %g -> %y eps 1.0e-5 {fours = 0 : i64}
    : memref<?x96xf32>, memref<96xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @quantize_c1_values(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %v: memref<?x64xi8>, %s: memref<?x3x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 1 of values to be 96, found 64}}
  tile.quantize rows %x -> %v, %s, %n : memref<?x96xf32> -> memref<?x64xi8>, memref<?x3x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @quantize_c1_scales(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>,
    %v: memref<?x96xi8>, %s: memref<?x1x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 1 of scales to be 3, found 1}}
  tile.quantize rows %x -> %v, %s, %n : memref<?x96xf32> -> memref<?x96xi8>, memref<?x1x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @quantize_c1_sums(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<4x96xf32>,
    %v: memref<4x96xi8>, %s: memref<4x3x3xf32>, %n: memref<3x6xi32>) {
  // expected-error @below {{expected dimension 0 of sums to be 4, found 3}}
  tile.quantize rows %x -> %v, %s, %n : memref<4x96xf32> -> memref<4x96xi8>, memref<4x3x3xf32>,
    memref<3x6xi32>
  return
}

// -----

func.func @quantize_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x100xf32>, %v:
    memref<?x100xi8>, %s: memref<?x3x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected columns divisible by the block of 32, found 100}}
  tile.quantize rows %x -> %v, %s, %n : memref<?x100xf32> -> memref<?x100xi8>, memref<?x3x3xf32>,
    memref<?x6xi32>
  return
}

// -----

func.func @quantize_c3(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %v:
    memref<?x96xi8>, %s: memref<?x3x3xf32>, %n: memref<?x6xi32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.quantize panels %x -> %v, %s, %n : memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x3xf32>,
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
