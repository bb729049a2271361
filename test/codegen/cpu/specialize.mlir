// Every function twice; a variant calls variants of its own kind.
//
// RUN: moire-opt %s --tile-specialize | FileCheck %s

// CHECK: func.func private @layer.one(%{{.*}}: tensor<?x16xf32>)
// CHECK: func.func private @layer.many(%{{.*}}: tensor<?x16xf32>)
func.func private @layer(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  return %x : tensor<?x16xf32>
}

// CHECK: func.func @forward.one
// CHECK-NEXT: call @layer.one
// CHECK: func.func @forward.many
// CHECK-NEXT: call @layer.many
// CHECK-NOT: func.func @forward(
func.func @forward(%x: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %y = call @layer(%x) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
