// RUN: cat %s %prelude | %run_oracle | FileCheck %s
// RUN: cat %s %prelude | moire-opt --moe-randomize-weights | FileCheck %s --check-prefix=IR

// IR-NOT: {{ moe\.}}

moe.weight @q : tensor<2x2x3xf32> = #moe.source<"{i}.q", layers = [0, 5]>
moe.weight @k : tensor<2x1x3xf32> = #moe.source<"{i}.k", layers = [0, 5]>
moe.weight @qk : tensor<2x3x3xf32> = #moe.concat<@q, @k>
moe.weight @other_layers : tensor<3x2x3xf32> = #moe.source<"{i}.q", layers = [1, 2, 5]>
moe.weight @by_name : tensor<2x3xf32> = #moe.source<"5.q">
moe.weight @permuted : tensor<2x3xf32> = #moe.source<"5.q", interleaved_heads = 1>

func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index

  // CHECK: sizes = [2, 3]
  // CHECK-NEXT: {{\[\[}}[[Q0:.*]]],
  // CHECK-NEXT: [[[Q1:.*]]]]
  %q = moe.read @q[%c1] : tensor<2x3xf32>
  %q0 = tensor.cast %q : tensor<2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%q0) : (tensor<*xf32>) -> ()

  // The same layer of another stack.
  // CHECK: sizes = [2, 3]
  // CHECK-NEXT: {{\[\[}}[[Q0]]],
  // CHECK-NEXT: [[[Q1]]]]
  %o = moe.read @other_layers[%c2] : tensor<2x3xf32>
  %o0 = tensor.cast %o : tensor<2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%o0) : (tensor<*xf32>) -> ()

  // And without a stack.
  // CHECK: sizes = [2, 3]
  // CHECK-NEXT: {{\[\[}}[[Q0]]],
  // CHECK-NEXT: [[[Q1]]]]
  %n = moe.read @by_name : tensor<2x3xf32>
  %n0 = tensor.cast %n : tensor<2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%n0) : (tensor<*xf32>) -> ()

  // Another order of rows is another weight.
  // CHECK: sizes = [2, 3]
  // CHECK-NOT: [[Q0]]
  // CHECK: sizes = [1, 3]
  %p = moe.read @permuted : tensor<2x3xf32>
  %p0 = tensor.cast %p : tensor<2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%p0) : (tensor<*xf32>) -> ()

  // CHECK-NEXT: {{\[\[}}[[K0:.*]]]]
  %k = moe.read @k[%c1] : tensor<1x3xf32>
  %k0 = tensor.cast %k : tensor<1x3xf32> to tensor<*xf32>
  call @printMemrefF32(%k0) : (tensor<*xf32>) -> ()

  // A concat holds its parts' rows, read by the slice or as a whole.
  // CHECK: sizes = [3, 3]
  // CHECK-NEXT: {{\[\[}}[[Q0]]],
  // CHECK-NEXT: [[[Q1]]],
  // CHECK-NEXT: [[[K0]]]]
  %c = moe.read @qk[%c1] : tensor<3x3xf32>
  %cp = tensor.cast %c : tensor<3x3xf32> to tensor<*xf32>
  call @printMemrefF32(%cp) : (tensor<*xf32>) -> ()

  // CHECK: sizes = [2, 3, 3]
  // CHECK: {{\[\[}}[[Q0]]],
  // CHECK-NEXT: [[[Q1]]],
  // CHECK-NEXT: [[[K0]]]]]
  %w = moe.read @qk : tensor<2x3x3xf32>
  %wp = tensor.cast %w : tensor<2x3x3xf32> to tensor<*xf32>
  call @printMemrefF32(%wp) : (tensor<*xf32>) -> ()
  return
}
