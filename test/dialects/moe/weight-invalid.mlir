// A case for each constraint of weights, of what reads them, and of attributes.
//
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

// expected-error @below {{expected a number of columns with int8 only, found int4_g128}}
moe.weight @weight_c5_columns : tensor<4x128xf32, #moe.block<int4_g128, 128>> = #moe.source<"w">

// -----

// expected-error @below {{expected a last dimension divisible by the block of 32, found 'tensor<4x144xf32, #moe.block<int4_g128>>'}}
moe.weight @weight_c5_own : tensor<4x144xf32, #moe.block<int4_g128>> = #moe.source<"w">

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

// expected-error @below {{expected layers, interleaved_heads, experts or first_row, found heads}}
moe.weight @source_option : tensor<4x4xf32> = #moe.source<"w", heads = 4>
