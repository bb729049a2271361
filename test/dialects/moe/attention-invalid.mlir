// A case for each constraint of keys, values and attention.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

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
