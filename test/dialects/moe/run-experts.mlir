// RUN: cat %s %prelude | %run_oracle | FileCheck %s

// The numbers were computed in double precision, row by row, in Python.

func.func @main() {
  %x0 = arith.constant dense<[[1.0, 2.0], [-1.0, 0.5], [3.0, -2.0]]> : tensor<3x2xf32>
  %ids0 = arith.constant dense<[[2, 0], [1, 2], [0, 1]]> : tensor<3x2xi32>
  %weights0 = arith.constant dense<[[0.75, 0.25], [0.5, 0.5], [1.5, 0.0]]> : tensor<3x2xf32>
  %gate = arith.constant dense<[[[1.0, 0.0], [0.0, 1.0]], [[2.0, -1.0], [1.0, 1.0]],
                                [[0.5, 0.5], [-1.0, 2.0]]]> : tensor<3x2x2xf32>
  %up = arith.constant dense<[[[1.0, 1.0], [1.0, -1.0]], [[0.0, 1.0], [2.0, 0.0]],
                              [[1.0, 2.0], [3.0, 1.0]]]> : tensor<3x2x2xbf16>
  %down = arith.constant dense<[[[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [0.0, -1.0]],
                                [[-1.0, 1.0], [2.0, 0.5]]]> : tensor<3x2x2xf16>
  %x = tensor.cast %x0 : tensor<3x2xf32> to tensor<?x2xf32>
  %ids = tensor.cast %ids0 : tensor<3x2xi32> to tensor<?x2xi32>
  %weights = tensor.cast %weights0 : tensor<3x2xf32> to tensor<?x2xf32>

  // CHECK: {{\[\[}}6.6659, 14.1155],
  // CHECK-NEXT: [-1.87186, -1.28977],
  // CHECK-NEXT: [4.28658, -1.78804]]
  %gated = moe.experts silu %x to %ids weighted %weights gate %gate up %up down %down
    : tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<3x2x2xf32>, tensor<3x2x2xbf16>,
      tensor<3x2x2xf16> -> tensor<?x2xf32>
  %gated0 = tensor.cast %gated : tensor<?x2xf32> to tensor<?x?xf32>
  call @print(%gated0) : (tensor<?x?xf32>) -> ()

  // The same with the gate's rows before those of up.
  // CHECK: {{\[\[}}6.6659, 14.1155],
  // CHECK-NEXT: [-1.87186, -1.28977],
  // CHECK-NEXT: [4.28658, -1.78804]]
  %both = arith.constant dense<
    [[[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]],
     [[2.0, -1.0], [1.0, 1.0], [0.0, 1.0], [2.0, 0.0]],
     [[0.5, 0.5], [-1.0, 2.0], [1.0, 2.0], [3.0, 1.0]]]> : tensor<3x4x2xf32>
  %fused = moe.experts silu %x to %ids weighted %weights gated up %both down %down
    : tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<3x4x2xf32>, tensor<3x2x2xf16>
      -> tensor<?x2xf32>
  %fused0 = tensor.cast %fused : tensor<?x2xf32> to tensor<?x?xf32>
  call @print(%fused0) : (tensor<?x?xf32>) -> ()

  // Plain experts.
  // CHECK: {{\[\[}}0.714431, 9.24502],
  // CHECK-NEXT: [-0.177614, 0.0717916],
  // CHECK-NEXT: [1.09659, 7.4498]]
  %plain = moe.experts silu %x to %ids weighted %weights up %up down %down
    : tensor<?x2xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<3x2x2xbf16>, tensor<3x2x2xf16>
      -> tensor<?x2xf32>
  %plain0 = tensor.cast %plain : tensor<?x2xf32> to tensor<?x?xf32>
  call @print(%plain0) : (tensor<?x?xf32>) -> ()

  // One expert a token.
  // CHECK: {{\[\[}}6.1176, 14.5559],
  // CHECK-NEXT: [0.330129, -0.18877],
  // CHECK-NEXT: [4.28658, -1.78804]]
  %first = tensor.extract_slice %ids0[0, 0] [3, 1] [1, 1] : tensor<3x2xi32> to tensor<3x1xi32>
  %its = tensor.extract_slice %weights0[0, 0] [3, 1] [1, 1] : tensor<3x2xf32> to tensor<3x1xf32>
  %one = moe.experts silu %x0 to %first weighted %its gate %gate up %up down %down
    : tensor<3x2xf32>, tensor<3x1xi32>, tensor<3x1xf32>, tensor<3x2x2xf32>, tensor<3x2x2xbf16>,
      tensor<3x2x2xf16> -> tensor<3x2xf32>
  %one0 = tensor.cast %one : tensor<3x2xf32> to tensor<?x?xf32>
  call @print(%one0) : (tensor<?x?xf32>) -> ()

  call @rounded_hidden_rows() : () -> ()
  return
}

// With one expert, of weight 1, experts are two products; `hidden` rounds between them.
moe.weight @up : tensor<1x32x32xf32, #moe.block<q8_0>> = #moe.source<"up", experts = 1>
moe.weight @down : tensor<1x3x32xf32, #moe.block<q8_0>> = #moe.source<"down", experts = 1>
func.func private @rounded_hidden_rows() {
  %c2 = arith.constant 2 : index
  %c32 = arith.constant 32 : index
  %seed = arith.constant 3 : i32
  %random = call @random(%c2, %c32, %seed) : (index, index, i32) -> tensor<?x?xf32>
  %x = tensor.cast %random : tensor<?x?xf32> to tensor<2x32xf32>
  %x8 = moe.quantize_rows %x : tensor<2x32xf32> -> tensor<2x32xf32, #moe.block<int8>>
  %ids = arith.constant dense<0> : tensor<2x1xi32>
  %weights = arith.constant dense<1.0> : tensor<2x1xf32>
  %up = moe.read @up : tensor<1x32x32xf32, #moe.block<q8_0>>
  %down = moe.read @down : tensor<1x3x32xf32, #moe.block<q8_0>>

  %experts = moe.experts sigmoid %x8 to %ids weighted %weights up %up down %down
    {hidden = #moe.block<int8>}
    : tensor<2x32xf32, #moe.block<int8>>, tensor<2x1xi32>, tensor<2x1xf32>,
      tensor<1x32x32xf32, #moe.block<q8_0>>, tensor<1x3x32xf32, #moe.block<q8_0>> -> tensor<2x3xf32>
  // CHECK: sizes = [2, 3]
  // CHECK-NEXT: {{\[\[}}[[ROW0:.*]]],
  // CHECK-NEXT: [[[ROW1:.*]]]]
  %experts0 = tensor.cast %experts : tensor<2x3xf32> to tensor<?x?xf32>
  call @print(%experts0) : (tensor<?x?xf32>) -> ()

  %up_plain = tensor.cast %up : tensor<1x32x32xf32, #moe.block<q8_0>> to tensor<1x32x32xf32>
  %down_plain = tensor.cast %down : tensor<1x3x32xf32, #moe.block<q8_0>> to tensor<1x3x32xf32>
  %up2 = tensor.collapse_shape %up_plain [[0, 1], [2]] : tensor<1x32x32xf32> into tensor<32x32xf32>
  %down2 = tensor.collapse_shape %down_plain [[0, 1], [2]] : tensor<1x3x32xf32> into tensor<3x32xf32>
  %ones = arith.constant dense<1.0> : tensor<2x32xf32>
  %x8_plain = tensor.cast %x8 : tensor<2x32xf32, #moe.block<int8>> to tensor<2x32xf32>
  %h = moe.linear %x8_plain, %up2 : tensor<2x32xf32>, tensor<32x32xf32> -> tensor<2x32xf32>
  %a = moe.gate sigmoid %h, %ones : tensor<2x32xf32>
  %a8 = moe.quantize_rows %a : tensor<2x32xf32> -> tensor<2x32xf32, #moe.block<int8>>
  %a8_plain = tensor.cast %a8 : tensor<2x32xf32, #moe.block<int8>> to tensor<2x32xf32>
  %y = moe.linear %a8_plain, %down2 : tensor<2x32xf32>, tensor<3x32xf32> -> tensor<2x3xf32>
  // CHECK: sizes = [2, 3]
  // CHECK-NEXT: {{\[\[}}[[ROW0]]],
  // CHECK-NEXT: [[[ROW1]]]]
  %y0 = tensor.cast %y : tensor<2x3xf32> to tensor<?x?xf32>
  call @print(%y0) : (tensor<?x?xf32>) -> ()

  // Without the rounding it is another result.
  // CHECK: sizes = [2, 3]
  // CHECK-NOT: [[ROW0]]
  %z = moe.linear %a, %down2 : tensor<2x32xf32>, tensor<3x32xf32> -> tensor<2x3xf32>
  %z0 = tensor.cast %z : tensor<2x3xf32> to tensor<?x?xf32>
  call @print(%z0) : (tensor<?x?xf32>) -> ()
  return
}
