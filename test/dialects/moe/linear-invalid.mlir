// A case for each constraint of products with weights.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

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

func.func @linear_c4_columns(%x: tensor<?x96xf32, #moe.block<int8, 64>>,
                             %w: tensor<32x96xf32, #moe.block<q8_0>>) {
  // expected-error @below {{expected blocks of x whose columns share a scale of the weight (32 columns do), found #moe.block<int8, 64>}}
  %y = moe.linear %x, %w
    : tensor<?x96xf32, #moe.block<int8, 64>>, tensor<32x96xf32, #moe.block<q8_0>> -> tensor<?x32xf32>
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

func.func @encoded_gate(%x: tensor<?x96xf32, #moe.block<int8>>) {
  // expected-error @below {{operand #0 must be tensor [tokens, width] of f32 with a static width and no encoding}}
  %y = moe.gate silu %x, %x : tensor<?x96xf32, #moe.block<int8>>
  return
}
