// A model of two layers as the optimize phase leaves it: Q4_0 weights, int8 activations, heads of 16.
!rows = tensor<?x64xf32>
!int8 = tensor<?x64xf32, #moe.block<int8>>
!ids = tensor<?xi32>
!state = tensor<2x?x?x2x16xf16>
module attributes {moe.context = 512 : i64} {
  moe.weight @embedding : tensor<100x64xf32, #moe.block<q4_0>> = #moe.source<"token_embd.weight">
  moe.weight @final_norm : tensor<64xf32> = #moe.source<"output_norm.weight">
  moe.weight @norm : tensor<2x64xf32> = #moe.source<"blk.{i}.attn_norm.weight", layers = [0, 1]>
  moe.weight @q : tensor<2x64x64xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.attn_q.weight", layers = [0, 1], interleaved_heads = 4>
  moe.weight @k : tensor<2x32x64xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.attn_k.weight", layers = [0, 1], interleaved_heads = 2>
  moe.weight @v : tensor<2x32x64xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.attn_v.weight", layers = [0, 1]>
  moe.weight @qkv : tensor<2x128x64xf32, #moe.block<q4_0>> = #moe.concat<@q, @k, @v>
  moe.weight @o : tensor<2x64x64xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.attn_output.weight", layers = [0, 1]>
  moe.weight @ffn_norm : tensor<2x64xf32> = #moe.source<"blk.{i}.ffn_norm.weight", layers = [0, 1]>
  moe.weight @gate : tensor<2x96x64xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.ffn_gate.weight", layers = [0, 1]>
  moe.weight @up : tensor<2x96x64xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.ffn_up.weight", layers = [0, 1]>
  moe.weight @gate_up : tensor<2x192x64xf32, #moe.block<q4_0>> = #moe.concat<@gate, @up>
  moe.weight @down : tensor<2x64x96xf32, #moe.block<q4_0>> = #moe.source<"blk.{i}.ffn_down.weight", layers = [0, 1]>

  func.func private @layer(%layer: index, %slice: index, %x: !rows, %slots: !ids, %positions: !ids,
                           %keys: !state, %values: !state) -> (!rows, !state, !state) {
    %c0 = arith.constant 0 : index
    %n = tensor.dim %x, %c0 : !rows
    %gain = moe.read @norm[%slice] : tensor<64xf32>
    %h = moe.rms_norm %x, %gain eps 1.0e-5 : !rows, tensor<64xf32> -> !int8
    %wqkv = moe.read @qkv[%slice] : tensor<128x64xf32, #moe.block<q4_0>>
    %all = moe.linear %h, %wqkv
      : !int8, tensor<128x64xf32, #moe.block<q4_0>> -> tensor<?x128xf32>
    %q = tensor.extract_slice %all[0, 0] [%n, 64] [1, 1] : tensor<?x128xf32> to !rows
    %k = tensor.extract_slice %all[0, 64] [%n, 32] [1, 1] : tensor<?x128xf32> to tensor<?x32xf32>
    %v = tensor.extract_slice %all[0, 96] [%n, 32] [1, 1] : tensor<?x128xf32> to tensor<?x32xf32>
    %qr = moe.rope %q at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}
      : !rows, !ids
    %kr = moe.rope %k at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}
      : tensor<?x32xf32>, !ids
    %keys1 = moe.kv_append %kr into %keys[%layer] at %slots, %positions
      : tensor<?x32xf32>, !state, !ids, !ids
    %values1 = moe.kv_append %v into %values[%layer] at %slots, %positions
      : tensor<?x32xf32>, !state, !ids, !ids
    %a = moe.attention %qr, %keys1, %values1[%layer] at %slots, %positions {scale = 0.25 : f64}
      : !rows, !state, !ids, !ids
    %ai = moe.quantize_rows %a : !rows -> !int8
    %wo = moe.read @o[%slice] : tensor<64x64xf32, #moe.block<q4_0>>
    %oa = moe.linear %ai, %wo : !int8, tensor<64x64xf32, #moe.block<q4_0>> -> !rows
    %x1 = arith.addf %x, %oa : !rows
    %ffn_gain = moe.read @ffn_norm[%slice] : tensor<64xf32>
    %h1 = moe.rms_norm %x1, %ffn_gain eps 1.0e-5 : !rows, tensor<64xf32> -> !int8
    %wgu = moe.read @gate_up[%slice] : tensor<192x64xf32, #moe.block<q4_0>>
    %g = moe.gated_linear silu %h1, %wgu
      : !int8, tensor<192x64xf32, #moe.block<q4_0>> -> tensor<?x96xf32>
    %gi = moe.quantize_rows %g : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8>>
    %wdown = moe.read @down[%slice] : tensor<64x96xf32, #moe.block<q4_0>>
    %d = moe.linear %gi, %wdown
      : tensor<?x96xf32, #moe.block<int8>>, tensor<64x96xf32, #moe.block<q4_0>> -> !rows
    %x2 = arith.addf %x1, %d : !rows
    return %x2, %keys1, %values1 : !rows, !state, !state
  }

  func.func @forward(%tokens: !ids, %slots: !ids, %positions: !ids, %wanted: !ids, %keys: !state,
                     %values: !state) -> (tensor<?x100xf32>, !state, !state) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %table = moe.read @embedding : tensor<100x64xf32, #moe.block<q4_0>>
    %x = moe.embed %tokens, %table : !ids, tensor<100x64xf32, #moe.block<q4_0>> -> !rows
    %r:3 = scf.for %i = %c0 to %c2 step %c1 iter_args(%y = %x, %ks = %keys, %vs = %values)
        -> (!rows, !state, !state) {
      %s:3 = func.call @layer(%i, %i, %y, %slots, %positions, %ks, %vs)
        : (index, index, !rows, !ids, !ids, !state, !state) -> (!rows, !state, !state)
      scf.yield %s#0, %s#1, %s#2 : !rows, !state, !state
    }
    %last = moe.select_rows %r#0, %wanted : !rows, !ids -> !rows
    %gain = moe.read @final_norm : tensor<64xf32>
    %h = moe.rms_norm %last, %gain eps 1.0e-5 : !rows, tensor<64xf32> -> !int8
    %logits = moe.linear %h, %table
      : !int8, tensor<100x64xf32, #moe.block<q4_0>> -> tensor<?x100xf32>
    return %logits, %r#1, %r#2 : tensor<?x100xf32>, !state, !state
  }
}
