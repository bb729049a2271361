// A case for each constraint of routing and experts.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics

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

func.func @experts_types(%x: tensor<?x64xf32>, %i: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<16x32x64xbf16>, %d: tensor<16x64x32xbf16>) {
  %y = moe.experts silu %x to %i weighted %w up %u down %d
    // expected-error @below {{expected the types of x, ids, weights, gate (if there is one), up and down, found 4}}
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xbf16>
    -> tensor<?x64xf32>
  return
}
