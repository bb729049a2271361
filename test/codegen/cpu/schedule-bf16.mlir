// Rows of bf16: pairs for an instruction that multiplies pairs, rounded f32 elsewhere. The embedding,
// which is also the head, has the panels of the head.
//
// RUN: sed -e 's/f32, #moe.block<q4_0>>/bf16>/g' -e 's/#moe.block<int8>/#moe.rows<bf16>/g' \
// RUN:   %S/Inputs/model.mlir > %t.mlir
// RUN: moire-opt %t.mlir --tile-specialize --tile-schedule="cpu=znver5" > %t.pairs
// RUN: FileCheck %s --check-prefix=PAIRS --input-file=%t.pairs
// RUN: moire-opt %t.mlir --tile-specialize --tile-schedule="cpu=x86-64-v3" \
// RUN:   | FileCheck %s --check-prefix=PLAIN
// RUN: moire-opt %t.mlir --tile-specialize --tile-schedule="cpu=sapphirerapids" \
// RUN:   | FileCheck %s --check-prefix=PLAIN

// PAIRS-NOT: strip
// PAIRS-NOT: bf16 %
// PAIRS-LABEL: func.func private @layer.many(
// PAIRS: %[[H:.*]] = tile.alloc shared(%{{.*}}) : memref<?x32xi32>
// PAIRS: tile.rms_norm rows %{{.*}} -> %[[H]] eps 1.000000e-05 {round}
// PAIRS: tile.contract panels "vdpbf16ps" bf16_pairs %[[H]] weight %{{.*}} -> store
// PAIRS: tile.round rows %{{.*}} -> %[[A:.*]] : memref<?x64xf32> -> memref<?x32xi32>
// PAIRS: tile.contract panels "vdpbf16ps" bf16_pairs %[[A]] weight %{{.*}} -> accumulate
// PAIRS: tile.contract panels "vdpbf16ps" bf16_pairs {{.*}} -> gate_silu
// PAIRS: tile.round rows {{.*}} : memref<?x96xf32> -> memref<?x48xi32>
// PAIRS: tile.contract panels "vdpbf16ps" bf16_pairs {{.*}} -> accumulate
// PAIRS-LABEL: func.func @forward.many(
// PAIRS: tile.embed rows bf16_pairs
// PAIRS: tile.contract panels "vdpbf16ps" bf16_pairs

// PLAIN-NOT: bf16_pairs
// PLAIN-LABEL: func.func private @layer.many(
// PLAIN: %[[H:.*]] = tile.alloc shared(%{{.*}}) : memref<?x64xf32>
// PLAIN: tile.rms_norm rows %{{.*}} -> %[[H]] eps 1.000000e-05 {round}
// PLAIN: tile.contract panels "vfmadd" bf16 %[[H]] weight %{{.*}} strip %{{.*}} -> store
// PLAIN: tile.round rows %{{.*}} -> %{{.*}} : memref<?x64xf32> -> memref<?x64xf32>
// PLAIN-LABEL: func.func @forward.many(
// PLAIN: tile.embed rows bf16 %
