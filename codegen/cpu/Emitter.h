// Writes vector code: a thin layer over OpBuilder that speaks in rows, chunks of 16 lanes and
// shares of a team. Everything floating is computed on vectors of 16 lanes, whatever the machine's
// width is: so the order of every reduction is the same on every target.

#ifndef MOIRE_CODEGEN_CPU_EMITTER_H
#define MOIRE_CODEGEN_CPU_EMITTER_H

#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace moire::cpu {

using mlir::Value;
using mlir::ValueRange;

constexpr int64_t kLanes = 16;

class Emitter {
public:
  /// Emits before `op`, which stands in a step function (step, thread, team, …).
  explicit Emitter(mlir::Operation *op);

  mlir::OpBuilder b;
  mlir::Location loc;

  //===- Types --------------------------------------------------------------------------------===//
  mlir::Type f32() { return b.getF32Type(); }
  mlir::VectorType vec(int64_t lanes, mlir::Type element) {
    return mlir::VectorType::get({lanes}, element);
  }
  mlir::VectorType f32x16() { return vec(kLanes, f32()); }

  //===- Constants ----------------------------------------------------------------------------===//
  Value index(int64_t value);
  /// A scalar or splat constant of `type` (float or integer element).
  Value constant(mlir::Type type, double value);
  Value splat(Value scalar, mlir::VectorType type);
  Value splat(Value f32Scalar) { return splat(f32Scalar, f32x16()); }

  //===- Arithmetic on index, integers, floats; operands of one type --------------------------===//
  Value add(Value a, Value c);
  Value sub(Value a, Value c);
  Value mul(Value a, Value c);
  Value fma(Value a, Value c, Value d);
  Value div(Value a, Value c); // floats; unsigned for index
  Value rem(Value a, Value c); // unsigned
  Value min(Value a, Value c); // index
  /// Larger of two floats: `a` where a > c, else `c`.
  Value max(Value a, Value c);
  Value addConst(Value indexValue, int64_t constant);
  Value mulConst(Value indexValue, int64_t constant);
  /// i32 to index.
  Value toIndex(Value i32);

  //===- Memory -------------------------------------------------------------------------------===//
  Value dim(Value memref, int64_t dimension);
  /// A scalar.
  Value load(Value memref, ValueRange at);
  void store(Value value, Value memref, ValueRange at);
  /// `lanes` of 16 elements along the last dimension; the others read as zero.
  Value loadLanes(Value memref, ValueRange at, int64_t lanes = kLanes);
  void storeLanes(Value vector, Value memref, ValueRange at, int64_t lanes = kLanes);
  /// As loadLanes, widened to f32.
  Value loadWide(Value memref, ValueRange at, int64_t lanes = kLanes);
  /// `count` elements of `element`, read from bytes of an i8 buffer.
  Value loadBytes(Value bytes, ValueRange at, int64_t count, mlir::Type element);
  /// Asks for the cache line of byte `at`, wherever that is, into the first cache or the second.
  void prefetch(Value bytes, Value at, bool isNear);
  /// A vector, as the bytes of an i8 buffer from `at` on.
  void storeBytes(Value vector, Value bytes, Value at);
  Value widen(Value value); // f16, bf16, i8 to f32, keeping the shape
  /// f32 to f16, bf16 or f32, keeping the shape: to nearest, ties to even; a NaN stays one.
  Value narrow(Value value, mlir::Type element);

  //===- Reductions: one lane order -----------------------------------------------------------===//
  Value sumLanes(Value f32x16);
  Value maxLanes(Value f32x16);
  /// Folds the upper half of 16 lanes onto the lower one until so many are left: a vector of them.
  using Combine = llvm::function_ref<Value(Value, Value)>;
  Value foldLanes(Value v, int64_t lanes, Combine combine);
  /// One vector of 16, or four, each folded until a lane is left: these, as lanes of a vector.
  Value foldEach(llvm::ArrayRef<Value> vectors, Combine combine);
  Value lane(Value v, int64_t i);
  Value lanes(llvm::ArrayRef<Value> scalars);
  Value shuffle(Value a, Value c, llvm::ArrayRef<int64_t> lanes);

  //===- Loops --------------------------------------------------------------------------------===//
  using Body = llvm::function_ref<void(Value)>;
  using Fold = llvm::function_ref<llvm::SmallVector<Value>(Value, ValueRange)>;
  void loop(Value from, Value to, int64_t step, Body body);
  void loop(Value from, Value to, Value step, Body body);
  llvm::SmallVector<Value> fold(Value from, Value to, int64_t step, ValueRange init, Fold body);
  /// The bounds of a team member's contiguous share of 0 .. count.
  std::pair<Value, Value> shareOf(Value member, Value count);
  /// Rows 0 .. count of this thread: all of them for Split::Whole, else a contiguous share.
  void share(mlir::tile::Split split, Value count, Body body);
  /// first, first + 1, … , `count` of them.
  llvm::SmallVector<Value> consecutive(Value first, int64_t count);
  /// Part `number` of `count` of nearly equal size that from .. to consists of, each a multiple of
  /// `unit`: the last one may end that much behind `to`.
  std::pair<Value, Value> evenPart(Value from, Value to, Value number, Value count,
                                   int64_t unit = 1);
  using Tile = llvm::function_ref<void(llvm::ArrayRef<Value> places, Value number)>;
  /// How places are cut into tiles: of at most `size`, of whole units (which divide it); the last
  /// one ends with its unit, or where the places do.
  struct Tiling {
    int64_t size, unit = 1;
    bool exact = true;
  };
  /// body(places, number of the tile) for places from .. to, at least `least` of them: in as few
  /// tiles as there can be, all of nearly the same size. The code for each size that can occur is
  /// there once.
  void tiles(Value from, Value to, int64_t least, Tiling tiling, Tile body);
  /// The next of the turns 0 .. count that the team has not taken; if there is none, a larger
  /// number, and this thread must not ask again before a barrier. `turns` is the counter.
  Value nextTurn(Value turns, Value count);
  /// body(i) for i = first, and then for what it returned, while that is below `end`.
  void whileBelow(Value first, Value end, llvm::function_ref<Value(Value)> body);
  /// body(column, lanes) for each chunk of 16 columns; lanes < 16 in the last where `width` asks.
  void chunks(int64_t width, llvm::function_ref<void(Value, int64_t)> body);
  /// As chunks, with an accumulator.
  Value foldChunks(int64_t width, Value init,
                   llvm::function_ref<Value(Value, int64_t, Value)> body);
  /// body(n) for n = first .. last, whichever `number` is; else otherwise().
  void choose(Value number, int64_t first, int64_t last, llvm::function_ref<void(int64_t)> body,
              llvm::function_ref<void()> otherwise);
  /// then and otherwise see no results.
  void branch(Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise = nullptr);

  Value thread() { return function.getArgument(1); }
  Value team() { return function.getArgument(2); }

private:
  Value laneMask(int64_t lanes);
  mlir::func::FuncOp function;
};

} // namespace moire::cpu

#endif
