// RUN: moire-opt %s -split-input-file -verify-diagnostics -moe-fuse-norm-quantize \
// RUN:   -remarks-filter-missed=fusion -remark-format=emitRemark | FileCheck %s

// CHECK-LABEL: func @no_norm
// CHECK: moe.quantize_rows
func.func @no_norm(%x: tensor<?x64xf32>) -> tensor<?x64xf32, #moe.block<int8>> {
  // expected-remark @below {{the rows do not come from a norm}}
  %q = moe.quantize_rows %x : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
  return %q : tensor<?x64xf32, #moe.block<int8>>
}
