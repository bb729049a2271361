// A case for each constraint of operations on rows.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

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

func.func @quantize_rows_c2_columns(%x: tensor<?x96xf32>) {
  // expected-error @below {{expected blocks of 32, 64, 128 or 256 columns, found 48}}
  %q = moe.quantize_rows %x : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8, 48>>
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

// Only tokens are dynamic, and a value that nothing rounds has no encoding.

func.func @dynamic_width(%x: tensor<?x?xf32>) {
  // expected-error @below {{operand #0 must be tensor [tokens, width] of f32 with a static width and no encoding}}
  %y = moe.gate silu %x, %x : tensor<?x?xf32>
  return
}
