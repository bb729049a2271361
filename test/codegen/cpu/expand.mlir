// Kernels become loops over vectors. In no loop is there an allocation, a copy or a library's call,
// and masks only where a width is no multiple of 16, never in the loops of products.
//
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule --tile-plan-buffers \
// RUN:   --tile-insert-barriers --tile-expand > %t.mlir
// RUN: FileCheck %s --input-file=%t.mlir
// RUN: %python %S/Inputs/check_loops.py %t.mlir
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule=cpu=znver4 \
// RUN:   --tile-plan-buffers --tile-insert-barriers --tile-expand | FileCheck %s --check-prefix=VNNI

// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// CHECK-NOT: tile.{{rms_norm|contract|attend|rope|quantize|embed|kv_append|attend_combine|select_rows}}

// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"{{.*}} : (vector<16xi32>, vector<64xi8>, vector<64xi8>)
// VNNI-NOT: pmadd{{.?}}ub
