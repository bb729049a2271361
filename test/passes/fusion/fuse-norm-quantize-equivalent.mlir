// RUN: cat %s %prelude > %t.mlir
// RUN: cat %t.mlir | %run_oracle > %t.before
// RUN: moire-opt %t.mlir -moe-fuse-norm-quantize > %t.fused
// RUN: FileCheck %s < %t.fused
// RUN: cat %t.fused | %run_oracle > %t.after
// RUN: %compare_printed %t.before %t.after

// CHECK-NOT: moe.quantize_rows

moe.weight @gain : tensor<64xf32> = #moe.source<"gain">
moe.weight @w : tensor<8x64xf32, #moe.block<q8_0>> = #moe.source<"w">

func.func @main() {
  %c3 = arith.constant 3 : index
  %c64 = arith.constant 64 : index
  %seed = arith.constant 1 : i32
  %random = call @random(%c3, %c64, %seed) : (index, index, i32) -> tensor<?x?xf32>
  %x = tensor.cast %random : tensor<?x?xf32> to tensor<?x64xf32>
  %gain = moe.read @gain : tensor<64xf32>
  %w = moe.read @w : tensor<8x64xf32, #moe.block<q8_0>>
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %q = moe.quantize_rows %h : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  %y = moe.linear %q, %w : tensor<?x64xf32, #moe.block<int8>>, tensor<8x64xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
  %printed = tensor.cast %y : tensor<?x8xf32> to tensor<?x?xf32>
  call @print(%printed) : (tensor<?x?xf32>) -> ()

  // A norm that something else reads as well.
  %h2 = moe.rms_norm %x, %gain eps 1.0e-3 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %q2 = moe.quantize_rows %h2 : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  %y2 = moe.linear %q2, %w : tensor<?x64xf32, #moe.block<int8>>, tensor<8x64xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
  %printed_h2 = tensor.cast %h2 : tensor<?x64xf32> to tensor<?x?xf32>
  %printed_y2 = tensor.cast %y2 : tensor<?x8xf32> to tensor<?x?xf32>
  call @print(%printed_h2) : (tensor<?x?xf32>) -> ()
  call @print(%printed_y2) : (tensor<?x?xf32>) -> ()
  return
}
