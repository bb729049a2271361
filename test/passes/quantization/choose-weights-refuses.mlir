// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-choose-weights="rules=int4:g64" \
// RUN:   -remarks-filter-missed=quantization -remark-format=emitRemark | FileCheck %s
// RUN: moire-opt %s -split-input-file -moe-choose-weights="rules=int4:g64" -o %t 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: moire-opt %s -split-input-file -moe-choose-weights="rules=*absent*=int8" -o %t 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// RUN: moire-opt %s -split-input-file -moe-choose-weights="rules=*.kept.*=keep,experts=int8" \
// RUN:   -remarks-filter-missed=quantization -remark-format=emitRemark 2>&1 | FileCheck %s --check-prefix=NAMED

// RUN: not moire-opt %s -moe-choose-weights=rules=int5 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not moire-opt %s -moe-choose-weights="rules=int4:g48" 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not moire-opt %s -moe-choose-weights="rules=int4:" 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not moire-opt %s -moe-choose-weights="rules=int4,q4_0" 2>&1 | FileCheck %s --check-prefix=FOREIGN
// RUN: not moire-opt %s -moe-choose-weights="rules=int4,=int8" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not moire-opt %s -moe-choose-weights="rules=int4,[a=int8" 2>&1 | FileCheck %s --check-prefix=PATTERN

// FORMAT: weights cannot be rounded so: 'int5' is no format: there are keep, int4, uint4 and int8, with :g32, :g64, :g128 or :g256 behind (int4:g128), and :bf16 behind that
// COLUMNS: 'int4:g48' is no format
// NONE: 'int4:' is no format
// FOREIGN: 'q4_0' is no format
// NAME: '=int8' does not begin with router, embedding, head, experts or the pattern of a tensor's name, such as *down*
// PATTERN: '[a=int8' does not begin with

// CHECK: @short : tensor<8x40xbf16>
// CHECK: @router : tensor<16x64xf32>
// CHECK: @tied : tensor<300x64xf32, #moe.block<q8_0>>
// CHECK: @else : tensor<8x64xf32>
// CHECK: @both : tensor<16x64xf32>
// CHECK: @mixed : tensor<96x64xf32, #moe.block<int4_g64>>

// expected-remark @below {{its rows are no whole number of 32 columns}}
moe.weight @short : tensor<8x40xbf16> = #moe.source<"short">
func.func private @short_rows(%h: tensor<?x40xf32>) -> tensor<?x8xf32> {
  %w = moe.read @short : tensor<8x40xbf16>
  %y = moe.linear %h, %w : tensor<?x40xf32>, tensor<8x40xbf16> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// NAMED: a rule says keep
// NAMED: no rule is for it
// NAMED-NOT: moe.block<int
// UNMATCHED: warning: no weight that can be rounded is called *absent*
moe.weight @kept : tensor<8x64xbf16> = #moe.source<"a.kept.weight">
func.func private @kept_by_a_rule(%h: tensor<?x64xf32>) -> tensor<?x8xf32> {
  %w = moe.read @kept : tensor<8x64xbf16>
  %y = moe.linear %h, %w : tensor<?x64xf32>, tensor<8x64xbf16> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

// expected-remark @below {{routers are kept unless a rule names them}}
moe.weight @router : tensor<16x64xf32> = #moe.source<"router">
func.func private @routes(%h: tensor<?x64xf32>) -> tensor<?x2xi32> {
  %w = moe.read @router : tensor<16x64xf32>
  %logits = moe.linear %h, %w : tensor<?x64xf32>, tensor<16x64xf32> -> tensor<?x16xf32>
  %ids, %weights = moe.route softmax %logits : tensor<?x16xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  return %ids : tensor<?x2xi32>
}

// -----

// expected-remark @below {{embeddings and heads in blocks are kept unless a rule names them}}
moe.weight @tied : tensor<300x64xf32, #moe.block<q8_0>> = #moe.source<"tied">
func.func @reads_tied(%tokens: tensor<?xi32>) -> tensor<?x300xf32> {
  %w = moe.read @tied : tensor<300x64xf32, #moe.block<q8_0>>
  %x = moe.embed %tokens, %w : tensor<?xi32>, tensor<300x64xf32, #moe.block<q8_0>> -> tensor<?x64xf32>
  %y = moe.linear %x, %w : tensor<?x64xf32>, tensor<300x64xf32, #moe.block<q8_0>> -> tensor<?x300xf32>
  return %y : tensor<?x300xf32>
}

// -----

// expected-remark @below {{something reads it that is no product, experts or embedding}}
moe.weight @else : tensor<8x64xf32> = #moe.source<"else">
func.func private @read_by_something_else(%h: tensor<?x64xf32>) -> tensor<8x64xf32> {
  %w = moe.read @else : tensor<8x64xf32>
  %y = arith.addf %w, %w : tensor<8x64xf32>
  return %y : tensor<8x64xf32>
}

// -----

moe.weight @part : tensor<8x64xf32> = #moe.source<"part">
// expected-remark @below {{it is a concatenation, or a part of one}}
moe.weight @both : tensor<16x64xf32> = #moe.concat<@part, @part>
func.func private @concatenation(%h: tensor<?x64xf32>) -> tensor<?x16xf32> {
  %w = moe.read @both : tensor<16x64xf32>
  %y = moe.linear %h, %w : tensor<?x64xf32>, tensor<16x64xf32> -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}

// -----

// Weights in blocks are rounded a second time, with a warning.
// expected-warning @unknown {{1 weight of q4_1 will be rounded a second time}}
// TWICE: warning: 1 weight of q4_1 will be rounded a second time, with more loss than once: better take the model as it was before that
moe.weight @mixed : tensor<96x64xf32, #moe.block<q4_1>> = #moe.source<"mixed">
func.func private @twice(%x: tensor<?x64xf32>) -> tensor<?x96xf32> {
  %w = moe.read @mixed : tensor<96x64xf32, #moe.block<q4_1>>
  %y = moe.linear %x, %w : tensor<?x64xf32>, tensor<96x64xf32, #moe.block<q4_1>> -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}
