// A case for each constraint of products.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

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
    %x1: memref<?x2x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected dimension 1 of scales to be 3, found 2}}
  tile.contract panels "vpmaddubsw" q4_0 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k =
    96 : i64} : memref<?x96xi8>, memref<?x2x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
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
    memref<?x3x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected weights of a block format for quantized rows, found bf16}}
  tile.contract panels "vpmaddubsw" bf16 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k =
    96 : i64} : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
    memref<?x48xf32>
  return
}

// -----

func.func @contract_c2_columns(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xi8>,
    %x1: memref<?x3x1xf32>, %x2: memref<?x1xi32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected blocks of x whose columns share a scale in int4_g64, found blocks of 128}}
  tile.contract panels "vpmaddubsw" int4_g64 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k =
    96 : i64} : memref<?x96xi8>, memref<?x3x1xf32>, memref<?x1xi32> weight memref<9216xi8> ->
    memref<?x48xf32>
  return
}

// -----

func.func @contract_c2_chunks(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x192xi8>,
    %x1: memref<?x3x2xf32>, %x2: memref<?x2xi32>, %w: memref<9216xi8>, %s: memref<32768xi8>,
    %y: memref<?x48xf32>) {
  // expected-error @below {{expected chunks of whole blocks of x, of 128 columns, found chunks of 64}}
  tile.contract panels "vpmaddubsw" int4_g128 %x0, %x1, %x2 weight %w strip %s -> store %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 64>, width = 40 : i64, k = 192 : i64}
    : memref<?x192xi8>, memref<?x3x2xf32>, memref<?x2xi32> weight memref<9216xi8> strip memref<32768xi8>
    -> memref<?x48xf32>
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

func.func @contract_c4_float(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>,
    %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected the instruction vfmadd for rows of f32, found vpdpbusd}}
  tile.contract panels "vpdpbusd" f16 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c4_integer(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xi8>, %x1: memref<?x3x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y:
    memref<?x48xf32>) {
  // expected-error @below {{expected an integer instruction for quantized rows, found vfmadd}}
  tile.contract panels "vfmadd" q8_0 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k = 96
    : i64} : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
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
    memref<?x96xi8>, %x1: memref<?x3x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %y:
    memref<?x48xf32>) {
  // expected-error @below {{expected an integer instruction for quantized rows, found vdpbf16ps}}
  tile.contract panels "vdpbf16ps" q8_0 %x0, %x1, %x2 weight %w -> store %y {width = 40 : i64, k = 96
    : i64} : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9216xi8> ->
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

func.func @contract_c7_epilogue(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected store, accumulate or gate_silu, found silu}}
  tile.contract panels "vfmadd" bf16 %x weight %w -> silu %y {width = 48 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
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

func.func @contract_c8_bytes(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %s: memref<1536xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected a strip of 'memref<6144xi8>', found 'memref<1536xi8>'}}
  tile.contract panels "vfmadd" f16 %x0 weight %w strip %s -> store %y {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>,
    width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> strip memref<1536xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_none(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected a strip of 'memref<6144xi8>', found none}}
  tile.contract panels "vfmadd" f16 %x0 weight %w -> store %y {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>,
    width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

// Of two parts in chunks of 32 columns one lies in the strip at a time, beside the sums of both.
func.func @contract_c8_parts(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xi8>,
    %x1: memref<?x3x3xf32>, %x2: memref<?x6xi32>, %w: memref<9216xi8>, %s: memref<3456xi8>, %y:
    memref<?x48xf32>) {
  // expected-error @below {{expected a strip of 'memref<1600xi8>', found 'memref<3456xi8>'}}
  tile.contract panels "vpmaddubsw" q4_0 %x0, %x1, %x2 weight %w strip %s -> gate_silu %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 8, columns = 32>, width = 40 : i64, k = 96 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<9216xi8>
    strip memref<3456xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_needless(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %s: memref<6144xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected no strip: panels are read as they are}}
  tile.contract panels "vfmadd" f32 %x0 weight %w strip %s -> store %y {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>,
    width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> strip memref<6144xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_pairs(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x48xi32>,
    %w: memref<9216xi8>, %s: memref<6144xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected no strip: panels are read as they are}}
  tile.contract panels "vdpbf16ps" bf16_pairs %x0 weight %w strip %s -> store %y {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>,
    width = 40 : i64, k = 96 : i64}
    : memref<?x48xi32> weight memref<9216xi8> strip memref<6144xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c10_sharing(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %t: memref<1xi64>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected turns with sharing, of a product whose panels are shared}}
  tile.contract panels "vfmadd" f16 %x0 weight %w turns %t -> store %y {width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c10_split(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %t: memref<1xi64>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected turns with sharing, of a product whose panels are shared}}
  tile.contract whole "vfmadd" f16 %x0 weight %w turns %t -> store %y
    {sharing = #tile.sharing<equal = 0, panels = 4, single = 8, streams = 4>, width = 40 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c11_floats(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %s: memref<6144xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected quantized rows, and a blocking that takes them by fours, with rows by fours}}
  tile.contract panels "vfmadd" f16 %x0 weight %w strip %s -> store %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, width = 40 : i64, k = 96 : i64, fours = 0 : i64}
    : memref<?x96xf32> weight memref<9216xi8> strip memref<6144xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c11_blocking(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x96xi8>,
    %d: memref<?x3x3xf32>, %n: memref<?x6xi32>, %w: memref<4896xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected quantized rows, and a blocking that takes them by fours, with rows by fours}}
  tile.contract panels "vpdpbusd" q8_0 %v, %d, %n weight %w -> store %y {width = 48 : i64, k = 96 : i64, fours = 0 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<4896xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c11_tiles(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x96xi8>,
    %d: memref<?x3x3xf32>, %n: memref<?x6xi32>, %w: memref<4896xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected quantized rows, and a blocking that takes them by fours, with rows by fours}}
  tile.contract panels "vpdpbusd" q8_0 %v, %d, %n weight %w -> store %y
    {blocking = #tile.blocking<direct = 15, together = 5, rows = 4, block = 256, columns = 256>, width = 48 : i64, k = 96 : i64, fours = 0 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<4896xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c11_rows(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x96xi8>,
    %d: memref<?x3x3xf32>, %n: memref<?x6xi32>, %w: memref<4896xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected quantized rows, and a blocking that takes them by fours, with rows by fours}}
  tile.contract panels "vpdpbusd" q8_0 %v, %d, %n weight %w -> store %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 5, block = 256, columns = 256>, width = 48 : i64, k = 96 : i64, fours = 0 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<4896xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c11_direct(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x96xi8>,
    %d: memref<?x3x3xf32>, %n: memref<?x6xi32>, %w: memref<4896xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected quantized rows, and a blocking that takes them by fours, with rows by fours}}
  tile.contract panels "vpdpbusd" q8_0 %v, %d, %n weight %w -> store %y
    {blocking = #tile.blocking<direct = 16, together = 4, rows = 4, block = 256, columns = 256>, width = 48 : i64, k = 96 : i64, fours = 12 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<4896xi8> -> memref<?x48xf32>
  return
}

// -----

func.func @contract_c8_single(%step: !llvm.ptr, %thread: index, %team: index, %x0: memref<?x96xf32>,
    %w: memref<9216xi8>, %s: memref<6144xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected no strip: panels are read as they are}}
  tile.contract panels "vfmadd" f16 %x0 weight %w strip %s -> store %y {width = 40 : i64, k = 96 :
    i64} : memref<?x96xf32> weight memref<9216xi8> strip memref<6144xi8> -> memref<?x48xf32>
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

func.func @contract_unknown_format(%step: !llvm.ptr, %thread: index, %team: index, %x0:
    memref<?x96xf32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{there is no format 'q3_0'}}
  // expected-error @below {{failed to parse Tile_Format}}
  tile.contract panels "vfmadd" q3_0 %x0 weight %w -> store %y {width = 40 : i64, k = 96 : i64} :
    memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
  return
}
