// RUN: moire-opt %s -moe-fuse-norm-quantize | FileCheck %s

// CHECK-LABEL: func @norm
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[GAIN:[a-z0-9]+]]: tensor<64xf32>
// CHECK-NEXT: %[[H:.*]] = moe.rms_norm %[[X]], %[[GAIN]] eps
// CHECK-SAME: -> tensor<?x64xf32, #moe.block<int8>>
// CHECK-NEXT: moe.linear %[[H]]
// CHECK-NEXT: moe.linear %[[H]]
func.func @norm(%x: tensor<?x64xf32>, %gain: tensor<64xf32>, %w: tensor<8x64xf32, #moe.block<q4_0>>)
    -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %q = moe.quantize_rows %h : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  %y = moe.linear %q, %w : tensor<?x64xf32, #moe.block<int8>>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
  %z = moe.linear %q, %w : tensor<?x64xf32, #moe.block<int8>>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
  return %y, %z : tensor<?x8xf32>, tensor<?x8xf32>
}

// A router reads the rows as they are, experts read them rounded: two norms.
// CHECK-LABEL: func @two_readers
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x64xf32>, %[[GAIN:[a-z0-9]+]]: tensor<64xf32>
// CHECK-DAG: %[[H:.*]] = moe.rms_norm %[[X]], %[[GAIN]] eps {{.*}} -> tensor<?x64xf32>{{$}}
// CHECK-DAG: %[[Q:.*]] = moe.rms_norm %[[X]], %[[GAIN]] eps {{.*}} -> tensor<?x64xf32, #moe.block<int8>>
// CHECK: moe.linear %[[H]]
// CHECK: moe.linear %[[Q]]
func.func @two_readers(%x: tensor<?x64xf32>, %gain: tensor<64xf32>, %router: tensor<4x64xf32>,
                       %w: tensor<8x64xf32, #moe.block<q4_0>>)
    -> (tensor<?x4xf32>, tensor<?x8xf32>) {
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  %logits = moe.linear %h, %router : tensor<?x64xf32>, tensor<4x64xf32> -> tensor<?x4xf32>
  %q = moe.quantize_rows %h : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  %y = moe.linear %q, %w : tensor<?x64xf32, #moe.block<int8>>, tensor<8x64xf32, #moe.block<q4_0>> -> tensor<?x8xf32>
  return %logits, %y : tensor<?x4xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @norm_bf16
// CHECK: %[[H:.*]] = moe.rms_norm {{.*}} -> tensor<?x60xf32, #moe.rows<bf16>>
// CHECK-NEXT: moe.gated_linear silu %[[H]]
func.func @norm_bf16(%x: tensor<?x60xf32>, %gain: tensor<60xf32>, %w: tensor<16x60xbf16>)
    -> tensor<?x8xf32> {
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x60xf32>, tensor<60xf32> -> tensor<?x60xf32>
  %q = moe.quantize_rows %h : tensor<?x60xf32> -> tensor<?x60xf32, #moe.rows<bf16>>
  %y = moe.gated_linear silu %q, %w : tensor<?x60xf32, #moe.rows<bf16>>, tensor<16x60xbf16> -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}
