// RUN: moire-opt %s --verify-roundtrip | FileCheck %s

// CHECK: moe.weight @table : tensor<32x256xf32, #moe.block<iq2_xxs>>
moe.weight @table : tensor<32x256xf32, #moe.block<iq2_xxs>> = #moe.source<"token_embd.weight">

// CHECK: moe.weight @q : tensor<2x64x32xf32, #moe.block<q4_1>>
// CHECK-SAME: = #moe.source<"blk.{i}.attn_q.weight", layers = [0, 1], interleaved_heads = 4>
moe.weight @q : tensor<2x64x32xf32, #moe.block<q4_1>>
  = #moe.source<"blk.{i}.attn_q.weight", layers = [0, 1], interleaved_heads = 4>
// CHECK: moe.weight @k : tensor<2x32x32xf32, #moe.block<q4_1>> = #moe.source<"blk.{i}.attn_k.weight", layers = [0, 1]>
moe.weight @k : tensor<2x32x32xf32, #moe.block<q4_1>>
  = #moe.source<"blk.{i}.attn_k.weight", layers = [0, 1]>
// CHECK: moe.weight @qk : tensor<2x96x32xf32, #moe.block<q4_1>> = #moe.concat<@q, @k>
moe.weight @qk : tensor<2x96x32xf32, #moe.block<q4_1>> = #moe.concat<@q, @k>
// CHECK: moe.weight @embedding : tensor<300x96xbf16> = #moe.source<"token_embd.weight">
moe.weight @embedding : tensor<300x96xbf16> = #moe.source<"token_embd.weight">

// CHECK: moe.weight @one_layer : tensor<64x32xf16> = #moe.source<"blk.0.attn_q.weight", interleaved_heads = 4>
moe.weight @one_layer : tensor<64x32xf16>
  = #moe.source<"blk.0.attn_q.weight", interleaved_heads = 4>

// CHECK: moe.weight @gate_exps : tensor<2x16x32x64xbf16> = #moe.source<"layers.{i}.experts.{e}.gate", layers = [2, 3], experts = 16>
moe.weight @gate_exps : tensor<2x16x32x64xbf16>
  = #moe.source<"layers.{i}.experts.{e}.gate", layers = [2, 3], experts = 16>
// CHECK: moe.weight @up_exps : tensor<2x16x32x64xbf16> = #moe.source<"blk.{i}.gate_up_exps", layers = [2, 3], experts = 16, first_row = 32>
moe.weight @up_exps : tensor<2x16x32x64xbf16>
  = #moe.source<"blk.{i}.gate_up_exps", first_row = 32, experts = 16, layers = [2, 3]>
// CHECK: moe.weight @gate_up_exps : tensor<2x16x64x64xbf16> = #moe.concat<@gate_exps, @up_exps>
moe.weight @gate_up_exps : tensor<2x16x64x64xbf16> = #moe.concat<@gate_exps, @up_exps>
// CHECK: moe.weight @one_layer_exps : tensor<16x32x64xf16> = #moe.source<"experts.{e}", experts = 16>
moe.weight @one_layer_exps : tensor<16x32x64xf16> = #moe.source<"experts.{e}", experts = 16>
// CHECK: moe.weight @last_rows : tensor<32x64xf16> = #moe.source<"packed", first_row = 128>
moe.weight @last_rows : tensor<32x64xf16> = #moe.source<"packed", first_row = 128>

// CHECK-LABEL: @read
// CHECK: moe.read @qk[%{{.*}}] : tensor<96x32xf32, #moe.block<q4_1>>
// CHECK: moe.read @qk : tensor<2x96x32xf32, #moe.block<q4_1>>
// CHECK: moe.read @embedding : tensor<300x96xbf16>
// CHECK: moe.read @gate_up_exps[%{{.*}}] : tensor<16x64x64xbf16>
func.func @read(%layer: index) {
  %0 = moe.read @qk[%layer] : tensor<96x32xf32, #moe.block<q4_1>>
  %1 = moe.read @qk : tensor<2x96x32xf32, #moe.block<q4_1>>
  %2 = moe.read @embedding : tensor<300x96xbf16>
  %3 = moe.read @gate_up_exps[%layer] : tensor<16x64x64xbf16>
  return
}

// CHECK-LABEL: @tap
// CHECK: moe.tap %{{.*}}[%{{.*}}] : tensor<?x576xf32>
func.func @tap(%x: tensor<?x576xf32>, %layer: index) {
  moe.tap %x[%layer] : tensor<?x576xf32>
  return
}

// CHECK-LABEL: @tap_route
// CHECK: moe.tap_route %{{.*}}, %{{.*}}[%{{.*}}] : tensor<?x4xi32>, tensor<?x4xf32>
func.func @tap_route(%ids: tensor<?x4xi32>, %weights: tensor<?x4xf32>, %layer: index) {
  moe.tap_route %ids, %weights[%layer] : tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// CHECK-LABEL: @embed
// CHECK: moe.embed %{{.*}}, %{{.*}} : tensor<?xi32>, tensor<300x96xbf16> -> tensor<?x96xf32>
func.func @embed(%tokens: tensor<?xi32>, %table: tensor<300x96xbf16>) -> tensor<?x96xf32> {
  %x = moe.embed %tokens, %table : tensor<?xi32>, tensor<300x96xbf16> -> tensor<?x96xf32>
  return %x : tensor<?x96xf32>
}

// CHECK-LABEL: @select_rows
// CHECK: moe.select_rows %{{.*}}, %{{.*}} : tensor<?x96xf32>, tensor<?xi32> -> tensor<?x96xf32>
func.func @select_rows(%x: tensor<?x96xf32>, %rows: tensor<?xi32>) -> tensor<?x96xf32> {
  %last = moe.select_rows %x, %rows : tensor<?x96xf32>, tensor<?xi32> -> tensor<?x96xf32>
  return %last : tensor<?x96xf32>
}

// CHECK-LABEL: @rms_norm
// CHECK: moe.rms_norm %{{.*}}, %{{.*}} eps 1.000000e-05 : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32>
// CHECK: moe.rms_norm {{.*}} -> tensor<?x96xf32, #moe.block<int8>>
// CHECK: moe.rms_norm {{.*}} : tensor<?x96xf32>, tensor<16xf32> -> tensor<?x96xf32>
func.func @rms_norm(%x: tensor<?x96xf32>, %gain: tensor<96xf32>, %head: tensor<16xf32>) {
  %0 = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32>
  %1 = moe.rms_norm %x, %gain eps 1.0e-5
    : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32, #moe.block<int8>>
  %2 = moe.rms_norm %x, %head eps 1.0e-5 : tensor<?x96xf32>, tensor<16xf32> -> tensor<?x96xf32>
  return
}

// CHECK-LABEL: @scale
// CHECK: moe.scale %{{.*}} by 6.000000e-01 : tensor<?x96xf32>
func.func @scale(%x: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %y = moe.scale %x by 6.0e-1 : tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}

// CHECK-LABEL: @quantize_rows
// CHECK: moe.quantize_rows %{{.*}} : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8>>
// CHECK: moe.quantize_rows %{{.*}} : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8, 128>>
func.func @quantize_rows(%x: tensor<?x96xf32>) {
  %q = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8>>
  %wide = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8, 128>>
  // CHECK: moe.quantize_rows %{{.*}} : tensor<?x96xf32> -> tensor<?x96xf32, #moe.rows<bf16>>
  %r = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.rows<bf16>>
  return
}

// CHECK-LABEL: @rope
// CHECK: moe.rope %{{.*}} at %{{.*}} {base = 1.000000e+04 : f64, head_dim = 16 : i64, rotary_dims = 8 : i64}
// CHECK: scaling = #moe.linear_scaling<4.000000e+00 : f64>
// CHECK: scaling = #moe.llama3_scaling<factor = 8.000000e+00 : f64, low_factor = 1.000000e+00 : f64, high_factor = 4.000000e+00 : f64, original_context = 8192>
func.func @rope(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  %0 = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 8 : i64}
    : tensor<?x96xf32>, tensor<?xi32>
  %1 = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64,
                                  scaling = #moe.linear_scaling<4.0 : f64>}
    : tensor<?x96xf32>, tensor<?xi32>
  %2 = moe.rope %x at %positions {base = 5.0e5 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64,
      scaling = #moe.llama3_scaling<factor = 8.0 : f64, low_factor = 1.0 : f64,
                                    high_factor = 4.0 : f64, original_context = 8192>}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// CHECK-LABEL: @linear
// CHECK: moe.linear %{{.*}}, %{{.*}} : tensor<?x96xf32>, tensor<32x96xbf16> -> tensor<?x32xf32>
// CHECK: moe.linear %{{.*}}, %{{.*}} + %{{.*}} : tensor<?x96xf32>, tensor<32x96xbf16>, tensor<32xf32> -> tensor<?x32xf32>
// CHECK: moe.linear %{{.*}}, %{{.*}} : tensor<?x96xf32, #moe.block<int8>>, tensor<32x96xf32, #moe.block<q8_0>> -> tensor<?x32xf32>
func.func @linear(%x: tensor<?x96xf32>, %w: tensor<32x96xbf16>, %b: tensor<32xf32>,
                  %xq: tensor<?x96xf32, #moe.block<int8>>,
                  %wq: tensor<32x96xf32, #moe.block<q8_0>>) {
  %0 = moe.linear %x, %w : tensor<?x96xf32>, tensor<32x96xbf16> -> tensor<?x32xf32>
  %1 = moe.linear %x, %w + %b
    : tensor<?x96xf32>, tensor<32x96xbf16>, tensor<32xf32> -> tensor<?x32xf32>
  %2 = moe.linear %xq, %wq : tensor<?x96xf32, #moe.block<int8>>,
    tensor<32x96xf32, #moe.block<q8_0>> -> tensor<?x32xf32>
  return
}

// CHECK-LABEL: @gate(
// CHECK: moe.gate silu %{{.*}}, %{{.*}} : tensor<?x100xf32>{{$}}
// CHECK: moe.gate sigmoid %{{.*}}, %{{.*}} : tensor<?x1xf32>, tensor<?x100xf32>
func.func @gate(%g: tensor<?x100xf32>, %u: tensor<?x100xf32>, %s: tensor<?x1xf32>) {
  %0 = moe.gate silu %g, %u : tensor<?x100xf32>
  %1 = moe.gate sigmoid %s, %u : tensor<?x1xf32>, tensor<?x100xf32>
  return
}

// CHECK-LABEL: @gated_linear
// CHECK: moe.gated_linear silu %{{.*}}, %{{.*}} : tensor<?x96xf32>, tensor<200x96xbf16> -> tensor<?x100xf32>
func.func @gated_linear(%x: tensor<?x96xf32>, %w: tensor<200x96xbf16>) -> tensor<?x100xf32> {
  %y = moe.gated_linear silu %x, %w : tensor<?x96xf32>, tensor<200x96xbf16> -> tensor<?x100xf32>
  return %y : tensor<?x100xf32>
}

// CHECK-LABEL: @route
// CHECK: moe.route softmax %{{.*}} : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
// CHECK: moe.route softmax %{{.*}} {normalize = 0.000000e+00 : f64} :
// CHECK: moe.route softmax_chosen %{{.*}} {scaling = 2.500000e+00 : f64} :
// CHECK: moe.route sigmoid %{{.*}} bias %{{.*}} {group_limit = 2 : i64, group_score = #moe.group_score<top2_sum>, groups = 4 : i64, normalize = 1.250000e-01 : f64}
// CHECK-SAME: : tensor<?x16xf32>, tensor<16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
func.func @route(%logits: tensor<?x16xf32>, %b: tensor<16xf32>) {
  %0:2 = moe.route softmax %logits : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  %1:2 = moe.route softmax %logits {normalize = 0.0 : f64, scaling = 1.0 : f64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  %2:2 = moe.route softmax_chosen %logits {scaling = 2.5 : f64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  %3:2 = moe.route sigmoid %logits bias %b
    {groups = 4 : i64, group_limit = 2 : i64, group_score = #moe.group_score<top2_sum>,
     normalize = 0.125 : f64}
    : tensor<?x16xf32>, tensor<16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// CHECK-LABEL: @experts
// CHECK: moe.experts silu %{{.*}} to %{{.*}} weighted %{{.*}} gate %{{.*}} up %{{.*}} down %{{.*}} : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>, tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
// CHECK: moe.experts silu %{{.*}} to %{{.*}} weighted %{{.*}} up %{{.*}} down %{{.*}} : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
// CHECK: moe.experts silu %{{.*}} to %{{.*}} weighted %{{.*}} gated up %{{.*}} down %{{.*}} {hidden = #moe.block<int8>} : tensor<?x64xf32, #moe.block<int8>>,
func.func @experts(%x: tensor<?x64xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
                   %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
                   %d: tensor<16x64x32xbf16>, %x8: tensor<?x64xf32, #moe.block<int8>>,
                   %gu8: tensor<16x64x64xf32, #moe.block<q4_0>>,
                   %d8: tensor<16x64x32xf32, #moe.block<q8_0>>) {
  %0 = moe.experts silu %x to %ids weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  %1 = moe.experts silu %x to %ids weighted %w up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x64x32xbf16> -> tensor<?x64xf32>
  %2 = moe.experts silu %x8 to %ids weighted %w gated up %gu8 down %d8 {hidden = #moe.block<int8>}
    : tensor<?x64xf32, #moe.block<int8>>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<16x64x64xf32, #moe.block<q4_0>>, tensor<16x64x32xf32, #moe.block<q8_0>>
      -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: @kv_append
// CHECK: moe.kv_append %{{.*}} into %{{.*}}[%{{.*}}] at %{{.*}}, %{{.*}} : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
func.func @kv_append(%k: tensor<?x32xf32>, %state: tensor<3x?x?x2x16xf16>, %layer: index,
                     %slots: tensor<?xi32>, %positions: tensor<?xi32>)
    -> tensor<3x?x?x2x16xf16> {
  %k1 = moe.kv_append %k into %state[%layer] at %slots, %positions
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  return %k1 : tensor<3x?x?x2x16xf16>
}

// CHECK-LABEL: @kv_formats
// CHECK: moe.kv_append {{.*}} : tensor<?x32xf32>, tensor<3x?x?x2x16xbf16>, tensor<?xi32>, tensor<?xi32>
// CHECK: moe.kv_append {{.*}} : tensor<?x32xf32>, tensor<3x?x?x2x16xf32, #moe.int8_rows>, tensor<?xi32>, tensor<?xi32>
func.func @kv_formats(%k: tensor<?x32xf32>, %half: tensor<3x?x?x2x16xbf16>,
                      %int8: tensor<3x?x?x2x16xf32, #moe.int8_rows>, %layer: index,
                      %ids: tensor<?xi32>) {
  %0 = moe.kv_append %k into %half[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xbf16>, tensor<?xi32>, tensor<?xi32>
  %1 = moe.kv_append %k into %int8[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf32, #moe.int8_rows>, tensor<?xi32>, tensor<?xi32>
  return
}

// A state may be read before the next append.
// CHECK-LABEL: @two_layers
func.func @two_layers(%x: tensor<?x32xf32>, %state: tensor<3x?x?x2x16xf16>, %layer: index,
                      %ids: tensor<?xi32>) -> tensor<3x?x?x2x16xf16> {
  %k1 = moe.kv_append %x into %state[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  %y = moe.attention %x, %k1, %k1[%layer] at %ids, %ids {scale = 2.5e-1 : f64}
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  %k2 = moe.kv_append %y into %k1[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  return %k2 : tensor<3x?x?x2x16xf16>
}

// CHECK-LABEL: @attention
// CHECK: moe.attention %{{.*}}, %{{.*}}, %{{.*}}[%{{.*}}] at %{{.*}}, %{{.*}} {scale = 2.500000e-01 : f64} : tensor<?x96xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
// CHECK: moe.attention {{.*}} {scale = 2.500000e-01 : f64, window = 8 : i64}
func.func @attention(%q: tensor<?x96xf32>, %k: tensor<3x?x?x2x16xf16>,
                     %v: tensor<3x?x?x2x16xf16>, %layer: index, %slots: tensor<?xi32>,
                     %positions: tensor<?xi32>) {
  %0 = moe.attention %q, %k, %v[%layer] at %slots, %positions {scale = 2.5e-1 : f64}
    : tensor<?x96xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  %1 = moe.attention %q, %k, %v[%layer] at %slots, %positions
    {scale = 2.5e-1 : f64, window = 8 : i64}
    : tensor<?x96xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  return
}

