// A case for each constraint of the choice of experts.
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

func.func @dispatch_c4(%step: !llvm.ptr, %thread: index, %team: index, %i: memref<?x4xi32>, %o: memref<?xi32>, %f: memref<1x13xi32>) {
  // expected-error @below {{expected fours not to be negative, found -1}}
  tile.dispatch first %i -> %o, %f {fours = -1 : i64}
    : memref<?x4xi32> -> memref<?xi32>, memref<1x13xi32>
  return
}

// -----

func.func @gather_rows_c1(%step: !llvm.ptr, %thread: index, %team: index, %x: memref<?x64xf32>, %o: memref<?xi32>, %y: memref<?x64xf32>) {
  // expected-error @below {{expected the three buffers of quantized rows as x and as outs}}
  tile.gather_rows rows %x of %o -> %y {choices = 4 : i64}
    : memref<?x64xf32> of memref<?xi32> -> memref<?x64xf32>
  return
}

// -----

func.func @gather_rows_c1_width(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x64xi8>, %s: memref<?x3x2xf32>, %n: memref<?x4xi32>, %o: memref<?xi32>, %v1: memref<?x96xi8>, %s1: memref<?x3x3xf32>, %n1: memref<?x6xi32>) {
  // expected-error @below {{expected dimension 1 of values to be 64, found 96}}
  tile.gather_rows rows %v, %s, %n of %o -> %v1, %s1, %n1 {choices = 4 : i64}
    : memref<?x64xi8>, memref<?x3x2xf32>, memref<?x4xi32> of memref<?xi32>
      -> memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32>
  return
}

// -----

func.func @gather_rows_c1_blocks(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x64xi8>, %s: memref<?x3x2xf32>, %n: memref<?x4xi32>, %o: memref<?xi32>, %v1: memref<?x64xi8>, %s1: memref<?x3x1xf32>, %n1: memref<?x1xi32>) {
  // expected-error @below {{expected the blocks of outs (those of x) to be 2, found 1}}
  tile.gather_rows rows %v, %s, %n of %o -> %v1, %s1, %n1 {choices = 4 : i64}
    : memref<?x64xi8>, memref<?x3x2xf32>, memref<?x4xi32> of memref<?xi32>
      -> memref<?x64xi8>, memref<?x3x1xf32>, memref<?x1xi32>
  return
}

// -----

func.func @gather_rows_c2(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x64xi8>, %s: memref<?x3x2xf32>, %n: memref<?x4xi32>, %o: memref<?xi32>) {
  // expected-error @below {{expected a positive number of choices, found 0}}
  tile.gather_rows rows %v, %s, %n of %o -> %v, %s, %n {choices = 0 : i64}
    : memref<?x64xi8>, memref<?x3x2xf32>, memref<?x4xi32> of memref<?xi32>
      -> memref<?x64xi8>, memref<?x3x2xf32>, memref<?x4xi32>
  return
}

// -----

func.func @gather_rows_c3(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x64xi8>, %s: memref<?x3x2xf32>, %n: memref<?x4xi32>, %o: memref<?xi32>) {
  // expected-error @below {{expected the work to be split by rows or whole, found panels}}
  tile.gather_rows panels %v, %s, %n of %o -> %v, %s, %n {choices = 4 : i64}
    : memref<?x64xi8>, memref<?x3x2xf32>, memref<?x4xi32> of memref<?xi32>
      -> memref<?x64xi8>, memref<?x3x2xf32>, memref<?x4xi32>
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
