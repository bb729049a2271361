// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-fuse-norm-quantize \
// RUN:   -remarks-filter-missed=fusion -remark-format=emitRemark | FileCheck %s

// CHECK-LABEL: func @other_user
// CHECK: moe.rms_norm
// CHECK: moe.quantize_rows
func.func @other_user(%x: tensor<?x64xf32>, %gain: tensor<64xf32>)
    -> (tensor<?x64xf32, #moe.block<int8>>, tensor<?x64xf32>) {
  %h = moe.rms_norm %x, %gain eps 1.0e-5 : tensor<?x64xf32>, tensor<64xf32> -> tensor<?x64xf32>
  // expected-remark @below {{the norm has other users}}
  %q = moe.quantize_rows %h : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  return %q, %h : tensor<?x64xf32, #moe.block<int8>>, tensor<?x64xf32>
}

// -----

// CHECK-LABEL: func @no_norm
// CHECK: moe.quantize_rows
func.func @no_norm(%x: tensor<?x64xf32>) -> tensor<?x64xf32, #moe.block<int8>> {
  // expected-remark @below {{the rows do not come from a norm}}
  %q = moe.quantize_rows %x : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  return %q : tensor<?x64xf32, #moe.block<int8>>
}
