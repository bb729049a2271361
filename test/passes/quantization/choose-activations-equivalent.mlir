// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-choose-activations > %t.chosen
// RUN: FileCheck %s < %t.chosen
// RUN: cat %t.chosen | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after
// RUN: moire-opt %t.mlir -moe-choose-activations=format=bf16 > %t.bf16
// RUN: FileCheck %s --check-prefix=BF16 < %t.bf16
// RUN: cat %t.bf16 | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// The pass rounds and does nothing else: rows that blocks of int8 hold exactly (integers up to 127,
// with a 127 in each block of 32) give exactly what they gave before. So do those of bf16, which holds
// integers up to 256.

// CHECK: moe.quantize_rows
// CHECK: moe.experts {{.*}} {hidden = #moe.block<int8>}
// BF16: moe.quantize_rows {{.*}} #moe.rows<bf16>>

moe.weight @w : tensor<8x64xf32, #moe.block<q4_0>> = #moe.source<"w">
moe.weight @plain : tensor<8x64xbf16> = #moe.source<"plain">
moe.weight @gate_up : tensor<16x64xf32, #moe.block<q8_0>> = #moe.source<"gate_up">

moe.weight @downs : tensor<2x64x64xf32, #moe.block<q4_0>> = #moe.source<"downs", experts = 2>

func.func private @integers(%rows: index) -> tensor<?x64xf32> {
  %empty = tensor.empty(%rows) : tensor<?x64xf32>
  %result = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      outs(%empty : tensor<?x64xf32>) {
  ^bb0(%out: f32):
    %c0 = arith.constant 0 : index
    %c7 = arith.constant 7 : index
    %c32 = arith.constant 32 : index
    %c37 = arith.constant 37 : index
    %c255 = arith.constant 255 : index
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %i7 = arith.muli %i, %c7 : index
    %j37 = arith.muli %j, %c37 : index
    %sum = arith.addi %i7, %j37 : index
    %wrapped = arith.remui %sum, %c255 : index
    %integer = arith.index_cast %wrapped : index to i32
    %number = arith.sitofp %integer : i32 to f32
    %largest = arith.constant 127.0 : f32
    %centred = arith.subf %number, %largest : f32
    %place = arith.remui %j, %c32 : index
    %first = arith.cmpi eq, %place, %c0 : index
    %value = arith.select %first, %largest, %centred : f32
    linalg.yield %value : f32
  } -> tensor<?x64xf32>
  return %result : tensor<?x64xf32>
}

func.func @main() {
  %c3 = arith.constant 3 : index
  %x = call @integers(%c3) : (index) -> tensor<?x64xf32>
  %w = moe.read @w : tensor<8x64xf32, #moe.block<q4_0>>
  %gu = moe.read @gate_up : tensor<16x64xf32, #moe.block<q8_0>>
  %y = moe.linear %x, %w : tensor<?x64xf32>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
  %z = moe.gated_linear silu %x, %gu : tensor<?x64xf32>, tensor<16x64xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
  %wp = moe.read @plain : tensor<8x64xbf16>
  %p = moe.linear %x, %wp : tensor<?x64xf32>, tensor<8x64xbf16> -> tensor<?x8xf32>
  %p0 = tensor.cast %p : tensor<?x8xf32> to tensor<?x?xf32>
  call @print(%p0) : (tensor<?x?xf32>) -> ()
  %y0 = tensor.cast %y : tensor<?x8xf32> to tensor<?x?xf32>
  %z0 = tensor.cast %z : tensor<?x8xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  call @print(%z0) : (tensor<?x?xf32>) -> ()
  call @experts(%x) : (tensor<?x64xf32>) -> ()
  return
}

// Hidden rows that blocks of int8 hold exactly: experts whose `up` is the identity, and rows that are
// at least 18, where silu changes nothing, since 1 + exp(-18) is 1.
func.func private @experts(%x: tensor<?x64xf32>) {
  %static = tensor.cast %x : tensor<?x64xf32> to tensor<3x64xf32>
  %least = arith.constant dense<18.0> : tensor<3x64xf32>
  %large = arith.maximumf %static, %least : tensor<3x64xf32>
  %empty = tensor.empty() : tensor<2x64x64xf32>
  %identity = linalg.generic {
      indexing_maps = [affine_map<(e, i, j) -> (e, i, j)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      outs(%empty : tensor<2x64x64xf32>) {
  ^bb0(%out: f32):
    %zero = arith.constant 0.0 : f32
    %one = arith.constant 1.0 : f32
    %i = linalg.index 1 : index
    %j = linalg.index 2 : index
    %diagonal = arith.cmpi eq, %i, %j : index
    %value = arith.select %diagonal, %one, %zero : f32
    linalg.yield %value : f32
  } -> tensor<2x64x64xf32>
  %up = tensor.cast %identity : tensor<2x64x64xf32> to tensor<2x64x64xf32, #moe.block<q8_0>>
  %down = moe.read @downs : tensor<2x64x64xf32, #moe.block<q4_0>>
  %ids = arith.constant dense<[[0, 1], [1, 0], [1, 0]]> : tensor<3x2xi32>
  %weights = arith.constant dense<[[0.5, 0.25], [1.0, 0.5], [0.25, 2.0]]> : tensor<3x2xf32>
  %y = moe.experts silu %large to %ids weighted %weights up %up down %down
    : tensor<3x64xf32>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<2x64x64xf32, #moe.block<q8_0>>,
      tensor<2x64x64xf32, #moe.block<q4_0>> -> tensor<3x64xf32>
  %y0 = tensor.cast %y : tensor<3x64xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  return
}
