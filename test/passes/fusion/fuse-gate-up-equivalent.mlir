// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-fuse-gate-up > %t.fused
// RUN: FileCheck %s < %t.fused
// RUN: cat %t.fused | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// CHECK: moe.gated_linear

moe.weight @gate : tensor<2x40x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.gate", layers = [0, 1]>
moe.weight @up : tensor<2x40x64xf32, #moe.block<q4_1>> = #moe.source<"{i}.up", layers = [0, 1]>

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
  return
}
