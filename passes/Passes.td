//===- Passes.td - Passes on the moe dialect: tensors in, tensors out, no target ------------------===//

#ifndef MOIRE_PASSES
#define MOIRE_PASSES

include "mlir/Pass/PassBase.td"

def FuseQkv : Pass<"moe-fuse-qkv", "::mlir::ModuleOp"> {
  let summary = "Makes one product of the query, key and value projections";
}

def FuseGateUp : Pass<"moe-fuse-gate-up", "::mlir::ModuleOp"> {
  let summary = "Makes one product of the gate and up projections of a gated FFN";
}

def ChooseActivations : Pass<"moe-choose-activations", "::mlir::ModuleOp"> {
  let summary = "Chooses in which number format the inputs of products are stored";
  let options = [Option<"format", "format", "std::string", "\"int8\"",
                        "int8 (for weights in blocks) or f32">];
}

def FuseNormQuantize : Pass<"moe-fuse-norm-quantize", "::mlir::ModuleOp"> {
  let summary = "Lets a norm round its rows by itself when only products read them";
}

#endif
