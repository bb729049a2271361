// A case for each constraint of the products of experts.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @grouped_contract_c1_width(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected the width of x to be 64, found 96}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 64 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c1_instruction(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected the instruction vfmadd for rows of f32, found vpdpbusd}}
  tile.grouped_contract panels "vpdpbusd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c1_strip(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %s: memref<6144xi8>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected a strip of 'memref<12288xi8>', found 'memref<6144xi8>'}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w strip %s of %o, %f -> gate_silu %y
    {blocking = #tile.blocking<direct = 4, together = 4, rows = 4, block = 256, columns = 256>, choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> strip memref<6144xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c2(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected out to have at least 48 columns, found 32}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 48 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c3_bytes(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected experts of a positive multiple of 64 bytes, a whole number in the weight, found 12300}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12300 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c3_offsets(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x16xi32>) {
  // expected-error @below {{expected the experts of the weight (those of offsets) to be 15, found 12}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x16xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c4(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected store, silu or gate_silu, found accumulate}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> accumulate %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c5_rows(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<2x96xf32>, %w: memref<147456xi8>, %o: memref<4xi32>, %y: memref<4x32xf32>) {
  // expected-error @below {{expected the rows of x without offsets to be 1, found 2}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<2x96xf32> weight memref<147456xi8> of memref<4xi32> -> memref<4x32xf32>
  return
}

// -----

func.func @grouped_contract_c5_choices(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<1x96xf32>, %w: memref<147456xi8>, %o: memref<3xi32>, %y: memref<4x32xf32>) {
  // expected-error @below {{expected the experts in order (the choices) to be 4, found 3}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<1x96xf32> weight memref<147456xi8> of memref<3xi32> -> memref<4x32xf32>
  return
}

// -----

func.func @grouped_contract_c5_none(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected a positive number of choices, found 0}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 0 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @grouped_contract_c5_out(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<1x96xf32>, %w: memref<147456xi8>, %o: memref<4xi32>, %y: memref<3x32xf32>) {
  // expected-error @below {{expected the rows of out (the choices) to be 4, found 3}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<1x96xf32> weight memref<147456xi8> of memref<4xi32> -> memref<3x32xf32>
  return
}

// -----

func.func @grouped_contract_c6(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected the work to be split by panels, found rows}}
  tile.grouped_contract rows "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @combine_contract_c1(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected the width of x to be 64, found 32}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, k = 64 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c2_width(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected out to have at least 112 columns, found 96}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 112 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c2_rows(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<2x4xf32>, %y: memref<3x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected the rows of out (those of the weights) to be 2, found 3}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<2x4xf32> partial memref<?x4x128xf32> -> memref<3x96xf32>
  return
}

// -----

func.func @combine_contract_c3(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected experts of a positive multiple of 64 bytes, a whole number in the weight, found 8000}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8000 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c4(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected store or accumulate, found silu}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> silu %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c5_together(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected offsets and partial together}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c5_rows(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<4x32xf32>, %w: memref<98304xi8>, %o: memref<4xi32>, %b: memref<2x4xf32>, %y: memref<2x96xf32>) {
  // expected-error @below {{expected the rows of weights without offsets to be 1, found 2}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o by %b -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<4x32xf32> weight memref<98304xi8> of memref<4xi32> by memref<2x4xf32> -> memref<2x96xf32>
  return
}

// -----

func.func @combine_contract_c5_hidden(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<3x32xf32>, %w: memref<98304xi8>, %o: memref<4xi32>, %b: memref<1x4xf32>, %y: memref<1x96xf32>) {
  // expected-error @below {{expected the rows of hidden (the choices) to be 4, found 3}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o by %b -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<3x32xf32> weight memref<98304xi8> of memref<4xi32> by memref<1x4xf32> -> memref<1x96xf32>
  return
}

// -----

func.func @combine_contract_c5_order(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<4x32xf32>, %w: memref<98304xi8>, %o: memref<3xi32>, %b: memref<1x4xf32>, %y: memref<1x96xf32>) {
  // expected-error @below {{expected the experts in order (the choices) to be 4, found 3}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o by %b -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<4x32xf32> weight memref<98304xi8> of memref<3xi32> by memref<1x4xf32> -> memref<1x96xf32>
  return
}

// -----

func.func @combine_contract_c6_choices(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x3x128xf32>) {
  // expected-error @below {{expected the choices of partial (those of weights) to be 4, found 3}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x3x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c6_columns(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x40xf32>) {
  // expected-error @below {{expected partial results for whole panels, found 'memref<?x4x40xf32>'}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x40xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @combine_contract_c7(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected the work to be split by panels, found whole}}
  tile.combine_contract whole "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @grouped_contract_c7(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<147456xi8>, %o: memref<?xi32>, %y: memref<?x32xf32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected offsets, and quantized rows, with rows by fours}}
  tile.grouped_contract panels "vfmadd" bf16 %x weight %w of %o, %f -> gate_silu %y
    {choices = 4 : i64, expert_bytes = 12288 : i64, fours, k = 96 : i64, width = 32 : i64}
    : memref<?x96xf32> weight memref<147456xi8> of memref<?xi32>, memref<1x13xi32> -> memref<?x32xf32>
  return
}

// -----

func.func @combine_contract_c8(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<?x32xf32>, %w: memref<98304xi8>, %o: memref<?xi32>, %b: memref<?x4xf32>, %y: memref<?x96xf32>, %f: memref<1x13xi32>, %p: memref<?x4x128xf32>) {
  // expected-error @below {{expected offsets, and quantized rows, with rows by fours}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o, %f by %b partial %p -> accumulate %y
    {expert_bytes = 8192 : i64, fours, k = 32 : i64, width = 96 : i64}
    : memref<?x32xf32> weight memref<98304xi8> of memref<?xi32>, memref<1x13xi32> by memref<?x4xf32> partial memref<?x4x128xf32> -> memref<?x96xf32>
  return
}
