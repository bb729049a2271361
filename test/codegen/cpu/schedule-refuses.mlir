// What has no schedule for CPUs.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics --tile-specialize --tile-schedule

!rows = tensor<?x64xf32>
!ids = tensor<?xi32>
!state = tensor<1x?x?x1x16xf16>
module attributes {moe.context = 512 : i64} {
  moe.weight @gate_up : tensor<64x64xbf16> = #moe.source<"gate_up.weight">
  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids, %keys: !state,
                     %values: !state) -> (!rows, !state, !state) {
    %w = moe.read @gate_up : tensor<64x64xbf16>
    %x = moe.embed %tokens, %w : !ids, tensor<64x64xbf16> -> !rows
    // expected-error @below {{the weight @gate_up is read both as gate and up together and as plain rows}}
    %y = moe.gated_linear silu %x, %w : !rows, tensor<64x64xbf16> -> tensor<?x32xf32>
    %z = moe.linear %x, %w : !rows, tensor<64x64xbf16> -> !rows
    return %z, %keys, %values : !rows, !state, !state
  }
}

// -----

!rows = tensor<?x64xf32>
!ids = tensor<?xi32>
!state = tensor<1x?x?x1x16xf16>
!up = tensor<4x32x64xbf16>
!down = tensor<4x64x32xbf16>
module attributes {moe.context = 512 : i64} {
  moe.weight @embedding : tensor<100x64xbf16> = #moe.source<"embed.weight">
  moe.weight @router : tensor<8x64xf32> = #moe.source<"router.weight">
  moe.weight @up : !up = #moe.source<"up.weight", experts = 4>
  moe.weight @down : !down = #moe.source<"down.weight", experts = 4>
  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids, %keys: !state,
                     %values: !state) -> (!rows, !state, !state) {
    %table = moe.read @embedding : tensor<100x64xbf16>
    %x = moe.embed %tokens, %table : !ids, tensor<100x64xbf16> -> !rows
    %wr = moe.read @router : tensor<8x64xf32>
    %scores = moe.linear %x, %wr : !rows, tensor<8x64xf32> -> tensor<?x8xf32>
    %e, %w = moe.route softmax %scores : tensor<?x8xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
    %wu = moe.read @up : !up
    %wd = moe.read @down : !down
    // expected-error @below {{expected ids of a moe.route over 4 experts}}
    %y = moe.experts silu %x to %e weighted %w up %wu down %wd
      : !rows, tensor<?x2xi32>, tensor<?x2xf32>, !up, !down -> !rows
    return %y, %keys, %values : !rows, !state, !state
  }
}
