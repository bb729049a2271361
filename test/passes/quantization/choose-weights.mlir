// RUN: moire-opt %s -moe-choose-weights="rules=int4:g128" | FileCheck %s
// RUN: moire-opt %s -moe-choose-weights="rules=int8:g32,head=keep,*down*=uint4:g64,router=int8,embedding=int4:g256" \
// RUN:   | FileCheck %s --check-prefix=RULES
// RUN: moire-opt %s -moe-choose-weights="rules=experts=int4:g64,blk.{i}.ffn_up*=int8" | FileCheck %s --check-prefix=NAMED
// RUN: moire-opt %s -moe-choose-weights | FileCheck %s --check-prefix=KEEP
// RUN: moire-opt %s -moe-choose-weights=rules=keep,keep | FileCheck %s --check-prefix=KEEP

// A format alone is for all matrices, except that routers keep theirs, and embeddings and heads have
// 8 bits. Vectors are no matrices.
// CHECK-DAG: moe.weight @embedding : tensor<300x64xf32, #moe.block<int8_g128>> = #moe.source<"token_embd.weight">
// CHECK-DAG: moe.weight @head : tensor<300x64xf32, #moe.block<int8_g128>> = #moe.source<"output.weight">
// CHECK-DAG: moe.weight @gain : tensor<64xf32>
// CHECK-DAG: moe.weight @layer.router : tensor<2x16x64xf32>
// CHECK-DAG: moe.weight @layer.up : tensor<2x96x64xf32, #moe.block<int4_g128>>
// CHECK-DAG: moe.weight @layer.down : tensor<2x64x96xf32, #moe.block<int4_g128>>
// CHECK-DAG: moe.weight @layer.expert_up : tensor<2x16x32x64xf32, #moe.block<int4_g128>> = #moe.source<"blk.{i}.ffn_up_exps.weight", layers = [0, 1], experts = 16>
// CHECK-DAG: moe.weight @layer.expert_down : tensor<2x16x64x32xf32, #moe.block<int4_g128>>

// Of the rules that match the last one counts.
// RULES-DAG: @embedding : tensor<300x64xf32, #moe.block<int4_g256>>
// RULES-DAG: @head : tensor<300x64xbf16>
// RULES-DAG: @layer.router : tensor<2x16x64xf32, #moe.block<int8_g128>>
// RULES-DAG: @layer.up : tensor<2x96x64xf32, #moe.block<int8_g32>>
// RULES-DAG: @layer.down : tensor<2x64x96xf32, #moe.block<uint4_g64>>
// RULES-DAG: @layer.expert_up : tensor<2x16x32x64xf32, #moe.block<int8_g32>>
// RULES-DAG: @layer.expert_down : tensor<2x16x64x32xf32, #moe.block<uint4_g64>>

// Without a format for all, only what is named changes.
// NAMED-DAG: @embedding : tensor<300x64xbf16>
// NAMED-DAG: @head : tensor<300x64xbf16>
// NAMED-DAG: @layer.router : tensor<2x16x64xf32>
// NAMED-DAG: @layer.up : tensor<2x96x64xf32, #moe.block<int8_g128>>
// NAMED-DAG: @layer.down : tensor<2x64x96xbf16>
// NAMED-DAG: @layer.expert_up : tensor<2x16x32x64xf32, #moe.block<int8_g128>>
// NAMED-DAG: @layer.expert_down : tensor<2x16x64x32xf32, #moe.block<int4_g64>>

// KEEP-NOT: moe.block

moe.weight @embedding : tensor<300x64xbf16> = #moe.source<"token_embd.weight">
moe.weight @head : tensor<300x64xbf16> = #moe.source<"output.weight">
moe.weight @gain : tensor<64xf32> = #moe.source<"output_norm.weight">
moe.weight @layer.router : tensor<2x16x64xf32> = #moe.source<"blk.{i}.ffn_gate_inp.weight", layers = [0, 1]>
moe.weight @layer.up : tensor<2x96x64xbf16> = #moe.source<"blk.{i}.ffn_up.weight", layers = [0, 1]>
moe.weight @layer.down : tensor<2x64x96xbf16> = #moe.source<"blk.{i}.ffn_down.weight", layers = [0, 1]>
moe.weight @layer.expert_up : tensor<2x16x32x64xf16> = #moe.source<"blk.{i}.ffn_up_exps.weight", layers = [0, 1], experts = 16>
moe.weight @layer.expert_down : tensor<2x16x64x32xf16> = #moe.source<"blk.{i}.ffn_down_exps.weight", layers = [0, 1], experts = 16>

// CHECK-LABEL: func private @layer
// CHECK: %[[R:.*]] = moe.read @layer.router[%{{.*}}] : tensor<16x64xf32>
// CHECK: moe.read @layer.up[%{{.*}}] : tensor<96x64xf32, #moe.block<int4_g128>>
// CHECK: moe.linear {{.*}} tensor<96x64xf32, #moe.block<int4_g128>> -> tensor<?x96xf32>
// CHECK: moe.experts {{.*}} tensor<16x32x64xf32, #moe.block<int4_g128>>, tensor<16x64x32xf32, #moe.block<int4_g128>>
func.func private @layer(%i: index, %x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %wr = moe.read @layer.router[%i] : tensor<16x64xf32>
  %logits = moe.linear %x, %wr : tensor<?x64xf32>, tensor<16x64xf32> -> tensor<?x16xf32>
  %scaled = moe.scale %logits by 5.0e-1 : tensor<?x16xf32>
  %ids, %weights = moe.route softmax %scaled : tensor<?x16xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %wu = moe.read @layer.up[%i] : tensor<96x64xbf16>
  %u = moe.linear %x, %wu : tensor<?x64xf32>, tensor<96x64xbf16> -> tensor<?x96xf32>
  %wd = moe.read @layer.down[%i] : tensor<64x96xbf16>
  %d = moe.linear %u, %wd : tensor<?x96xf32>, tensor<64x96xbf16> -> tensor<?x64xf32>
  %eu = moe.read @layer.expert_up[%i] : tensor<16x32x64xf16>
  %ed = moe.read @layer.expert_down[%i] : tensor<16x64x32xf16>
  %y = moe.experts silu %d to %ids weighted %weights up %eu down %ed
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<16x32x64xf16>, tensor<16x64x32xf16>
      -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

func.func @forward(%tokens: tensor<?xi32>, %rows: tensor<?xi32>) -> tensor<?x300xf32> {
  %c0 = arith.constant 0 : index
  %table = moe.read @embedding : tensor<300x64xbf16>
  %x = moe.embed %tokens, %table : tensor<?xi32>, tensor<300x64xbf16> -> tensor<?x64xf32>
  %y = call @layer(%c0, %x) : (index, tensor<?x64xf32>) -> tensor<?x64xf32>
  %last = moe.select_rows %y, %rows : tensor<?x64xf32>, tensor<?xi32> -> tensor<?x64xf32>
  %gain = moe.read @gain : tensor<64xf32>
  %h = moe.rms_norm %last, %gain eps 1.0e-5 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %w = moe.read @head : tensor<300x64xbf16>
  %product = moe.linear %h, %w : tensor<?x64xf32>, tensor<300x64xbf16> -> tensor<?x300xf32>
  %logits = moe.scale %product by 2.5e-1 : tensor<?x300xf32>
  return %logits : tensor<?x300xf32>
}
