//===- Passes.td - The phases of CPU code generation as passes ------------------------------------===//
//
// `moire compile` runs the phases by itself (Compile.cpp); as passes they can be tried one by one.

#ifndef MOIRE_CODEGEN_CPU_PASSES
#define MOIRE_CODEGEN_CPU_PASSES

include "mlir/Pass/PassBase.td"

def Specialize : Pass<"tile-specialize", "::mlir::ModuleOp"> {
  let summary = "Clones every function for one token (.one) and for many (.many)";
}

def Schedule : Pass<"tile-schedule", "::mlir::ModuleOp"> {
  let summary = "Rewrites the functions into tile operations on buffers";
  let description = [{
    Weights are laid out from their recipes as if every tensor that one names were there.
  }];
  let options = [
    Option<"cpu", "cpu", "std::string", "\"x86-64-v3\"", "CPU whose instructions are chosen">,
    Option<"kvPage", "kv-page", "int64_t", "64", "positions in a page of keys and values">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::tile::TileDialect"];
}

def PlanBuffers : Pass<"tile-plan-buffers", "::mlir::ModuleOp"> {
  let summary = "Gives every buffer its place in the arena or scratch";
  let description = [{
    The sizes that come out are attributes of the module: `tile.arena_bytes` (if there is any),
    `tile.arena_bytes_per_token` and `tile.scratch_bytes`.
  }];
}

def InsertBarriers : Pass<"tile-insert-barriers", "::mlir::ModuleOp"> {
  let summary = "Puts a barrier wherever data crosses threads";
  let description = [{
    Shared buffers have their places (tile-plan-buffers): two that share bytes conflict.
  }];
}

def InsertProfile : Pass<"tile-insert-profile", "::mlir::ModuleOp"> {
  let summary = "Puts a time stamp behind every kernel and barrier";
  let description = [{
    The table of regions is an attribute of the module, `tile.regions`, and so is the number of stamps
    that a step makes on a thread at most, `tile.stamps`.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def Expand : Pass<"tile-expand", "::mlir::ModuleOp"> {
  let summary = "Replaces kernels by loops over vectors";
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif
