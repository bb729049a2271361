// RUN: moire-opt %s --split-input-file --verify-diagnostics

// weight_c1
// expected-error @below {{expected a #moe.source or a #moe.concat as recipe, found "w"}}
moe.weight @weight_c1 : tensor<4x4xf32> = "w"

// -----

// expected-error @below {{expected the first dimension of the type to count the 2 layers of the source, found 'tensor<3x4xf32>'}}
moe.weight @weight_c2_count : tensor<3x4xf32> = #moe.source<"w.{i}", layers = [0, 1]>

// -----

// expected-error @below {{expected {i} in the name of a source with layers, found "w"}}
moe.weight @weight_c2_name : tensor<2x4xf32> = #moe.source<"w", layers = [0, 1]>

// -----

// expected-error @below {{expected the part @missing to be a moe.weight}}
moe.weight @weight_c3_missing : tensor<4x4xf32> = #moe.concat<@missing>

// -----

moe.weight @part : tensor<4x4xbf16> = #moe.source<"part">
// expected-error @below {{expected the part @part to be 'tensor<4x4xf32>', found 'tensor<4x4xbf16>'}}
moe.weight @weight_c3_type : tensor<4x4xf32> = #moe.concat<@part>

// -----

moe.weight @part : tensor<4x8xf32> = #moe.source<"part">
// expected-error @below {{expected the part @part to be 'tensor<4x4xf32>', found 'tensor<4x8xf32>'}}
moe.weight @weight_c3_k : tensor<4x4xf32> = #moe.concat<@part>

// -----

moe.weight @a : tensor<2x4x4xf32> = #moe.source<"a.{i}", layers = [0, 1]>
moe.weight @b : tensor<2x4x4xf32> = #moe.source<"b">
// expected-error @below {{expected every part to be a stack of 2, found @b to be one of 0}}
moe.weight @weight_c3_stack : tensor<2x8x4xf32> = #moe.concat<@a, @b>

// -----

moe.weight @a : tensor<2x4x4xf32> = #moe.source<"a.{e}", experts = 2>
moe.weight @b : tensor<2x4x4xf32> = #moe.source<"b">
// expected-error @below {{expected every part to have 2 experts, found @b to have 0}}
moe.weight @weight_c3_experts : tensor<2x8x4xf32> = #moe.concat<@a, @b>

// -----

moe.weight @a : tensor<2x3x4xf32> = #moe.source<"a.{e}", experts = 2>
moe.weight @b : tensor<2x4x4xf32> = #moe.source<"b", experts = 2>
// expected-error @below {{expected parts with 8 rows together, found 7}}
moe.weight @weight_c3_expert_rows : tensor<2x8x4xf32> = #moe.concat<@a, @b>

// -----

moe.weight @a : tensor<3x4xf32> = #moe.source<"a">
moe.weight @b : tensor<4x4xf32> = #moe.source<"b">
// expected-error @below {{expected parts with 8 rows together, found 7}}
moe.weight @weight_c3_rows : tensor<8x4xf32> = #moe.concat<@a, @b>

// -----

// expected-error @below {{found @weight_c3_cycle to be a part of itself}}
moe.weight @weight_c3_cycle : tensor<4x4xf32> = #moe.concat<@weight_c3_cycle>

// -----

// expected-error @below {{expected a static shape, found 'tensor<?x4xf32>'}}
moe.weight @weight_c4 : tensor<?x4xf32> = #moe.source<"w">

// -----

// expected-error @below {{expected a block encoding for weights, found #moe.block<int8>}}
moe.weight @weight_c5_activation : tensor<4x32xf32, #moe.block<int8>> = #moe.source<"w">

// -----

// expected-error @below {{expected f32 values in blocks, found 'bf16'}}
moe.weight @weight_c5_element : tensor<4x32xbf16, #moe.block<q8_0>> = #moe.source<"w">

// -----

// expected-error @below {{expected a last dimension divisible by the block of 32, found 'tensor<4x33xf32, #moe.block<q8_0>>'}}
moe.weight @weight_c5_block : tensor<4x33xf32, #moe.block<q8_0>> = #moe.source<"w">

// -----

// expected-error @below {{expected experts not to be negative, found -1}}
moe.weight @weight_c6_negative : tensor<4x4x4xf32> = #moe.source<"w", experts = -1>

// -----

// expected-error @below {{expected dimension 1 of the type to count the 3 experts of the source, and rows and K behind it, found 'tensor<2x4x8x4xf32>'}}
moe.weight @weight_c6_count : tensor<2x4x8x4xf32> = #moe.source<"{i}.w", layers = [0, 1], experts = 3>

// -----

// expected-error @below {{expected dimension 0 of the type to count the 4 experts of the source, and rows and K behind it, found 'tensor<4x8xf32>'}}
moe.weight @weight_c6_rank : tensor<4x8xf32> = #moe.source<"w", experts = 4>

// -----

// expected-error @below {{expected no {e} in the name of a source without experts, found "w.{e}"}}
moe.weight @weight_c6_name : tensor<4x8xf32> = #moe.source<"w.{e}">

// -----

// expected-error @below {{expected first_row not to be negative, found -8}}
moe.weight @weight_c7_negative : tensor<4x8xf32> = #moe.source<"w", first_row = -8>

// -----

// expected-error @below {{expected a weight of matrices, as the source has a first_row, found 'tensor<2x8xf32>'}}
moe.weight @weight_c7_matrices : tensor<2x8xf32> = #moe.source<"{i}.w", layers = [0, 1], first_row = 8>

// -----

// expected-error @below {{expected a last dimension divisible by the block of 256, found 'tensor<4x96xf32, #moe.block<q4_k>>'}}
moe.weight @weight_c5_super : tensor<4x96xf32, #moe.block<q4_k>> = #moe.source<"w">

// -----

// expected-error @below {{there is no format 'q9_z'}}
// expected-error @below {{failed to parse Moe_BlockAttr}}
moe.weight @weight_unknown_format : tensor<4x96xf32, #moe.block<q9_z>> = #moe.source<"w">

// -----

func.func private @other()
func.func @read_c1() {
  // expected-error @below {{expected @other to name a moe.weight}}
  %w = moe.read @other : tensor<4x4xf32>
  return
}

// -----

moe.weight @w : tensor<4x8xf32> = #moe.source<"w">
func.func @read_c2_type() {
  // expected-error @below {{expected the result to be 'tensor<4x8xf32>', found 'tensor<4x4xf32>'}}
  %w = moe.read @w : tensor<4x4xf32>
  return
}

// -----

moe.weight @w : tensor<2x4x32xf32, #moe.block<q4_0>> = #moe.source<"w.{i}", layers = [0, 1]>
func.func @read_c2_slice(%i: index) {
  // expected-error @below {{expected the result to be 'tensor<4x32xf32, #moe.block<q4_0>>', found 'tensor<4x32xf32>'}}
  %w = moe.read @w[%i] : tensor<4x32xf32>
  return
}

// -----

moe.weight @w : tensor<4x8xf32> = #moe.source<"w">
func.func @read_c2_stack(%i: index) {
  // expected-error @below {{expected no slice, as @w is not a stack}}
  %w = moe.read @w[%i] : tensor<8xf32>
  return
}

// -----

func.func @embed_c1(%tokens: tensor<3xi32>, %table: tensor<300x96xbf16>) {
  // expected-error @below {{expected rows of the result (one for each token) to be 3, found 4}}
  %x = moe.embed %tokens, %table : tensor<3xi32>, tensor<300x96xbf16> -> tensor<4x96xf32>
  return
}

// -----

func.func @embed_c2(%tokens: tensor<?xi32>, %table: tensor<300x96xbf16>) {
  // expected-error @below {{expected the width of the result (that of the table) to be 96, found 64}}
  %x = moe.embed %tokens, %table : tensor<?xi32>, tensor<300x96xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @select_rows_c1(%x: tensor<?x96xf32>, %rows: tensor<1xi32>) {
  // expected-error @below {{expected rows of the result (one for each selected row) to be 1, found 2}}
  %y = moe.select_rows %x, %rows : tensor<?x96xf32>, tensor<1xi32> -> tensor<2x96xf32>
  return
}

// -----

func.func @select_rows_c2(%x: tensor<?x96xf32>, %rows: tensor<?xi32>) {
  // expected-error @below {{expected the width of the result (that of x) to be 96, found 64}}
  %y = moe.select_rows %x, %rows : tensor<?x96xf32>, tensor<?xi32> -> tensor<?x64xf32>
  return
}

// -----

func.func @select_rows_c2_encoding(%x: tensor<?x96xf32>, %rows: tensor<?xi32>) {
  // expected-error @below {{expected the result to be encoded as x, which is 'tensor<?x96xf32>', found 'tensor<?x96xf32, #moe.block<int8>>'}}
  %y = moe.select_rows %x, %rows
    : tensor<?x96xf32>, tensor<?xi32> -> tensor<?x96xf32, #moe.block<int8>>
  return
}

// -----

func.func @rms_norm_c1(%x: tensor<?x96xf32>, %gain: tensor<64xf32>) {
  // expected-error @below {{expected the length of the gain to divide the width 96 of x, found 64}}
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x96xf32>, tensor<64xf32> -> tensor<?x96xf32>
  return
}

// -----

func.func @rms_norm_c2(%x: tensor<?x96xf32>, %gain: tensor<96xf32>) {
  // expected-error @below {{expected the result to have the shape of x, which is 'tensor<?x96xf32>', found 'tensor<?x64xf32>'}}
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x64xf32>
  return
}

// -----

func.func @rms_norm_c3(%x: tensor<?x96xf32>, %gain: tensor<96xf32>) {
  // expected-error @below {{expected eps not to be negative, found -1.0}}
  %h = moe.rms_norm %x, %gain eps -1.0 : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32>
  return
}

// -----

func.func @rms_norm_c4(%x: tensor<?x96xf32>, %gain: tensor<96xf32>) {
  // expected-error @below {{expected the result to be encoded for activations (#moe.block<int8> or #moe.rows<bf16>), found #moe.block<q4_0>}}
  %h = moe.rms_norm %x, %gain eps 1.0e-5
    : tensor<?x96xf32>, tensor<96xf32> -> tensor<?x96xf32, #moe.block<q4_0>>
  return
}

// -----

func.func @rms_norm_c4_block(%x: tensor<?x100xf32>, %gain: tensor<100xf32>) {
  // expected-error @below {{expected a width divisible by the block of 32, found 100}}
  %h = moe.rms_norm %x, %gain eps 1.0e-5
    : tensor<?x100xf32>, tensor<100xf32> -> tensor<?x100xf32, #moe.block<int8>>
  return
}

// -----

func.func @scale_c1(%x: tensor<?x96xf32>) {
  // expected-error @below {{expected factor to be finite as a f32, found 1.0}}
  %y = moe.scale %x by 1.0e+39 : tensor<?x96xf32>
  return
}

// -----

func.func @quantize_rows_c1(%x: tensor<?x96xf32>) {
  // expected-error @below {{expected the result to have the shape of x, which is 'tensor<?x96xf32>', found 'tensor<?x64xf32, #moe.block<int8>>'}}
  %q = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x64xf32, #moe.block<int8>>
  return
}

// -----

func.func @quantize_rows_c1_encoding(%x: tensor<?x96xf32, #moe.block<int8>>) {
  // expected-error @below {{expected x to have no encoding, found #moe.block<int8>}}
  %q = moe.quantize_rows %x
    : tensor<?x96xf32, #moe.block<int8>> -> tensor<?x96xf32, #moe.block<int8>>
  return
}

// -----

func.func @quantize_rows_c2(%x: tensor<?x96xf32>) {
  // expected-error @below {{expected the result to be encoded for activations (#moe.block<int8> or #moe.rows<bf16>), found no encoding}}
  %q = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32>
  return
}

// -----

func.func @quantize_rows_c2_element(%x: tensor<?x96xf32>) {
  // expected-error @below {{expected rows of bf16, found 'f16'}}
  %q = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.rows<f16>>
  return
}

// -----

func.func @quantize_rows_c3(%x: tensor<?x100xf32>) {
  // expected-error @below {{expected a width divisible by the block of 32, found 100}}
  %q = moe.quantize_rows %x : tensor<?x100xf32> -> tensor<?x100xf32, #moe.block<int8>>
  return
}

// -----

func.func @rope_c1(%x: tensor<?x100xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected head_dim to divide the width 100, found 16}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}
    : tensor<?x100xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c2(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected rotary_dims to be even, positive and at most head_dim 16, found 15}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 15 : i64}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c2_zero(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{at most head_dim 16, found 0}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 0 : i64}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c2_large(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{at most head_dim 16, found 18}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 18 : i64}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c3(%x: tensor<3x96xf32>, %positions: tensor<4xi32>) {
  // expected-error @below {{expected the number of positions (one for each row) to be 3, found 4}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}
    : tensor<3x96xf32>, tensor<4xi32>
  return
}

// -----

func.func @rope_c4(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected base to be positive, found 0.0}}
  %r = moe.rope %x at %positions {base = 0.0 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c5(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected a #moe.linear_scaling or a #moe.llama3_scaling, found 4.0}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64,
                                  scaling = 4.0 : f64} : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c5_linear(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected the factor of the scaling to be positive, found 0.0}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64,
    scaling = #moe.linear_scaling<0.0 : f64>} : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c5_llama3(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected high_factor of the scaling to exceed low_factor 4.000000e+00, found 4.000000e+00}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64,
    scaling = #moe.llama3_scaling<factor = 8.0 : f64, low_factor = 4.0 : f64,
                                  high_factor = 4.0 : f64, original_context = 8192>}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @rope_c5_context(%x: tensor<?x96xf32>, %positions: tensor<?xi32>) {
  // expected-error @below {{expected original_context of the scaling to be positive, found 0}}
  %r = moe.rope %x at %positions {base = 1.0e4 : f64, head_dim = 16 : i64, rotary_dims = 16 : i64,
    scaling = #moe.llama3_scaling<factor = 8.0 : f64, low_factor = 1.0 : f64,
                                  high_factor = 4.0 : f64, original_context = 0>}
    : tensor<?x96xf32>, tensor<?xi32>
  return
}

// -----

func.func @linear_c1(%x: tensor<?x96xf32>, %w: tensor<32x64xbf16>) {
  // expected-error @below {{expected the columns of the weight (the width of x) to be 96, found 64}}
  %y = moe.linear %x, %w : tensor<?x96xf32>, tensor<32x64xbf16> -> tensor<?x32xf32>
  return
}

// -----

func.func @linear_c2(%x: tensor<?x96xf32>, %w: tensor<32x96xbf16>) {
  // expected-error @below {{expected the width of the result (rows of the weight) to be 32, found 33}}
  %y = moe.linear %x, %w : tensor<?x96xf32>, tensor<32x96xbf16> -> tensor<?x33xf32>
  return
}

// -----

func.func @linear_c2_rows(%x: tensor<3x96xf32>, %w: tensor<32x96xbf16>) {
  // expected-error @below {{expected rows of the result (those of x) to be 3, found 4}}
  %y = moe.linear %x, %w : tensor<3x96xf32>, tensor<32x96xbf16> -> tensor<4x32xf32>
  return
}

// -----

func.func @linear_c3(%x: tensor<?x96xf32>, %w: tensor<32x96xbf16>, %b: tensor<31xf32>) {
  // expected-error @below {{expected the length of the bias (rows of the weight) to be 32, found 31}}
  %y = moe.linear %x, %w + %b
    : tensor<?x96xf32>, tensor<32x96xbf16>, tensor<31xf32> -> tensor<?x32xf32>
  return
}

// -----

func.func @linear_c4_x(%x: tensor<?x96xf32, #moe.block<q8_0>>,
                       %w: tensor<32x96xf32, #moe.block<q8_0>>) {
  // expected-error @below {{expected x to be encoded for activations (#moe.block<int8> or #moe.rows<bf16>), found #moe.block<q8_0>}}
  %y = moe.linear %x, %w
    : tensor<?x96xf32, #moe.block<q8_0>>, tensor<32x96xf32, #moe.block<q8_0>> -> tensor<?x32xf32>
  return
}

// -----

func.func @linear_c4_weight(%x: tensor<?x96xf32, #moe.block<int8>>, %w: tensor<32x96xbf16>) {
  // expected-error @below {{expected the weight of an encoded x to have a block encoding for weights, found no encoding}}
  %y = moe.linear %x, %w
    : tensor<?x96xf32, #moe.block<int8>>, tensor<32x96xbf16> -> tensor<?x32xf32>
  return
}

// -----

func.func @linear_c4_rows(%x: tensor<?x96xf32, #moe.rows<bf16>>, %w: tensor<32x96xf16>) {
  // expected-error @below {{expected the weight of rows of 'bf16' to be of that type, found 'tensor<32x96xf16>'}}
  %y = moe.linear %x, %w
    : tensor<?x96xf32, #moe.rows<bf16>>, tensor<32x96xf16> -> tensor<?x32xf32>
  return
}

// -----

func.func @linear_c5(%x: tensor<?x96xf32>, %w: tensor<32x96xbf16>) {
  // expected-error @below {{expected a result without encoding, found 'tensor<?x32xf32, #moe.block<int8>>'}}
  %y = moe.linear %x, %w
    : tensor<?x96xf32>, tensor<32x96xbf16> -> tensor<?x32xf32, #moe.block<int8>>
  return
}

// -----

func.func @gated_linear_c1(%x: tensor<?x96xf32>, %w: tensor<200x64xbf16>) {
  // expected-error @below {{expected the columns of the weight (the width of x) to be 96, found 64}}
  %y = moe.gated_linear silu %x, %w : tensor<?x96xf32>, tensor<200x64xbf16> -> tensor<?x100xf32>
  return
}

// -----

func.func @gated_linear_c2(%x: tensor<?x96xf32>, %w: tensor<201x96xbf16>) {
  // expected-error @below {{expected rows of the weight (twice the width of the result) to be 200, found 201}}
  %y = moe.gated_linear silu %x, %w : tensor<?x96xf32>, tensor<201x96xbf16> -> tensor<?x100xf32>
  return
}

// -----

func.func @gated_linear_c3(%x: tensor<?x96xf32, #moe.block<int8>>, %w: tensor<200x96xbf16>) {
  // expected-error @below {{expected the weight of an encoded x to have a block encoding for weights, found no encoding}}
  %y = moe.gated_linear silu %x, %w
    : tensor<?x96xf32, #moe.block<int8>>, tensor<200x96xbf16> -> tensor<?x100xf32>
  return
}

// -----

func.func @gated_linear_c3_rows(%x: tensor<?x96xf32, #moe.rows<bf16>>,
                                %w: tensor<200x96xf32, #moe.block<q8_0>>) {
  // expected-error @below {{expected the weight of rows of 'bf16' to be of that type, found 'tensor<200x96xf32, #moe.block<q8_0>>'}}
  %y = moe.gated_linear silu %x, %w
    : tensor<?x96xf32, #moe.rows<bf16>>, tensor<200x96xf32, #moe.block<q8_0>> -> tensor<?x100xf32>
  return
}

// -----

func.func @gated_linear_c4(%x: tensor<?x96xf32>, %w: tensor<192x96xbf16>) {
  // expected-error @below {{expected a result without encoding, found 'tensor<?x96xf32, #moe.block<int8>>'}}
  %y = moe.gated_linear silu %x, %w
    : tensor<?x96xf32>, tensor<192x96xbf16> -> tensor<?x96xf32, #moe.block<int8>>
  return
}

// -----

func.func @gate_c1(%g: tensor<3x100xf32>, %u: tensor<4x100xf32>) {
  // expected-error @below {{expected rows of the gate (those of the value) to be 4, found 3}}
  %y = moe.gate silu %g, %u : tensor<3x100xf32>, tensor<4x100xf32>
  return
}

// -----

func.func @gate_c2(%g: tensor<?x50xf32>, %u: tensor<?x100xf32>) {
  // expected-error @below {{expected the width of the gate (that of the value, or 1) to be 100, found 50}}
  %y = moe.gate silu %g, %u : tensor<?x50xf32>, tensor<?x100xf32>
  return
}

// -----

func.func @route_c1(%x: tensor<3x16xf32>) {
  // expected-error @below {{expected rows of the ids and weights (those of the logits) to be 3, found 2}}
  %r:2 = moe.route softmax %x
    : tensor<3x16xf32> -> tensor<2x4xi32>, tensor<2x4xf32>
  return
}

// -----

func.func @route_c2(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected to choose from 1 to 16 experts, found 17}}
  %r:2 = moe.route softmax %x
    : tensor<?x16xf32> -> tensor<?x17xi32>, tensor<?x17xf32>
  return
}

// -----

func.func @route_c2_none(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected to choose from 1 to 16 experts, found 0}}
  %r:2 = moe.route softmax %x
    : tensor<?x16xf32> -> tensor<?x0xi32>, tensor<?x0xf32>
  return
}

// -----

func.func @route_c2_groups(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected to choose from 1 to 4 experts, found 5}}
  %r:2 = moe.route softmax %x {groups = 4 : i64}
    : tensor<?x16xf32> -> tensor<?x5xi32>, tensor<?x5xf32>
  return
}

// -----

func.func @route_c3(%x: tensor<?x16xf32>, %b: tensor<15xf32>) {
  // expected-error @below {{expected the length of the bias (experts) to be 16, found 15}}
  %r:2 = moe.route softmax %x bias %b
    : tensor<?x16xf32>, tensor<15xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c4(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected groups to divide the 16 experts, found 5}}
  %r:2 = moe.route softmax %x {groups = 5 : i64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c4_zero(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected groups to divide the 16 experts, found 0}}
  %r:2 = moe.route softmax %x {groups = 0 : i64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c4_limit(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected group_limit to be from 1 to the 4 groups, found 5}}
  %r:2 = moe.route softmax %x {groups = 4 : i64, group_limit = 5 : i64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c4_no_limit(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected group_limit to be from 1 to the 4 groups, found 0}}
  %r:2 = moe.route softmax %x {groups = 4 : i64, group_limit = 0 : i64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c5(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected groups of at least 2 experts for top2_sum, found 1}}
  %r:2 = moe.route sigmoid %x {groups = 16 : i64, group_limit = 8 : i64,
      group_score = #moe.group_score<top2_sum>}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c6(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected normalize not to be negative, found -1.0}}
  %r:2 = moe.route softmax %x {normalize = -1.0 : f64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c6_finite(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected normalize to be finite as a f32, found 1.0}}
  %r:2 = moe.route softmax %x {normalize = 1.0e+39 : f64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @route_c6_scaling(%x: tensor<?x16xf32>) {
  // expected-error @below {{expected scaling to be finite as a f32, found 1.0}}
  %r:2 = moe.route softmax %x {scaling = 1.0e+39 : f64}
    : tensor<?x16xf32> -> tensor<?x4xi32>, tensor<?x4xf32>
  return
}

// -----

func.func @experts_c1(%x: tensor<3x64xf32>, %i: tensor<2x2xi32>, %w: tensor<2x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected rows of the ids and weights (those of x) to be 3, found 2}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<3x64xf32>, tensor<2x2xi32>, tensor<2x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c2(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<8x64x32xbf16>) {
  // expected-error @below {{expected the experts of down (those of up) to be 16, found 8}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<8x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c2_gate(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<8x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the experts of gate (those of up) to be 16, found 8}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<8x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c3(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x96xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the columns of up (the width of x) to be 64, found 96}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x96xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c3_gate(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x96xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the columns of gate (the width of x) to be 64, found 96}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x96xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c4(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x64x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected rows of up (the columns of down) to be 32, found 64}}
  %y = moe.experts silu %x to %i weighted %w up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<16x64x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c4_gate(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x64x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected rows of gate (the columns of down) to be 32, found 64}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x64x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c4_gated(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected rows of the gated up (twice the columns of down) to be 64, found 32}}
  %y = moe.experts silu %x to %i weighted %w gated up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c5(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x64x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected no gate besides the gated rows of up}}
  %y = moe.experts silu %x to %i weighted %w gate %g gated up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x64x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c6(%x: tensor<3x64xf32>, %i: tensor<3x2xi32>, %w: tensor<3x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected rows of the result (those of x) to be 3, found 4}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<3x64xf32>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<4x64xf32>
  return
}

// -----

func.func @experts_c6_width(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the width of the result (rows of down) to be 64, found 32}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x32xf32>
  return
}

// -----

func.func @experts_c6_encoding(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected a result without encoding}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32, #moe.block<int8>>
  return
}

// -----

func.func @experts_c7(%x: tensor<?x64xf32, #moe.block<int8>>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the weight of an encoded x to have a block encoding for weights, found no encoding}}
  %y = moe.experts silu %x to %i weighted %w up %u down %d
    : tensor<?x64xf32, #moe.block<int8>>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c7_gate(%x: tensor<?x64xf32, #moe.block<int8>>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xf32, #moe.block<q8_0>>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the weight of an encoded x to have a block encoding for weights, found no encoding}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d
    : tensor<?x64xf32, #moe.block<int8>>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xf32, #moe.block<q8_0>>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c7_x(%x: tensor<?x64xf32, #moe.block<q8_0>>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected x to be encoded for activations (#moe.block<int8> or #moe.rows<bf16>), found #moe.block<q8_0>}}
  %y = moe.experts silu %x to %i weighted %w up %u down %d
    : tensor<?x64xf32, #moe.block<q8_0>>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c8(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the hidden rows to be encoded for activations (#moe.block<int8> or #moe.rows<bf16>), found #moe.block<q8_0>}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d {hidden = #moe.block<q8_0>}
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c8_down(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %g: tensor<16x32x64xbf16>, %u: tensor<16x32x64xbf16>,
    %d: tensor<16x64x32xbf16>) {
  // expected-error @below {{expected the weight of an encoded x to have a block encoding for weights, found no encoding}}
  %y = moe.experts silu %x to %i weighted %w gate %g up %u down %d {hidden = #moe.block<int8>}
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>,
      tensor<16x32x64xbf16>, tensor<16x64x32xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_c8_block(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x33x64xbf16>,
    %d: tensor<16x64x33xbf16>) {
  // expected-error @below {{expected a width divisible by the block of 32, found 33}}
  %y = moe.experts silu %x to %i weighted %w up %u down %d {hidden = #moe.block<int8>}
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<16x33x64xbf16>, tensor<16x64x33xbf16> -> tensor<?x64xf32>
  return
}

// -----

func.func @experts_types(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x32x64xbf16>, %d: tensor<16x64x32xbf16>) {
  %y = moe.experts silu %x to %i weighted %w up %u down %d
    // expected-error @below {{expected the types of x, ids, weights, gate (if there is one), up and down, found 4}}
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>
    -> tensor<?x64xf32>
  return
}

// -----

func.func @kv_append_c1(%k: tensor<?x33xf32>, %state: tensor<3x?x?x2x16xf16>, %layer: index,
                        %ids: tensor<?xi32>) {
  // expected-error @below {{expected the width of the values (KV heads times head dim of the state) to be 32, found 33}}
  %k1 = moe.kv_append %k into %state[%layer] at %ids, %ids
    : tensor<?x33xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  return
}

// -----

func.func @kv_append_c2(%k: tensor<3x32xf32>, %state: tensor<3x?x?x2x16xf16>, %layer: index,
                        %slots: tensor<3xi32>, %positions: tensor<4xi32>) {
  // expected-error @below {{expected the number of positions (one for each row) to be 3, found 4}}
  %k1 = moe.kv_append %k into %state[%layer] at %slots, %positions
    : tensor<3x32xf32>, tensor<3x?x?x2x16xf16>, tensor<3xi32>, tensor<4xi32>
  return
}

// -----

func.func @kv_append_c3(%k: tensor<?x32xf32>, %state: tensor<3x?x?x2x16xf16>, %layer: index,
                        %ids: tensor<?xi32>) -> tensor<3x?x?x2x16xf16> {
  // expected-error @below {{expected every other use of the state to come before}}
  %k1 = moe.kv_append %k into %state[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  // expected-note @below {{the state, as it was, is used here}}
  return %state : tensor<3x?x?x2x16xf16>
}

// -----

func.func @attention_c1(%q: tensor<?x80xf32>, %kv: tensor<3x?x?x2x16xf16>, %layer: index,
                        %ids: tensor<?xi32>) {
  // expected-error @below {{expected a width of the queries that is a multiple of 32 (KV heads times head dim of the state), found 80}}
  %o = moe.attention %q, %kv, %kv[%layer] at %ids, %ids {scale = 2.5e-1 : f64}
    : tensor<?x80xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  return
}

// -----

func.func @attention_c2(%q: tensor<3x96xf32>, %kv: tensor<3x?x?x2x16xf16>, %layer: index,
                        %slots: tensor<2xi32>, %positions: tensor<3xi32>) {
  // expected-error @below {{expected the number of slots (one for each row) to be 3, found 2}}
  %o = moe.attention %q, %kv, %kv[%layer] at %slots, %positions {scale = 2.5e-1 : f64}
    : tensor<3x96xf32>, tensor<3x?x?x2x16xf16>, tensor<2xi32>, tensor<3xi32>
  return
}

// -----

func.func @attention_c3(%q: tensor<?x96xf32>, %kv: tensor<3x?x?x2x16xf16>, %layer: index,
                        %ids: tensor<?xi32>) {
  // expected-error @below {{expected a positive window, found 0}}
  %o = moe.attention %q, %kv, %kv[%layer] at %ids, %ids {scale = 2.5e-1 : f64, window = 0 : i64}
    : tensor<?x96xf32>, tensor<3x?x?x2x16xf16>, tensor<?xi32>, tensor<?xi32>
  return
}

// -----

func.func @tap_route_c1_tokens(%ids: tensor<3x4xi32>, %weights: tensor<2x4xf32>, %layer: index) {
  // expected-error @below {{expected the tokens of weights to be 3, found 2}}
  moe.tap_route %ids, %weights[%layer] : tensor<3x4xi32>, tensor<2x4xf32>
  return
}

// -----

func.func @tap_route_c1_experts(%ids: tensor<?x4xi32>, %weights: tensor<?x6xf32>, %layer: index) {
  // expected-error @below {{expected the experts of weights to be 4, found 6}}
  moe.tap_route %ids, %weights[%layer] : tensor<?x4xi32>, tensor<?x6xf32>
  return
}

// -----

// int8_rows stores numbers of f32, and a state knows no other encoding.

func.func @state_f16(%k: tensor<?x32xf32>, %state: tensor<3x?x?x2x16xf16, #moe.int8_rows>,
                     %layer: index, %ids: tensor<?xi32>) {
  // expected-error @below {{operand #1 must be tensor [layers, slots, positions, KV heads, head dim] of f32, f16 or bf16, the last two static, or of f32 encoded as #moe.int8_rows}}
  %k1 = moe.kv_append %k into %state[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf16, #moe.int8_rows>, tensor<?xi32>, tensor<?xi32>
  return
}

// -----

func.func @state_blocks(%k: tensor<?x32xf32>, %state: tensor<3x?x?x2x16xf32, #moe.block<int8>>,
                        %layer: index, %ids: tensor<?xi32>) {
  // expected-error @below {{or of f32 encoded as #moe.int8_rows}}
  %k1 = moe.kv_append %k into %state[%layer] at %ids, %ids
    : tensor<?x32xf32>, tensor<3x?x?x2x16xf32, #moe.block<int8>>, tensor<?xi32>, tensor<?xi32>
  return
}

// -----

// Only tokens are dynamic, and a value that nothing rounds has no encoding.

func.func @dynamic_width(%x: tensor<?x?xf32>) {
  // expected-error @below {{operand #0 must be tensor [tokens, width] of f32 with a static width and no encoding}}
  %y = moe.gate silu %x, %x : tensor<?x?xf32>
  return
}

// -----

func.func @encoded_gate(%x: tensor<?x96xf32, #moe.block<int8>>) {
  // expected-error @below {{operand #0 must be tensor [tokens, width] of f32 with a static width and no encoding}}
  %y = moe.gate silu %x, %x : tensor<?x96xf32, #moe.block<int8>>
  return
}

// -----

// expected-error @below {{expected layers, interleaved_heads, experts or first_row, found heads}}
moe.weight @source_option : tensor<4x4xf32> = #moe.source<"w", heads = 4>
