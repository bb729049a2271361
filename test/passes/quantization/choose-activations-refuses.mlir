// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-choose-activations \
// RUN:   -remarks-filter-missed=quantization -remark-format=emitRemark | FileCheck %s
// RUN: not moire-opt %s -split-input-file -moe-choose-activations=format=int4 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// RUN: moire-opt %s -split-input-file -moe-choose-activations=format=bf16 \
// RUN:   -remarks-filter-missed=quantization -remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=BF16

// UNKNOWN: error: activations cannot be stored as 'int4'; there are int8, bf16 and f32
// BF16: the weight is stored neither in blocks nor as bf16
// BF16: the rows have a format already
// BF16: the rows are no whole number of blocks
// BF16-NOT: moe.quantize_rows

// CHECK-NOT: moe.quantize_rows
func.func @plain_weight(%h: tensor<?x64xf32>, %w: tensor<8x64xf16>) -> tensor<?x8xf32> {
  // expected-remark @below {{the rows are not rounded: the weight is not stored in blocks}}
  %y = moe.linear %h, %w : tensor<?x64xf32>, tensor<8x64xf16> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @has_format(%h: tensor<?x64xf32, #moe.block<int8>>, %w: tensor<8x64xf32, #moe.block<q8_0>>) -> tensor<?x8xf32> {
  // expected-remark @below {{the rows are not rounded: the rows have a format already}}
  %y = moe.linear %h, %w : tensor<?x64xf32, #moe.block<int8>>, tensor<8x64xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @part_of_a_block(%h: tensor<?x40xf32>, %w: tensor<8x40xf32, #moe.block<q8_0>>) -> tensor<?x8xf32> {
  // expected-remark @below {{the rows are no whole number of blocks}}
  %y = moe.linear %h, %w : tensor<?x40xf32>, tensor<8x40xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

func.func @plain_gate_of_experts(%h: tensor<?x64xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>, %g: tensor<4x32x64xbf16>,
    %u: tensor<4x32x64xf32, #moe.block<q8_0>>, %d: tensor<4x64x32xbf16>) -> tensor<?x64xf32> {
  // expected-remark @below {{the hidden rows are not rounded: the weight is not stored in blocks}}
  // expected-remark @below {{the rows are not rounded: the weight is not stored in blocks}}
  %y = moe.experts silu %h to %ids weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x64xbf16>,
      tensor<4x32x64xf32, #moe.block<q8_0>>, tensor<4x64x32xbf16> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

func.func @experts_have_formats(%h: tensor<?x64xf32, #moe.block<int8>>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<4x32x64xf32, #moe.block<q8_0>>, %d: tensor<4x64x32xf32, #moe.block<q8_0>>) -> tensor<?x64xf32> {
  // expected-remark @below {{the hidden rows are not rounded: the rows have a format already}}
  // expected-remark @below {{the rows are not rounded: the rows have a format already}}
  %y = moe.experts silu %h to %ids weighted %w up %u down %d {hidden = #moe.block<int8>}
    : tensor<?x64xf32, #moe.block<int8>>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<4x32x64xf32, #moe.block<q8_0>>, tensor<4x64x32xf32, #moe.block<q8_0>> -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// -----

func.func @part_of_a_block_of_experts(%h: tensor<?x40xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
    %u: tensor<4x33x40xf32, #moe.block<q8_0>>, %d: tensor<4x40x33xf32, #moe.block<q8_0>>) -> tensor<?x40xf32> {
  // expected-remark @below {{the hidden rows are not rounded: the rows are no whole number of blocks}}
  // expected-remark @below {{the rows are no whole number of blocks}}
  %y = moe.experts silu %h to %ids weighted %w up %u down %d
    : tensor<?x40xf32>, tensor<?x2xi32>, tensor<?x2xf32>,
      tensor<4x33x40xf32, #moe.block<q8_0>>, tensor<4x40x33xf32, #moe.block<q8_0>> -> tensor<?x40xf32>
  return %y : tensor<?x40xf32>
}
