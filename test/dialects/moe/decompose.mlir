// RUN: moire-opt %s --moe-decompose --split-input-file --verify-diagnostics | FileCheck %s

// Encodings go everywhere, weights and types of functions included; what is left is upstream's.
// CHECK: moe.weight @w : tensor<2x32x64xf32> = #moe.source<"{i}.w", layers = [0, 1]>
// CHECK: func.func private @inner(tensor<?x64xf32>) -> tensor<?x64xf32>
// CHECK-LABEL: func.func @outer(
// CHECK-SAME: %{{.*}}: tensor<?x64xf32>
// CHECK-NOT: #moe.block
// CHECK-NOT: moe.{{quantize|linear}}
// CHECK: moe.read @w[%{{.*}}] : tensor<32x64xf32>
// CHECK-NOT: tensor.cast
// CHECK-NOT: moe.{{quantize|linear}}
moe.weight @w : tensor<2x32x64xf32, #moe.block<q8_0>> = #moe.source<"{i}.w", layers = [0, 1]>
func.func private @inner(tensor<?x64xf32, #moe.block<int8>>) -> tensor<?x64xf32, #moe.block<int8>>
func.func @outer(%x: tensor<?x64xf32>, %i: index) -> tensor<?x32xf32> {
  %q = moe.quantize_rows %x : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  %r = call @inner(%q)
    : (tensor<?x64xf32, #moe.block<int8>>) -> tensor<?x64xf32, #moe.block<int8>>
  %w = moe.read @w[%i] : tensor<32x64xf32, #moe.block<q8_0>>
  %y = moe.linear %r, %w
    : tensor<?x64xf32, #moe.block<int8>>, tensor<32x64xf32, #moe.block<q8_0>> -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

func.func @tap(%x: tensor<?x96xf32>, %i: index) {
  // expected-error @below {{has no decomposition; compile without taps}}
  moe.tap %x[%i] : tensor<?x96xf32>
  return
}
