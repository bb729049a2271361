#include "codegen/cpu/DotInstruction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {
namespace {

Value intrinsic(Emitter &e, StringRef name, Type result, ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(e.b, e.loc, result, e.b.getStringAttr(name), operands)
      .getResult(0);
}

// The activations in x in every group of 4 bytes of a vector.
Value broadcast(Emitter &e, Value x, int64_t bytes) {
  Value words = e.splat(x, e.vec(bytes / 4, e.b.getI32Type()));
  return vector::BitCastOp::create(e.b, e.loc, e.vec(bytes, e.b.getI8Type()), words);
}

// Lower or upper half of a vector.
Value half(Emitter &e, Value v, int64_t i) {
  int64_t n = cast<VectorType>(v.getType()).getNumElements() / 2;
  return vector::ExtractStridedSliceOp::create(e.b, e.loc, v, ArrayRef<int64_t>{i * n},
                                               ArrayRef<int64_t>{n}, ArrayRef<int64_t>{1});
}

Value join(Emitter &e, Value low, Value high) {
  int64_t n = cast<VectorType>(low.getType()).getNumElements();
  return vector::ShuffleOp::create(e.b, e.loc, low, high,
                                   llvm::to_vector(llvm::seq<int64_t>(0, 2 * n)));
}

// - zeroPoint * sum in every lane.
Value correction(Emitter &e, Value sum, int64_t zeroPoint) {
  Value product = e.mul(sum, e.constant(sum.getType(), -zeroPoint));
  return e.splat(product, e.vec(kLanes, e.b.getI32Type()));
}

class DotVnni final : public DotInstruction {
public:
  explicit DotVnni(int64_t bits) : bits(bits) {}

  Values begin(Emitter &e, Value sum, int64_t zeroPoint) override {
    // Signed weights are shifted by 128 to be unsigned.
    int64_t shift = zeroPoint + (bits == 8 ? 128 : 0);
    return {shift ? correction(e, sum, shift) : e.constant(e.vec(kLanes, e.b.getI32Type()), 0)};
  }
  Values prepare(Emitter &e, Value line) override {
    if (bits == 8)
      line = arith::XOrIOp::create(e.b, e.loc, line, e.constant(line.getType(), -128));
    return {line};
  }
  Values step(Emitter &e, Values acc, const Values &weights, Value x, int64_t) override {
    return {intrinsic(e, "llvm.x86.avx512.vpdpbusd.512", acc[0].getType(),
                      {acc[0], weights[0], broadcast(e, x, 64)})};
  }
  Value finish(Emitter &e, Values acc) override { return acc[0]; }

private:
  int64_t bits;
};

// A sum of which the first part may be null.
Value plus(Emitter &e, Value a, Value c) { return a ? e.add(a, c) : c; }

// How many pairs of products of unsigned weights of `bits` with int8 a sum of 16 bits holds.
constexpr int64_t stepsOf16Bits(int64_t bits) { return 32767 / (2 * ((1 << bits) - 1) * 127); }

class DotWideUnsigned final : public DotInstruction {
public:
  explicit DotWideUnsigned(int64_t bits) : steps(stepsOf16Bits(bits)) {}

  // Sums of 16 bits, then of 32; the correction. A null is zero.
  Values begin(Emitter &e, Value sum, int64_t zeroPoint) override {
    return {{}, {}, zeroPoint ? correction(e, sum, zeroPoint) : Value()};
  }
  Values prepare(Emitter &, Value line) override { return {line}; }
  Values step(Emitter &e, Values acc, const Values &weights, Value x, int64_t number) override {
    Value products = intrinsic(e, "llvm.x86.avx512.pmaddubs.w.512", e.vec(32, e.b.getI16Type()),
                               {weights[0], broadcast(e, x, 64)});
    acc[0] = plus(e, acc[0], products);
    return (number + 1) % steps == 0 ? widened(e, acc) : acc;
  }
  Value finish(Emitter &e, Values acc) override {
    acc = widened(e, acc);
    return plus(e, acc[2], acc[1]);
  }

private:
  // The sums of 16 bits go into those of 32.
  static Values widened(Emitter &e, Values acc) {
    if (!acc[0])
      return acc;
    Value sums = intrinsic(e, "llvm.x86.avx512.pmaddw.d.512", e.vec(kLanes, e.b.getI32Type()),
                           {acc[0], e.constant(acc[0].getType(), 1)});
    return {{}, plus(e, acc[1], sums), acc[2]};
  }

  int64_t steps;
};

class DotWideSigned final : public DotInstruction {
public:
  explicit DotWideSigned(int64_t) {}

  Values begin(Emitter &e, Value, int64_t zeroPoint) override {
    assert(zeroPoint == 0 && "signed weights have no zero point");
    return {e.constant(e.vec(kLanes, e.b.getI32Type()), 0)};
  }
  Values prepare(Emitter &e, Value line) override {
    Value isNegative = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, line,
                                             e.constant(line.getType(), 0));
    return {math::AbsIOp::create(e.b, e.loc, line), isNegative};
  }
  Values step(Emitter &e, Values acc, const Values &weights, Value x, int64_t) override {
    Value activations = broadcast(e, x, 64), ones = e.constant(e.vec(32, e.b.getI16Type()), 1);
    Value minus = e.sub(e.constant(activations.getType(), 0), activations);
    Value withSign = arith::SelectOp::create(e.b, e.loc, weights[1], minus, activations);
    Value products =
        intrinsic(e, "llvm.x86.avx512.pmaddubs.w.512", ones.getType(), {weights[0], withSign});
    return {e.add(
        acc[0], intrinsic(e, "llvm.x86.avx512.pmaddw.d.512", acc[0].getType(), {products, ones}))};
  }
  Value finish(Emitter &, Values acc) override { return acc[0]; }
};

class DotMaddUnsigned final : public DotInstruction {
public:
  explicit DotMaddUnsigned(int64_t bits) : steps(stepsOf16Bits(bits)) {}

  // Of each half sums of 16 bits, then of 32; the correction. A null is zero.
  Values begin(Emitter &e, Value sum, int64_t zeroPoint) override {
    return {{}, {}, {}, {}, zeroPoint ? correction(e, sum, zeroPoint) : Value()};
  }
  Values prepare(Emitter &e, Value line) override { return {half(e, line, 0), half(e, line, 1)}; }
  Values step(Emitter &e, Values acc, const Values &weights, Value x, int64_t number) override {
    Value activations = broadcast(e, x, 32);
    Type i16x16 = e.vec(16, e.b.getI16Type());
    for (int i = 0; i < 2; ++i)
      acc[i] = plus(e, acc[i],
                    intrinsic(e, "llvm.x86.avx2.pmadd.ub.sw", i16x16, {weights[i], activations}));
    return (number + 1) % steps == 0 ? widened(e, acc) : acc;
  }
  Value finish(Emitter &e, Values acc) override {
    acc = widened(e, acc);
    return plus(e, acc[4], join(e, acc[2], acc[3]));
  }

private:
  // The sums of 16 bits go into those of 32.
  static Values widened(Emitter &e, Values acc) {
    Type i32x8 = e.vec(8, e.b.getI32Type());
    for (int i = 0; i < 2; ++i)
      if (acc[i]) {
        Value ones = e.constant(acc[i].getType(), 1);
        acc[2 + i] =
            plus(e, acc[2 + i], intrinsic(e, "llvm.x86.avx2.pmadd.wd", i32x8, {acc[i], ones}));
        acc[i] = {};
      }
    return acc;
  }

  int64_t steps;
};

class DotMaddSigned final : public DotInstruction {
public:
  explicit DotMaddSigned(int64_t) {}

  Values begin(Emitter &e, Value, int64_t zeroPoint) override {
    assert(zeroPoint == 0 && "signed weights have no zero point");
    Value zero = e.constant(e.vec(8, e.b.getI32Type()), 0);
    return {zero, zero};
  }
  Values prepare(Emitter &e, Value line) override {
    Values weights = {half(e, line, 0), half(e, line, 1)};
    for (int i = 0; i < 2; ++i)
      weights.push_back(math::AbsIOp::create(e.b, e.loc, weights[i]));
    return weights;
  }
  Values step(Emitter &e, Values acc, const Values &weights, Value x, int64_t) override {
    Value activations = broadcast(e, x, 32), ones = e.constant(e.vec(16, e.b.getI16Type()), 1);
    for (int i = 0; i < 2; ++i) {
      Value withSign =
          intrinsic(e, "llvm.x86.avx2.psign.b", activations.getType(), {activations, weights[i]});
      Value products =
          intrinsic(e, "llvm.x86.avx2.pmadd.ub.sw", ones.getType(), {weights[2 + i], withSign});
      acc[i] =
          e.add(acc[i], intrinsic(e, "llvm.x86.avx2.pmadd.wd", acc[i].getType(), {products, ones}));
    }
    return acc;
  }
  Value finish(Emitter &e, Values acc) override { return join(e, acc[0], acc[1]); }
};

class DotPairs final : public DotInstruction {
public:
  explicit DotPairs(int64_t) {}

  Values begin(Emitter &e, Value, int64_t) override { return {e.constant(e.f32x16(), 0)}; }
  Values prepare(Emitter &e, Value line) override {
    return {vector::BitCastOp::create(e.b, e.loc, e.vec(32, e.b.getBF16Type()), line)};
  }
  Values step(Emitter &e, Values acc, const Values &weights, Value x, int64_t) override {
    // The second factor is the one that can be a broadcast from memory.
    Value pairs = vector::BitCastOp::create(e.b, e.loc, cast<VectorType>(weights[0].getType()),
                                            broadcast(e, x, 64));
    return {intrinsic(e, "llvm.x86.avx512bf16.dpbf16ps.512", acc[0].getType(),
                      {acc[0], weights[0], pairs})};
  }
  Value finish(Emitter &, Values acc) override { return acc[0]; }
};

} // namespace

std::unique_ptr<DotInstruction> DotInstruction::get(StringRef name, int64_t bits) {
#define MOIRE_INSTRUCTION(class, rowName, rowBits, feature)                                        \
  if (name == rowName && bits == rowBits)                                                          \
    return std::make_unique<class>(bits);
#include "codegen/cpu/Instructions.def"
#undef MOIRE_INSTRUCTION
  return nullptr;
}

} // namespace moire::cpu
