// What the operations of a model become.
//
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule > %t.mlir
// RUN: FileCheck %s --check-prefix=ONE --input-file=%t.mlir
// RUN: FileCheck %s --check-prefix=MANY --input-file=%t.mlir
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule="cpu=znver4 kv-page=16" \
// RUN:   | FileCheck %s --check-prefix=VNNI
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule="cpu=sapphirerapids" \
// RUN:   | FileCheck %s --check-prefix=LATE
// RUN: moire-opt %S/Inputs/model.mlir --tile-specialize --tile-schedule="cpu=znver3" \
// RUN:   | FileCheck %s --check-prefix=ZEN
// RUN: sed 's/100/20000/g' %S/Inputs/model.mlir | moire-opt --tile-specialize --tile-schedule \
// RUN:   | FileCheck %s --check-prefix=SHARES
// RUN: sed 's/2x?x?x2x16xf16/2x?x?x2x16xf32, #moe.int8_rows/' %S/Inputs/model.mlir \
// RUN:   | moire-opt --tile-specialize --tile-schedule | FileCheck %s --check-prefix=INT8
// RUN: sed 's/q4_0/int4_g64/; s/block<int8>/block<int8, 64>/' %S/Inputs/model.mlir \
// RUN:   | moire-opt --tile-specialize --tile-schedule | FileCheck %s --check-prefix=WIDE

// One token: norms, roundings and rotations are done by every thread for itself, in scratch; panels
// are unpacked in registers. The product's slices are views of its columns, the residual is
// accumulated into the stream that the layer was given.
//
// ONE-LABEL: func.func private @layer.one(
// ONE-SAME: %[[STEP:.*]]: !llvm.ptr, %[[THREAD:.*]]: index, %[[TEAM:.*]]: index, %[[L:.*]]: index, %[[S:.*]]: index, %[[X:.*]]: memref<1x64xf32>)
// ONE: %[[H:.*]] = tile.alloc private : memref<1x64xi8>
// ONE: tile.rms_norm whole %[[X]], %{{.*}} -> %[[H]]
// ONE: %[[QKV:.*]] = tile.alloc shared : memref<1x128xf32>
// ONE-NOT: strip
// ONE: tile.contract panels "vpmaddubsw" q4_0 %[[H]], {{.*}} -> store %[[QKV]]
// ONE: memref.subview %[[QKV]][0, 0] [1, 64]
// ONE: tile.rope whole {{.*}} -> %[[Q:[a-z0-9_]+]]
// ONE: memref.subview %[[QKV]][0, 64] [1, 32]
// ONE: tile.rope whole
// ONE: tile.kv_append segments keys {{.*}} {segment = 512 : i64}
// ONE: memref.subview %[[QKV]][0, 96] [1, 32]
// ONE: tile.kv_append segments values
// ONE: %[[Y:.*]] = tile.alloc private : memref<1x64xf32>
// ONE: %[[PARTS:.*]] = tile.alloc team : memref<1x4x32xf32>
// ONE: tile.attend segments %[[Q]], {{.*}} -> %[[PARTS]]
// ONE: tile.attend_combine whole %[[PARTS]], %{{.*}} -> %[[Y]]
// ONE-NOT: tile.add
// ONE-NOT: tile.copy
// ONE: tile.contract panels {{.*}} -> accumulate %[[X]]
// ONE: tile.contract panels {{.*}} -> gate_silu
// ONE: tile.contract panels {{.*}} -> accumulate %[[X]]
// ONE-NEXT: return

// The embedding goes into a shared stream; logits go to the host.
//
// ONE-LABEL: func.func @forward.one(
// ONE: %[[STREAM:.*]] = tile.alloc shared : memref<1x64xf32>
// ONE: tile.embed rows q4_0 {{.*}} -> %[[STREAM]]
// ONE: scf.for
// ONE: func.call @layer.one(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[STREAM]])
// ONE: %[[LOGITS:.*]] = tile.input logits : memref<1x100xf32>
// ONE: %[[TURNS:.*]] = tile.alloc kept : memref<1xi64>
// ONE: tile.contract {{.*}} turns %[[TURNS]] -> store %[[LOGITS]]
// ONE-SAME: {k = 64 : i64, sharing = #tile.sharing<equal = 5, panels = 1, single = 8, streams = 1, ahead = 6144>, width = 100 : i64}
// ONE-NOT: tensor<
// ONE-NOT: moe.

// Many: rows are split over the team and shared; from 5 rows on a panel is unpacked
// once, into a strip.
//
// MANY-LABEL: func.func private @layer.many(
// MANY-SAME: %[[X:[a-z0-9]+]]: memref<?x64xf32>)
// MANY: %[[H:.*]] = tile.alloc shared(%{{.*}}) : memref<?x64xi8>
// MANY: tile.rms_norm rows %[[X]], %{{.*}} -> %[[H]]{{.*}} {fours = 10 : i64}
// MANY: %[[STRIP:.*]] = tile.alloc private : memref<1152xi8>
// MANY: tile.contract panels "vpmaddubsw" q4_0 %[[H]], {{.*}} strip %[[STRIP]] turns %{{.*}} -> store
// MANY-SAME: {blocking = #tile.blocking<direct = 10, together = 5, rows = 4, block = 512, columns = 64>, fours = 10 : i64
// MANY: tile.rope rows
// MANY: tile.kv_append rows keys
// MANY: tile.attend tiles {{.*}} turns %{{.*}} segment = 512 : i64, vectors = 8 : i64}
// MANY: tile.contract {{.*}} -> accumulate %[[X]]
// MANY: tile.alloc private : memref<2304xi8>
// MANY: tile.contract {{.*}} -> gate_silu
// MANY: tile.contract {{.*}} -> accumulate %[[X]]

// Some machines read several panels side by side, and some had better not be asked.
// LATE: tile.contract {{.*}} -> store
// LATE-SAME: sharing = #tile.sharing<equal = 6, panels = 4, single = 8, streams = 4, ahead = 8192>
// ZEN: sharing = #tile.sharing<equal = 6, panels = 4, single = 8, streams = 4>

// A turn is at most a 64th of all 1250 panels.
// SHARES: tile.contract {{.*}} -> store {{.*}} sharing = #tile.sharing<equal = 937, panels = 19, single = 8, streams = 1, ahead = 6144>, width = 20000

// The table's row is the machine's.
// VNNI: "vpdpbusd" q4_0
// VNNI: tile.rms_norm rows {{.*}} {fours = 0 : i64}
// VNNI: blocking = #tile.blocking<direct = 32, together = 8, rows = 6, block = 512, columns = 64, panels = 2>, fours = 0 : i64
// VNNI: page = 16
// VNNI: tile.attend tiles {{.*}} vectors = 32 : i64}
// VNNI-NOT: vpmaddubsw

// Keys and values as int8: the pool holds bytes.
// INT8: %[[POOL:.*]] = tile.input kv : memref<?xi8>
// INT8: tile.kv_append segments keys %{{.*}}, %[[POOL]], {{.*}} <layers = 2, kv_heads = 2, head_dim = 16, page = 64, element = i8>

// Blocks of 64 columns: a scale and a sum for each, the last of 32.
//
// WIDE-LABEL: func.func private @layer.many(
// WIDE: tile.rms_norm rows {{.*}} -> memref<?x64xi8>, memref<?x3x1xf32>, memref<?x1xi32>
// WIDE: tile.contract panels "vpmaddubsw" int4_g64 {{.*}} memref<?x64xi8>, memref<?x3x1xf32>, memref<?x1xi32>
// WIDE: tile.quantize rows {{.*}} memref<?x96xf32> -> memref<?x96xi8>, memref<?x3x2xf32>, memref<?x2xi32>
