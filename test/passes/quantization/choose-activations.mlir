// RUN: moire-opt %s -moe-choose-activations | FileCheck %s
// RUN: moire-opt %s -moe-choose-activations=format=int8 | FileCheck %s
// RUN: moire-opt %s -moe-choose-activations=format=f32 | FileCheck %s --check-prefix=F32
// RUN: moire-opt %s -moe-choose-activations=format=bf16 | FileCheck %s --check-prefix=BF16
// RUN: moire-opt %s -moe-choose-activations=format=f32 -remarks-filter=quantization \
// RUN:   -remark-format=emitRemark -o %t 2>&1 | FileCheck %s --check-prefix=ASKED
// RUN: moire-opt %s -moe-choose-activations -remarks-filter=quantization -remark-format=emitRemark \
// RUN:   -o %t 2>&1 | FileCheck %s --check-prefix=REMARK

// ASKED: [Missed] ChooseActivations | Category:quantization | Remark="no rows are rounded, as was asked for"
// ASKED-NOT: ChooseActivations

// REMARK: [Missed] ChooseActivations {{.*}}Function=shared | Remark="the rows are not rounded: the weight is not stored in blocks, and rows of bf16 were not asked for"
// REMARK: [Passed] ChooseActivations {{.*}}Function=experts | Remark="the hidden rows are int8 in blocks of 32 columns"
// REMARK: [Passed] ChooseActivations {{.*}}Function=shared | Remark="the rows are int8 in blocks of 32 columns, once for all products"
// REMARK: [Passed] ChooseActivations {{.*}}Function=shared | Remark="the rows are int8 in blocks of 32 columns"
// REMARK: [Passed] ChooseActivations {{.*}}Function=wide | Remark="the rows are int8 in blocks of 64 columns, once for all products"
// REMARK: [Missed] ChooseActivations {{.*}}Function=wide | Remark="the rows could be int8 in blocks of 128 columns, but other products with narrower scales read them"

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

// With bf16, a weight of that type has a rounding of its own.
// BF16-LABEL: func @shared
// BF16-SAME: %[[H:[a-z0-9]+]]: tensor<?x64xf32>
// BF16-NEXT: %[[R:.*]] = moe.quantize_rows %[[H]] : tensor<?x64xf32> -> tensor<?x64xf32, #moe.rows<bf16>>
// BF16-NEXT: moe.linear %[[R]], %{{.*}} : tensor<?x64xf32, #moe.rows<bf16>>, tensor<8x64xbf16>
// BF16-NEXT: %[[Q:.*]] = moe.quantize_rows %[[H]] : tensor<?x64xf32> -> tensor<?x64xf32, #moe.block<int8>>
// BF16-NEXT: moe.linear %[[Q]], %{{.*}} #moe.block<q4_0>
// BF16-NEXT: moe.linear %[[Q]], %{{.*}} #moe.block<q8_0>
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

// Experts share the rounding with the other products of a row, and round their hidden rows; the
// router reads the row itself.
// CHECK-LABEL: func @experts
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<?x64xf32>
// CHECK-NEXT: moe.linear %[[H]], %{{.*}} tensor<4x64xf32>
// CHECK-NEXT: moe.route
// CHECK-NEXT: %[[Q:.*]] = moe.quantize_rows %[[H]]
// CHECK-NEXT: moe.experts silu %[[Q]] to %{{.*}} {hidden = #moe.block<int8>}
// CHECK-NEXT: moe.gated_linear silu %[[Q]]
// Only what is before the activation, then only what is behind it.
// CHECK-NEXT: moe.experts silu %[[Q]] to %{{.*}} down %{{[a-z0-9]+}} :
// CHECK-NEXT: moe.experts silu %[[H]] to %{{.*}} {hidden = #moe.block<int8>}
// F32-LABEL: func @experts
// F32-NOT: #moe.block<int8>
// F32: return
func.func @experts(%h: tensor<?x64xf32>, %router: tensor<4x64xf32>,
                   %g: tensor<4x32x64xf32, #moe.block<q4_0>>, %u: tensor<4x32x64xf32, #moe.block<q8_0>>,
                   %d: tensor<4x64x32xf32, #moe.block<q8_0>>, %s: tensor<32x64xf32, #moe.block<q4_0>>,
                   %u16: tensor<4x32x64xbf16>, %d16: tensor<4x64x32xbf16>)
    -> (tensor<?x64xf32>, tensor<?x16xf32>, tensor<?x64xf32>, tensor<?x64xf32>) {
  %l = moe.linear %h, %router : tensor<?x64xf32>, tensor<4x64xf32> -> tensor<?x4xf32>
  %ids, %w = moe.route softmax %l : tensor<?x4xf32> -> tensor<?x2xi32>, tensor<?x2xf32>
  %0 = moe.experts silu %h to %ids weighted %w gate %g up %u down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x64xf32, #moe.block<q4_0>>,
      tensor<4x32x64xf32, #moe.block<q8_0>>, tensor<4x64x32xf32, #moe.block<q8_0>> -> tensor<?x64xf32>
  %1 = moe.gated_linear silu %h, %s : tensor<?x64xf32>, tensor<32x64xf32, #moe.block<q4_0>> -> tensor<?x16xf32>
  %2 = moe.experts silu %h to %ids weighted %w up %u down %d16
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x64xf32, #moe.block<q8_0>>,
      tensor<4x64x32xbf16> -> tensor<?x64xf32>
  %3 = moe.experts silu %h to %ids weighted %w up %u16 down %d
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x64xbf16>,
      tensor<4x64x32xf32, #moe.block<q8_0>> -> tensor<?x64xf32>
  return %0, %1, %2, %3 : tensor<?x64xf32>, tensor<?x16xf32>, tensor<?x64xf32>, tensor<?x64xf32>
}

// Experts whose gate and up are of bf16 read rows of bf16; their hidden rows stay f32.
// BF16-LABEL: func @experts_bf16
// BF16: %[[R:.*]] = moe.quantize_rows %{{.*}} -> tensor<?x64xf32, #moe.rows<bf16>>
// BF16-NEXT: moe.experts silu %[[R]]
// BF16-NOT: hidden
// BF16: return
func.func @experts_bf16(%h: tensor<?x64xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
                        %gate: tensor<4x32x64xbf16>, %up: tensor<4x32x64xbf16>,
                        %down: tensor<4x64x32xbf16>) -> tensor<?x64xf32> {
  %0 = moe.experts silu %h to %ids weighted %w gate %gate up %up down %down
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x64xbf16>, tensor<4x32x64xbf16>, tensor<4x64x32xbf16> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// Blocks are as wide as the scales of the weights reach; the narrowest decides where rows are shared,
// of the gate and up of experts, too. Factors of K-quants are for 32 columns, or 16.
// CHECK-LABEL: func @wide
// CHECK-SAME: %[[H:[a-z0-9]+]]: tensor<?x96xf32>
// CHECK-NEXT: %[[Q:.*]] = moe.quantize_rows %[[H]] : tensor<?x96xf32> -> tensor<?x96xf32, #moe.block<int8, 64>>
// CHECK-NEXT: moe.linear %[[Q]], %{{.*}} #moe.block<int4_g128>
// CHECK-NEXT: %[[Y:.*]] = moe.linear %[[Q]], %{{.*}} #moe.block<uint4_g64>
// CHECK-NEXT: %[[QY:.*]] = moe.quantize_rows %[[Y]] : tensor<?x256xf32> -> tensor<?x256xf32, #moe.block<int8, 256>>
// CHECK-NEXT: %[[Z:.*]] = moe.linear %[[QY]], %{{.*}} #moe.block<int8_g256>
// CHECK-NEXT: %[[QZ:.*]] = moe.quantize_rows %[[Z]] : tensor<?x256xf32> -> tensor<?x256xf32, #moe.block<int8>>
// CHECK-NEXT: moe.linear %[[QZ]], %{{.*}} #moe.block<int4_g128>
// CHECK-NEXT: moe.linear %[[QZ]], %{{.*}} #moe.block<q6_k>
func.func @wide(%h: tensor<?x96xf32>, %a: tensor<8x96xf32, #moe.block<int4_g128>>,
                %b: tensor<256x96xf32, #moe.block<uint4_g64>>, %c: tensor<256x256xf32, #moe.block<int8_g256>>,
                %d: tensor<8x256xf32, #moe.block<int4_g128>>, %e: tensor<8x256xf32, #moe.block<q6_k>>)
    -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = moe.linear %h, %a : tensor<?x96xf32>, tensor<8x96xf32, #moe.block<int4_g128>> -> tensor<?x8xf32>
  %1 = moe.linear %h, %b : tensor<?x96xf32>, tensor<256x96xf32, #moe.block<uint4_g64>> -> tensor<?x256xf32>
  %2 = moe.linear %1, %c : tensor<?x256xf32>, tensor<256x256xf32, #moe.block<int8_g256>> -> tensor<?x256xf32>
  %3 = moe.linear %2, %d : tensor<?x256xf32>, tensor<8x256xf32, #moe.block<int4_g128>> -> tensor<?x8xf32>
  %4 = moe.linear %2, %e : tensor<?x256xf32>, tensor<8x256xf32, #moe.block<q6_k>> -> tensor<?x8xf32>
  return %0, %3, %4 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// CHECK-LABEL: func @wide_experts
// CHECK: %[[Q:.*]] = moe.quantize_rows %{{.*}} -> tensor<?x64xf32, #moe.block<int8, 64>>
// CHECK-NEXT: moe.experts silu %[[Q]] {{.*}} {hidden = #moe.block<int8, 128>}
func.func @wide_experts(%h: tensor<?x64xf32>, %ids: tensor<?x2xi32>, %w: tensor<?x2xf32>,
                        %gate: tensor<4x32x64xf32, #moe.block<int4_g64>>, %up: tensor<4x32x64xf32, #moe.block<int4_g128>>,
                        %down: tensor<4x64x32xf32, #moe.block<int8_g128>>) -> tensor<?x64xf32> {
  %0 = moe.experts silu %h to %ids weighted %w gate %gate up %up down %down
    : tensor<?x64xf32>, tensor<?x2xi32>, tensor<?x2xf32>, tensor<4x32x64xf32, #moe.block<int4_g64>>,
      tensor<4x32x64xf32, #moe.block<int4_g128>>, tensor<4x64x32xf32, #moe.block<int8_g128>> -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}
