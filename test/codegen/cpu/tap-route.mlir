// The choice of experts goes to the host, in columns for the layer with the most experts a token.
//
// RUN: moire-opt %s --tile-specialize --tile-schedule > %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: moire-opt %t.mlir --tile-plan-buffers --tile-insert-barriers \
// RUN:   | FileCheck %s --check-prefix=TEAM

// CHECK-LABEL: func.func @forward.one(
// CHECK: tile.route whole softmax {{.*}} -> %[[IDS:.*]], %[[W:.*]] : {{.*}} -> memref<1x2xi32>, memref<1x2xf32>
// CHECK: %[[ALL:.*]] = tile.input route_ids : memref<?x1x4xi32>
// CHECK: %[[WEIGHTS:.*]] = tile.input route_weights : memref<?x1x4xf32>
// CHECK: tile.tap_route rows %[[IDS]], %[[W]] -> %[[ALL]], %[[WEIGHTS]][%c0{{.*}}]
// CHECK: tile.tap_route rows {{.*}}[%c1{{.*}}] : memref<1x4xi32>, memref<1x4xf32> -> memref<?x1x4xi32>, memref<?x1x4xf32>

// CHECK-LABEL: func.func @forward.many(
// CHECK: tile.route rows softmax {{.*}} -> %[[IDS:.*]], %[[W:.*]] : {{.*}} -> memref<?x2xi32>, memref<?x2xf32>
// CHECK: tile.tap_route rows %[[IDS]], %[[W]] -> {{.*}} : memref<?x2xi32>, memref<?x2xf32> -> memref<?x?x4xi32>, memref<?x?x4xf32>

// What a thread has chosen for its rows, it hands out itself.
// TEAM-LABEL: func.func @forward.many(
// TEAM: tile.route rows
// TEAM-NOT: tile.barrier
// TEAM: tile.tap_route rows
!state = tensor<2x?x?x2x16xf16>
module attributes {moe.context = 512 : i64} {
  moe.weight @embedding : tensor<100x64xf32> = #moe.source<"token_embd.weight">
  moe.weight @router : tensor<8x64xf32> = #moe.source<"ffn_gate_inp.weight">
  func.func @forward(%tokens: tensor<?xi32>, %slots: tensor<?xi32>, %positions: tensor<?xi32>,
                     %rows: tensor<?xi32>, %keys: !state, %values: !state)
      -> (tensor<?x100xf32>, !state, !state) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %e = moe.read @embedding : tensor<100x64xf32>
    %x = moe.embed %tokens, %e : tensor<?xi32>, tensor<100x64xf32> -> tensor<?x64xf32>
    %w = moe.read @router : tensor<8x64xf32>
    %l = moe.linear %x, %w : tensor<?x64xf32>, tensor<8x64xf32> -> tensor<?x8xf32>
    %ids, %weights = moe.route softmax %l : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
    moe.tap_route %ids, %weights[%c0] : tensor<?x2xi32>, tensor<?x2xf32>
    %ids1, %weights1 = moe.route softmax %l : tensor<?x8xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
    moe.tap_route %ids1, %weights1[%c1] : tensor<?x4xi32>, tensor<?x4xf32>
    %asked = moe.select_rows %x, %rows : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
    %logits = moe.linear %asked, %e
      : tensor<?x64xf32>, tensor<100x64xf32> -> tensor<?x100xf32>
    return %logits, %keys, %values : tensor<?x100xf32>, !state, !state
  }
}
