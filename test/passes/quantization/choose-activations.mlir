// RUN: moire-opt %s -moe-choose-activations | FileCheck %s
// RUN: moire-opt %s -moe-choose-activations=format=int8 | FileCheck %s
// RUN: moire-opt %s -moe-choose-activations=format=f32 | FileCheck %s --check-prefix=F32

// F32-NOT: moe.quantize_rows

// One rounding for all users of a row in a block, in front of the first; plain weights read the row
// itself.
// CHECK-LABEL: func @shared
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<?x64xf32>
// CHECK-NEXT: %[[P:.*]] = moe.linear %[[H]], %{{.*}} tensor<8x64xbf16>
// CHECK-NEXT: %[[Q:.*]] = moe.quantize_rows %[[H]] : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
// CHECK-NEXT: moe.linear %[[Q]], %{{.*}} #moe.block<q4_0>
// CHECK-NEXT: moe.linear %[[Q]], %{{.*}} #moe.block<q8_0>
// CHECK-NEXT: %[[Y:.*]] = moe.gated_linear silu %[[Q]], %{{.*}} #moe.block<q4_1>
// CHECK-NEXT: %[[QY:.*]] = moe.quantize_rows %[[Y]]
// CHECK-NEXT: moe.linear %[[QY]]
// CHECK-NOT: moe.quantize_rows
func.func @shared(%h: tensor<?x64xf32>, %w: tensor<8x64xbf16>, %a: tensor<8x64xf32, #moe.block<q4_0>>,
                  %b: tensor<8x64xf32, #moe.block<q8_0>>, %c: tensor<64x64xf32, #moe.block<q4_1>>,
                  %d: tensor<8x32xf32, #moe.block<q4_1>>)
    -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = moe.linear %h, %w : tensor<?x64xf32>, tensor<8x64xbf16> -> tensor<?x8xf32>
  %1 = moe.linear %h, %a : tensor<?x64xf32>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
  %2 = moe.linear %h, %b : tensor<?x64xf32>, tensor<8x64xf32, #moe.block<q8_0>> -> tensor<?x8xf32>
  %3 = moe.gated_linear silu %h, %c : tensor<?x64xf32>, tensor<64x64xf32, #moe.block<q4_1>> -> tensor<?x32xf32>
  %4 = moe.linear %3, %d : tensor<?x32xf32>, tensor<8x32xf32, #moe.block<q4_1>> -> tensor<?x8xf32>
  return %0, %1, %2, %4 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// Blocks do not share: the row may be needed in one of them only.
// CHECK-LABEL: func @branches
// CHECK: scf.if
// CHECK: moe.quantize_rows
// CHECK: else
// CHECK: moe.quantize_rows
func.func @branches(%c: i1, %h: tensor<?x64xf32>, %a: tensor<8x64xf32, #moe.block<q4_0>>,
                    %b: tensor<8x64xf32, #moe.block<q4_0>>) -> tensor<?x8xf32> {
  %r = scf.if %c -> tensor<?x8xf32> {
    %0 = moe.linear %h, %a : tensor<?x64xf32>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
    scf.yield %0 : tensor<?x8xf32>
  } else {
    %0 = moe.linear %h, %b : tensor<?x64xf32>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
    scf.yield %0 : tensor<?x8xf32>
  }
  return %r : tensor<?x8xf32>
}
