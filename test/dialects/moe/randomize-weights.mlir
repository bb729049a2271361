// RUN: cat %s %prelude | %run_oracle | FileCheck %s
// RUN: cat %s %prelude | moire-opt --moe-randomize-weights | FileCheck %s --check-prefix=IR

// IR-NOT: {{ moe\.}}

moe.weight @q : tensor<2x2x3xf32> = #moe.source<"{i}.q", layers = [0, 5]>
moe.weight @k : tensor<2x1x3xf32> = #moe.source<"{i}.k", layers = [0, 5]>
moe.weight @qk : tensor<2x3x3xf32> = #moe.concat<@q, @k>
moe.weight @other_layers : tensor<3x2x3xf32> = #moe.source<"{i}.q", layers = [1, 2, 5]>
moe.weight @by_name : tensor<2x3xf32> = #moe.source<"5.q">
moe.weight @permuted : tensor<2x3xf32> = #moe.source<"5.q", interleaved_heads = 1>

moe.weight @experts : tensor<2x3x2x3xf32> = #moe.source<"{i}.{e}.q", layers = [0, 5], experts = 3>
moe.weight @other_experts : tensor<2x3x1x3xf32>
  = #moe.source<"{i}.{e}.k", layers = [0, 5], experts = 3>
moe.weight @both_experts : tensor<2x3x3x3xf32> = #moe.concat<@experts, @other_experts>
moe.weight @expert_by_name : tensor<2x3xf32> = #moe.source<"5.2.q">
moe.weight @lower_row : tensor<1x3xf32> = #moe.source<"5.2.q", first_row = 1>
moe.weight @other_expert_by_name : tensor<1x3xf32> = #moe.source<"5.2.k">
moe.weight @packed : tensor<2x3x2x3xf32> = #moe.source<"{i}.packed", layers = [0, 5], experts = 3>
moe.weight @packed_lower : tensor<2x3x1x3xf32>
  = #moe.source<"{i}.packed", layers = [0, 5], experts = 3, first_row = 1>
moe.weight @packed_by_name : tensor<3x2x3xf32> = #moe.source<"5.packed">

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

  call @tensor_per_expert() : () -> ()
  call @one_tensor() : () -> ()
  return
}

// A tensor for each expert.
func.func private @tensor_per_expert() {
  %c1 = arith.constant 1 : index
  // CHECK: sizes = [2, 3]
  // CHECK-NEXT: {{\[\[}}[[E0:.*]]],
  // CHECK-NEXT: [[[E1:.*]]]]
  %e = moe.read @expert_by_name : tensor<2x3xf32>
  %e0 = tensor.cast %e : tensor<2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%e0) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [1, 3]
  // CHECK-NEXT: {{\[\[}}[[E1]]]]
  %l = moe.read @lower_row : tensor<1x3xf32>
  %l0 = tensor.cast %l : tensor<1x3xf32> to tensor<*xf32>
  call @printMemrefF32(%l0) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [1, 3]
  // CHECK-NEXT: {{\[\[}}[[O:.*]]]]
  %o = moe.read @other_expert_by_name : tensor<1x3xf32>
  %o0 = tensor.cast %o : tensor<1x3xf32> to tensor<*xf32>
  call @printMemrefF32(%o0) : (tensor<*xf32>) -> ()

  // Expert 2 of layer 5 is that tensor, and a concat joins the rows of each expert.
  // CHECK: sizes = [3, 2, 3]
  // CHECK-NOT: sizes
  // CHECK: {{\[\[}}[[E0]]],
  // CHECK-NEXT: [[[E1]]]]]
  %s = moe.read @experts[%c1] : tensor<3x2x3xf32>
  %s0 = tensor.cast %s : tensor<3x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%s0) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [3, 3, 3]
  // CHECK-NOT: sizes
  // CHECK: {{\[\[}}[[E0]]],
  // CHECK-NEXT: [[[E1]]],
  // CHECK-NEXT: [[[O]]]]]
  %b = moe.read @both_experts[%c1] : tensor<3x3x3xf32>
  %b0 = tensor.cast %b : tensor<3x3x3xf32> to tensor<*xf32>
  call @printMemrefF32(%b0) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [2, 3, 3, 3]
  // CHECK-NOT: sizes
  // CHECK: {{\[\[}}[[E0]]],
  // CHECK-NEXT: [[[E1]]],
  // CHECK-NEXT: [[[O]]]]]]
  %w = moe.read @both_experts : tensor<2x3x3x3xf32>
  %w0 = tensor.cast %w : tensor<2x3x3x3xf32> to tensor<*xf32>
  call @printMemrefF32(%w0) : (tensor<*xf32>) -> ()
  return
}

// One tensor for all experts: its element follows from its place there.
func.func private @one_tensor() {
  %c1 = arith.constant 1 : index
  // CHECK: sizes = [3, 2, 3]
  // CHECK-NEXT: {{\[\[\[}}[[A0:.*]]],
  // CHECK-NEXT: [[[A1:.*]]]],
  // CHECK-NEXT: {{\[\[}}[[B0:.*]]],
  // CHECK-NEXT: [[[B1:.*]]]],
  // CHECK-NEXT: {{\[\[}}[[C0:.*]]],
  // CHECK-NEXT: [[[C1:.*]]]]]
  %n = moe.read @packed_by_name : tensor<3x2x3xf32>
  %n0 = tensor.cast %n : tensor<3x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%n0) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [3, 2, 3]
  // CHECK-NEXT: {{\[\[\[}}[[A0]]],
  // CHECK-NEXT: [[[A1]]]],
  // CHECK-NEXT: {{\[\[}}[[B0]]],
  // CHECK-NEXT: [[[B1]]]],
  // CHECK-NEXT: {{\[\[}}[[C0]]],
  // CHECK-NEXT: [[[C1]]]]]
  %p = moe.read @packed[%c1] : tensor<3x2x3xf32>
  %p0 = tensor.cast %p : tensor<3x2x3xf32> to tensor<*xf32>
  call @printMemrefF32(%p0) : (tensor<*xf32>) -> ()
  // CHECK: sizes = [3, 1, 3]
  // CHECK-NEXT: {{\[\[\[}}[[A1]]]],
  // CHECK-NEXT: {{\[\[}}[[B1]]]],
  // CHECK-NEXT: {{\[\[}}[[C1]]]]]
  %l = moe.read @packed_lower[%c1] : tensor<3x1x3xf32>
  %l0 = tensor.cast %l : tensor<3x1x3xf32> to tensor<*xf32>
  call @printMemrefF32(%l0) : (tensor<*xf32>) -> ()
  return
}
