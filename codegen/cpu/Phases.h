// The phases of compileForCpu, a function each. They share a plan.

#ifndef MOIRE_CODEGEN_CPU_PHASES_H
#define MOIRE_CODEGEN_CPU_PHASES_H

#include "codegen/artifact/Packing.h"
#include "codegen/cpu/Machine.h"
#include "dialects/moe/Moe.h"
#include "dialects/tile/Tile.h"
#include "runtime/ProfiledRegion.h"
#include "runtime/Work.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>

namespace moire::cpu {

/// A step function's variants, by suffix.
constexpr llvm::StringRef kOne = ".one", kMany = ".many";

/// What the phases learn about the program.
struct Plan {
  std::vector<PackedWeight> weights;
  std::map<std::string, size_t, std::less<>> weightIndex; // name to place in `weights`
  int64_t weightBytes = 0;

  mlir::tile::KvLayoutAttr kv;
  int64_t vocab = 0, hidden = 0, layers = 0, context = 0;
  bool tapped = false;
  int64_t routeWidth = 0; // most experts that a token has in a layer, if they are handed out

  Work work; // set by tallyWork

  int64_t arenaBytes = 0, arenaBytesPerToken = 0;     // of the team, set by planBuffers
  int64_t scratchBytes = 0, scratchBytesPerToken = 0; // of a thread

  std::vector<ProfiledRegion> regions; // set by insertProfile, in the order of their numbers
  int64_t stamps = 0;                  // room for those of a step on a thread

  const PackedWeight &weight(llvm::StringRef name) const {
    return weights[weightIndex.find(name)->second];
  }
};

/// What the program will say of itself, from the types of `forward` or of one of its variants;
/// `page` is the number of positions in a page of keys and values.
mlir::LogicalResult describeProgram(mlir::ModuleOp module, int64_t page, Plan &plan);

/// Chooses the panel format of every weight that is read and lays the section out; errors name
/// tensors that the container lacks.
mlir::LogicalResult planWeights(mlir::ModuleOp module, const Container &container,
                                const Machine &machine, Plan &plan);

/// Adds up what a step of the optimized module cannot do without; needs planned weights.
void tallyWork(mlir::ModuleOp module, const Machine &machine, Plan &plan);

/// specialize: clones every function for one token (`.one`) and for many (`.many`).
mlir::LogicalResult specialize(mlir::ModuleOp module);

/// schedule: rewrites the functions into tile operations on buffers.
mlir::LogicalResult schedule(mlir::ModuleOp module, const Machine &machine, Plan &plan);

/// plan: gives every buffer its place in the arena or scratch.
void planBuffers(mlir::ModuleOp module, Plan &plan);

/// team: puts a barrier wherever data crosses threads.
void insertBarriers(mlir::ModuleOp module);

/// team, with --profile: puts a time stamp behind every kernel and barrier. Fails where it cannot
/// be known how many stamps a step makes.
mlir::LogicalResult insertProfile(mlir::ModuleOp module, Plan &plan);

/// expand: kernels become loops over vectors.
mlir::LogicalResult expandKernels(mlir::ModuleOp module);

/// lower: everything becomes LLVM dialect.
mlir::LogicalResult lowerToLlvm(mlir::ModuleOp module, const Plan &plan);

/// The names of the two variants of `forward` in an object.
constexpr llvm::StringLiteral kStepOne = "moire_step_one", kStepMany = "moire_step_many";

/// object: LLVM's optimizer and code generator.
struct ObjectRequest {
  std::vector<char> *object;
  std::string *llvmIr, *assembly; // or null
};
mlir::LogicalResult emitObject(mlir::ModuleOp module, const Machine &machine, const Plan &plan,
                               int optLevel, ObjectRequest request);

} // namespace moire::cpu

#endif
