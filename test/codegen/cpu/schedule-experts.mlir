// What routing and experts become.
//
// RUN: moire-opt %s --tile-specialize --tile-schedule > %t.mlir
// RUN: FileCheck %s --check-prefix=ONE --input-file=%t.mlir
// RUN: FileCheck %s --check-prefix=MANY --input-file=%t.mlir --implicit-check-not=fours
// RUN: moire-opt %t.mlir --tile-plan-buffers --tile-insert-barriers | FileCheck %s --check-prefix=TEAM
// RUN: moire-opt %s --tile-specialize --tile-schedule="cpu=znver4" > %t.vnni
// RUN: FileCheck %s --check-prefix=VNNI --input-file=%t.vnni
// RUN: moire-opt %t.vnni --tile-plan-buffers --tile-insert-barriers \
// RUN:   | FileCheck %s --check-prefix=TURN

!rows = tensor<?x64xf32>
!int8 = tensor<?x64xf32, #moe.block<int8>>
!ids = tensor<?xi32>
!state = tensor<1x?x?x1x16xf16>
!gates = tensor<4x192x64xf32, #moe.block<q4_0>>
!downs = tensor<4x64x96xf32, #moe.block<q8_0>>
module attributes {moe.context = 512 : i64} {
  moe.weight @embedding : tensor<100x64xbf16> = #moe.source<"embed.weight">
  moe.weight @router : tensor<4x64xf32> = #moe.source<"router.weight">
  moe.weight @gate : tensor<4x96x64xf32, #moe.block<q4_0>> = #moe.source<"gate_exps.weight", experts = 4>
  moe.weight @up : tensor<4x96x64xf32, #moe.block<q4_0>> = #moe.source<"up.{e}.weight", experts = 4>
  moe.weight @gate_up : !gates = #moe.concat<@gate, @up>
  moe.weight @down : !downs = #moe.source<"down_exps.weight", experts = 4>

  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids, %keys: !state,
                     %values: !state) -> (tensor<?x100xf32>, !state, !state) {
    %table = moe.read @embedding : tensor<100x64xbf16>
    %x = moe.embed %tokens, %table : !ids, tensor<100x64xbf16> -> !rows
    %wr = moe.read @router : tensor<4x64xf32>
    %scores = moe.linear %x, %wr : !rows, tensor<4x64xf32> -> tensor<?x4xf32>
    %e, %w = moe.route softmax %scores : tensor<?x4xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
    %h = moe.quantize_rows %x : !rows -> !int8
    %wgu = moe.read @gate_up : !gates
    %wd = moe.read @down : !downs
    %y = moe.experts silu %h to %e weighted %w gated up %wgu down %wd {hidden = #moe.block<int8>}
      : !int8, tensor<?x2xi32>, tensor<?x2xf32>, !gates, !downs -> !rows
    %x1 = arith.addf %x, %y : !rows
    %last = moe.select_rows %x1, %wanted : !rows, !ids -> !rows
    %logits = moe.linear %last, %table : !rows, tensor<100x64xbf16> -> tensor<?x100xf32>
    return %logits, %keys, %values : tensor<?x100xf32>, !state, !state
  }
}

// One token: every thread routes for itself, the chosen experts are read off the ids, and the
// weighted sum goes into the stream. Experts start at pages: 16 rows of a panel take 576 bytes for
// 64 columns of Q4_0, twelve panels 6912 and two pages.
//
// ONE-LABEL: func.func @forward.one(
// ONE: %[[X:.*]] = tile.alloc shared : memref<1x64xf32>
// ONE: %[[IDS:.*]] = tile.alloc private : memref<1x2xi32>
// ONE: %[[W:.*]] = tile.alloc private : memref<1x2xf32>
// ONE: tile.route whole softmax {{.*}} -> %[[IDS]], %[[W]]
// ONE-NOT: tile.dispatch
// ONE: %[[CHOSEN:.*]] = memref.collapse_shape %[[IDS]]
// ONE: %[[HIDDEN:.*]] = memref.collapse_shape
// ONE: tile.weight "gate_up" {{.*}} : memref<32768xi8>
// ONE: tile.grouped_contract panels "vpmaddubsw" q4_0 {{.*}} of %[[CHOSEN]] -> gate_silu %[[HIDDEN]] {choices = 2 : i64, expert_bytes = 8192 : i64, k = 64 : i64,
// ONE-SAME: sharing = #tile.sharing<equal = 4, panels = 1, single = 8, streams = 1, ahead = 6144>, width = 96 : i64}
// ONE: tile.quantize rows %[[HIDDEN]]
// ONE: tile.combine_contract panels "vpsignb+vpmaddubsw" q8_0 {{.*}} of %[[CHOSEN]] by %[[W]] -> accumulate %[[X]]
// ONE-NOT: tile.add

// Many: assignments are sorted by expert; offsets are data, no shape depends on them.
//
// MANY-LABEL: func.func @forward.many(
// MANY: %[[X:.*]] = tile.alloc shared(%{{.*}}) : memref<?x64xf32>
// MANY: tile.route rows softmax {{.*}} -> %[[IDS:.*]], %[[W:[a-z0-9_]+]] :
// MANY: %[[OFFSETS:.*]] = tile.alloc shared : memref<1x5xi32>
// MANY: tile.dispatch first %[[IDS]] -> %[[ORDER:.*]], %[[OFFSETS]]
// MANY: tile.grouped_contract {{.*}} of %[[ORDER]], %[[OFFSETS]] -> gate_silu
// MANY: %[[PARTIAL:.*]] = tile.alloc private(%{{.*}}) : memref<?x2x128xf32>
// MANY: tile.combine_contract {{.*}} of %[[ORDER]], %[[OFFSETS]] by %[[W]] partial %[[PARTIAL]] -> accumulate %[[X]]

// With AVX-512 they lie by fours. Experts for which panels are unpacked (33 rows) begin
// at whole fours, as those with three less do, since what fills a four up counts as theirs: of 33
// places 3 at most are such, so two choices of a token need room for three. Kernels of rows take as
// many as there are, which the last offset says.
//
// VNNI-LABEL: func.func @forward.many(
// VNNI: %[[X:.*]] = tile.alloc shared(%{{.*}}) : memref<?x64xf32>
// VNNI: tile.route rows softmax {{.*}} -> %[[IDS:.*]], %[[W:[a-z0-9_]+]] :
// VNNI: tile.quantize rows %[[X]] -> %[[XV:.*]], %[[XS:.*]], %[[XN:[a-z0-9_]+]] {fours = 0 : i64}
// VNNI: tile.alloc shared(%{{.*}}) : memref<?x3xi32>
// VNNI: %[[OFFSETS:.*]] = tile.alloc shared : memref<1x5xi32>
// VNNI: tile.dispatch first %[[IDS]] -> %[[ORDER:.*]], %[[OFFSETS]] {fours = 29 : i64}
// VNNI: %[[END:.*]] = memref.load %[[OFFSETS]][%c0, %c4]
// VNNI: %[[PLACES:.*]] = arith.index_cast %[[END]]
// VNNI: %[[OF:.*]] = memref.subview %[[ORDER]][0] [%[[PLACES]]] [1]
// VNNI: tile.gather_rows rows %[[XV]], %[[XS]], %[[XN]] of %[[OF]] -> %[[GV:.*]], %[[GS:.*]], %[[GN:[a-z0-9_]+]] {choices = 2 : i64, fours = 0 : i64}
// VNNI: tile.grouped_contract {{.*}} %[[GV]], %[[GS]], %[[GN]] weight {{.*}} of %[[ORDER]], %[[OFFSETS]] -> gate_silu %[[HIDDEN:[a-z0-9_]+]] {{.*}}, fours,
// VNNI: %[[ROWS:.*]] = memref.subview %[[HIDDEN]][0, 0] [%[[PLACES]], 96]
// VNNI: tile.quantize rows %[[ROWS]] -> %[[HV:.*]], %[[HS:.*]], %[[HN:[a-z0-9_]+]] {fours = 0 : i64}
// VNNI: tile.combine_contract {{.*}} %[[HV]], %[[HS]], %[[HN]] weight {{.*}} of %[[ORDER]], %[[OFFSETS]] by %[[W]] partial %{{.*}} -> accumulate %[[X]] {{.*}}, fours,

// A barrier stands where data crosses threads, and nowhere else: in front of routing (the scores were
// computed by panels), of sorting, and of each product.
//
// TEAM: func.func @forward.many(
// TEAM: tile.embed
// TEAM: tile.barrier
// TEAM: tile.contract
// TEAM: tile.barrier
// TEAM: tile.route
// TEAM-NOT: tile.barrier
// TEAM: tile.quantize
// TEAM: tile.barrier
// TEAM: tile.dispatch
// TEAM: tile.barrier
// TEAM: tile.grouped_contract
// TEAM: tile.barrier
// TEAM: tile.quantize
// TEAM: tile.barrier
// TEAM: tile.combine_contract
// TEAM: tile.barrier
// TEAM: tile.select_rows

// Also in front of the look at what sorting found, and behind the rows that were gathered.
//
// TURN: func.func @forward.many(
// TURN: tile.dispatch
// TURN-NEXT: arith.constant
// TURN-NEXT: arith.constant
// TURN-NEXT: tile.barrier
// TURN-NEXT: memref.load
// TURN-NOT: tile.barrier
// TURN: tile.gather_rows
// TURN: tile.barrier
// TURN: tile.grouped_contract
