// An instruction is a row of codegen/cpu/Instructions.def for the bits of the format.
//
// RUN: moire-opt %s --split-input-file --verify-diagnostics --tile-expand

func.func @unknown(%step: !llvm.ptr, %thread: index, %team: index, %v: memref<?x96xi8>,
                   %s: memref<?x3x3xf32>, %n: memref<?x6xi32>, %w: memref<4896xi8>,
                   %y: memref<?x48xf32>) {
  // expected-error @below {{no row of the instruction table has this name for this format}}
  tile.contract panels "vpmaddubsw" q8_0 %v, %s, %n weight %w -> store %y
    {width = 48 : i64, k = 96 : i64}
    : memref<?x96xi8>, memref<?x3x3xf32>, memref<?x6xi32> weight memref<4896xi8> -> memref<?x48xf32>
  return
}
