// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-choose-weights="rules=int4:g64,embedding=int8" > %t.chosen
// RUN: FileCheck %s < %t.chosen
// RUN: cat %t.chosen | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// A format says how values are stored, not what they are: with the same values of the weights the
// program computes the same. (Rounding them to the format is the packer's part.)

// CHECK-COUNT-2: moe.weight {{.*}} #moe.block<int4_g64>>
// CHECK: moe.weight @table {{.*}} #moe.block<int8_g128>>
// CHECK-COUNT-2: moe.weight {{.*}} #moe.block<int4_g64>>

moe.weight @w : tensor<8x64xf32> = #moe.source<"w">
moe.weight @gate_up : tensor<2x16x64xf32> = #moe.source<"{i}.gate_up", layers = [0, 1]>
moe.weight @table : tensor<10x64xf32> = #moe.source<"table">
moe.weight @ups : tensor<2x32x64xf32> = #moe.source<"ups", experts = 2>
moe.weight @downs : tensor<2x64x32xf32> = #moe.source<"downs.{e}", experts = 2>

func.func @main() {
  %c1 = arith.constant 1 : index
  %tokens = arith.constant dense<[3, 9, 0]> : tensor<3xi32>
  %table = moe.read @table : tensor<10x64xf32>
  %x = moe.embed %tokens, %table : tensor<3xi32>, tensor<10x64xf32> -> tensor<3x64xf32>
  %w = moe.read @w : tensor<8x64xf32>
  %y = moe.linear %x, %w : tensor<3x64xf32>, tensor<8x64xf32> -> tensor<3x8xf32>
  %gu = moe.read @gate_up[%c1] : tensor<16x64xf32>
  %z = moe.gated_linear silu %x, %gu : tensor<3x64xf32>, tensor<16x64xf32> -> tensor<3x8xf32>
  %up = moe.read @ups : tensor<2x32x64xf32>
  %down = moe.read @downs : tensor<2x64x32xf32>
  %ids = arith.constant dense<[[0, 1], [1, 0], [1, 0]]> : tensor<3x2xi32>
  %weights = arith.constant dense<[[0.5, 0.25], [1.0, 0.5], [0.25, 2.0]]> : tensor<3x2xf32>
  %e = moe.experts silu %x to %ids weighted %weights up %up down %down
    : tensor<3x64xf32>, tensor<3x2xi32>, tensor<3x2xf32>, tensor<2x32x64xf32>, tensor<2x64x32xf32>
      -> tensor<3x64xf32>
  %y0 = tensor.cast %y : tensor<3x8xf32> to tensor<?x?xf32>
  %z0 = tensor.cast %z : tensor<3x8xf32> to tensor<?x?xf32>
  %e0 = tensor.cast %e : tensor<3x64xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()
  call @print(%z0) : (tensor<?x?xf32>) -> ()
  call @print(%e0) : (tensor<?x?xf32>) -> ()
  return
}
