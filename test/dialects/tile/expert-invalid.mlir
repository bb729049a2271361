// A case for each constraint of routing and the products of experts.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

func.func @route_c1_rows(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<2x12xf32>, %s: memref<3x16xf32>, %i: memref<3x4xi32>, %w: memref<3x4xf32>) {
  // expected-error @below {{expected the rows of ids (those of the logits) to be 2, found 3}}
  tile.route rows softmax %l scratch %s -> %i, %w
    : memref<2x12xf32> scratch memref<3x16xf32> -> memref<3x4xi32>, memref<3x4xf32>
  return
}

// -----

func.func @route_c1_weights(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x5xf32>) {
  // expected-error @below {{expected dimension 1 of the weights to be 4, found 5}}
  tile.route rows softmax %l scratch %s -> %i, %w
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x5xf32>
  return
}

// -----

func.func @route_c2(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x13xi32>, %w: memref<?x13xf32>) {
  // expected-error @below {{expected 1 to 12 experts to be chosen, found 13}}
  tile.route rows softmax %l scratch %s -> %i, %w
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x13xi32>, memref<?x13xf32>
  return
}

// -----

func.func @route_c3(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>, %b: memref<8xf32>) {
  // expected-error @below {{expected a bias of at least 12 elements, found 8}}
  tile.route rows softmax %l bias %b scratch %s -> %i, %w
    : memref<?x12xf32> bias memref<8xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @route_c4(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<2x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>) {
  // expected-error @below {{expected dimension 0 of scratch to be 3, found 2}}
  tile.route rows softmax %l scratch %s -> %i, %w
    : memref<?x12xf32> scratch memref<2x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @route_c5_together(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>) {
  // expected-error @below {{expected groups, group_limit and group_score together}}
  tile.route rows softmax %l scratch %s -> %i, %w {groups = 4 : i64}
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @route_c5_groups(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>) {
  // expected-error @below {{expected groups that divide the 12 experts, found 5}}
  tile.route rows softmax %l scratch %s -> %i, %w {groups = 5 : i64, group_limit = 1 : i64, group_score = 0 : i32}
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @route_c5_limit(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>) {
  // expected-error @below {{expected a limit of 1 to 4 groups of 3 experts that holds the 4 chosen, found 1}}
  tile.route rows softmax %l scratch %s -> %i, %w {groups = 4 : i64, group_limit = 1 : i64, group_score = 0 : i32}
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @route_c5_two(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>) {
  // expected-error @below {{expected groups of two experts at least for top2_sum}}
  tile.route rows softmax %l scratch %s -> %i, %w {groups = 12 : i64, group_limit = 6 : i64, group_score = 1 : i32}
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @route_c6(%step: !llvm.ptr, %thread: index, %team: index, %l: memref<?x12xf32>, %s: memref<3x16xf32>, %i: memref<?x4xi32>, %w: memref<?x4xf32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.route panels softmax %l scratch %s -> %i, %w
    : memref<?x12xf32> scratch memref<3x16xf32> -> memref<?x4xi32>, memref<?x4xf32>
  return
}

// -----

func.func @dispatch_c1(%step: !llvm.ptr, %thread: index, %team: index, %i: memref<?x4xi32>, %o: memref<?xi32>, %f: memref<2x13xi32>) {
  // expected-error @below {{expected one row of offsets, one more than there are experts, found 'memref<2x13xi32>'}}
  tile.dispatch first %i -> %o, %f : memref<?x4xi32> -> memref<?xi32>, memref<2x13xi32>
  return
}

// -----

func.func @dispatch_c1_experts(%step: !llvm.ptr, %thread: index, %team: index, %i: memref<?x4xi32>, %o: memref<?xi32>, %f: memref<1x1xi32>) {
  // expected-error @below {{expected one row of offsets}}
  tile.dispatch first %i -> %o, %f : memref<?x4xi32> -> memref<?xi32>, memref<1x1xi32>
  return
}

// -----

func.func @dispatch_c2(%step: !llvm.ptr, %thread: index, %team: index, %i: memref<1x4xi32>, %o: memref<5xi32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected the elements of order (those of ids) to be 4, found 5}}
  tile.dispatch first %i -> %o, %f : memref<1x4xi32> -> memref<5xi32>, memref<1x13xi32>
  return
}

// -----

func.func @dispatch_c3(%step: !llvm.ptr, %thread: index, %team: index, %i: memref<?x4xi32>, %o: memref<?xi32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected the work to be split by first, found rows}}
  tile.dispatch rows %i -> %o, %f : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
  return
}

// -----

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
    {blocking = #tile.blocking<direct = 4, rows = 4, block = 256, columns = 256>, choices = 4 : i64, expert_bytes = 12288 : i64, k = 96 : i64, width = 32 : i64}
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

func.func @rms_norm_c5(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %g: memref<64xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected a group that divides the width 96, and then one output, not rounded, found 40}}
  tile.rms_norm rows %x, %g -> %y eps 1.0e-5 {group = 40 : i64}
    : memref<?x96xf32>, memref<64xf32> -> memref<?x96xf32>
  return
}

// -----

func.func @gate_c1_gate(%step: !llvm.ptr, %thread: index, %team: index, %g: memref<?x2xf32>, %u: memref<?x96xf32>, %y: memref<?x96xf32>) {
  // expected-error @below {{expected dimension 1 of the gate to be 96, found 2}}
  tile.gate rows sigmoid %g, %u -> %y : memref<?x2xf32>, memref<?x96xf32> -> memref<?x96xf32>
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

func.func @contract_c7_epilogue(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x96xf32>, %w: memref<9216xi8>, %y: memref<?x48xf32>) {
  // expected-error @below {{expected store, accumulate or gate_silu, found silu}}
  tile.contract panels "vfmadd" bf16 %x weight %w -> silu %y {width = 48 : i64, k = 96 : i64}
    : memref<?x96xf32> weight memref<9216xi8> -> memref<?x48xf32>
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

func.func @combine_contract_c5_order(%step: !llvm.ptr, %thread: index, %team: index, %h: memref<4x32xf32>, %w: memref<98304xi8>, %o: memref<3xi32>, %b: memref<1x4xf32>, %y: memref<1x96xf32>) {
  // expected-error @below {{expected the experts in order (the choices) to be 4, found 3}}
  tile.combine_contract panels "vfmadd" bf16 %h weight %w of %o by %b -> accumulate %y
    {expert_bytes = 8192 : i64, k = 32 : i64, width = 96 : i64}
    : memref<4x32xf32> weight memref<98304xi8> of memref<3xi32> by memref<1x4xf32> -> memref<1x96xf32>
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
