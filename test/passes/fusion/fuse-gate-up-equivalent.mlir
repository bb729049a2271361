// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-fuse-gate-up > %t.fused
// RUN: FileCheck %s < %t.fused
// RUN: cat %t.fused | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// CHECK: moe.gated_linear
// CHECK: gated up
// CHECK: gated up

moe.weight @gate : tensor<2x40x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.gate", layers = [0, 1]>
moe.weight @up : tensor<2x40x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.up", layers = [0, 1]>

moe.weight @gates : tensor<2x4x40x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.{e}.gate", layers = [0, 1], experts = 4>
moe.weight @ups : tensor<2x4x40x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.ups", layers = [0, 1], experts = 4>
moe.weight @downs : tensor<2x4x64x40xf16> = #moe.source<"{i}.downs", layers = [0, 1], experts = 4>
// One tensor that holds both, the gate's rows last.
moe.weight @gate_rows : tensor<4x40x64xf32> = #moe.source<"packed", experts = 4, first_row = 40>
moe.weight @up_rows : tensor<4x40x64xf32> = #moe.source<"packed", experts = 4>

func.func @main() {
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %seed = arith.constant 1 : i32
  %random = call @random(%c3, %c64, %seed) : (index, index, i32) -> tensor<?x?xf32>
  %x = tensor.cast %random : tensor<?x?xf32> to tensor<?x64xf32>
  %wg = moe.read @gate[%c1] : tensor<40x64xf32, #moe.block<q4_1>>
  %wu = moe.read @up[%c1] : tensor<40x64xf32, #moe.block<q4_1>>
  %g = moe.linear %x, %wg : tensor<?x64xf32>, tensor<40x64xf32, #moe.block<q4_1>> -> tensor<?x40xf32>
  %u = moe.linear %x, %wu : tensor<?x64xf32>, tensor<40x64xf32, #moe.block<q4_1>> -> tensor<?x40xf32>
  %y = moe.gate silu %g, %u : tensor<?x40xf32>
  %printed = tensor.cast %y : tensor<?x40xf32> to tensor<?x?xf32>
  call @print(%printed) : (tensor<?x?xf32>) -> ()

  %logits = tensor.extract_slice %x[0, 0] [3, 4] [1, 1] : tensor<?x64xf32> to tensor<3x4xf32>
  %ids, %weights = moe.route softmax %logits : tensor<3x4xf32> -> tensor<3x2xi32>, tensor<3x2xf32>
  %rows = tensor.cast %x : tensor<?x64xf32> to tensor<3x64xf32>
  %gs = moe.read @gates[%c1] : tensor<4x40x64xf32, #moe.block<q4_1>>
  %us = moe.read @ups[%c1] : tensor<4x40x64xf32, #moe.block<q4_1>>
  %ds = moe.read @downs[%c1] : tensor<4x64x40xf16>
  %z = moe.experts silu %rows to %ids weighted %weights gate %gs up %us down %ds
    : tensor<3x64xf32>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<4x40x64xf32, #moe.block<q4_1>>,
      tensor<4x40x64xf32, #moe.block<q4_1>>, tensor<4x64x40xf16> -> tensor<3x64xf32>
  %printed_z = tensor.cast %z : tensor<3x64xf32> to tensor<?x?xf32>
  call @print(%printed_z) : (tensor<?x?xf32>) -> ()

  %gr = moe.read @gate_rows : tensor<4x40x64xf32>
  %ur = moe.read @up_rows : tensor<4x40x64xf32>
  %p = moe.experts silu %rows to %ids weighted %weights gate %gr up %ur down %ds
    : tensor<3x64xf32>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<4x40x64xf32>,
      tensor<4x40x64xf32>, tensor<4x64x40xf16> -> tensor<3x64xf32>
  %printed_p = tensor.cast %p : tensor<3x64xf32> to tensor<?x?xf32>
  call @print(%printed_p) : (tensor<?x?xf32>) -> ()
  return
}
