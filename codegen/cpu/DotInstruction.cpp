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

// A sum of which the first part may be null.
Value plus(Emitter &e, Value a, Value c) { return a ? e.add(a, c) : c; }

Value zeros(Emitter &e, int64_t lanes, Type element) {
  return e.constant(e.vec(lanes, element), 0);
}

// Half a block of 32 columns, with the 32 registers of 512 bits: with all of it in one piece LLVM's
// scheduler loads so much of the rows ahead that sums of two panels go to the stack.
constexpr int64_t kWideLines = 4;

class DotVnni final : public DotInstruction {
public:
  explicit DotVnni(int64_t bits) : bits(bits) {}

  int64_t linesTogether() const override { return kWideLines; }

  // Signed weights are shifted to be unsigned.
  int64_t shift() const override { return bits == 8 ? 128 : 0; }
  Values begin(Emitter &e, const Start &start) override {
    return {start.wide ? start.wide : zeros(e, kLanes, e.b.getI32Type())};
  }
  bool beginsWithZero(const Start &) const override { return false; }
  Values prepare(Emitter &e, Value line) override {
    if (bits == 8)
      line = arith::XOrIOp::create(e.b, e.loc, line, e.constant(line.getType(), -128));
    return {line};
  }
  Values step(Emitter &e, Values sums, const Values &weights, Value x) override {
    return {intrinsic(e, "llvm.x86.avx512.vpdpbusd.512", sums[0].getType(),
                      {sums[0], weights[0], broadcast(e, x, 64)})};
  }
  Value finish(Emitter &, const Values &sums, const Start &) override { return sums[0]; }

private:
  int64_t bits;
};

Value timesWhole(Emitter &e, Value v, int64_t factor) {
  return factor == 1 ? v : e.mul(v, e.constant(v.getType(), factor));
}

// How many pairs of products of unsigned weights of `bits` with int8 a sum of 16 bits holds.
constexpr int64_t stepsOf16Bits(int64_t bits) { return 32767 / (2 * ((1 << bits) - 1) * 127); }

// Whether sums of 16 bits hold those of `groups` lines to which a correction has been added: with
// weights from -shift to shift - 1 they never leave what that alone can come to.
constexpr bool fits16Bits(int64_t shift, int64_t groups) {
  return groups * 2 * shift * 127 <= 32767;
}

class DotWideUnsigned final : public DotInstruction {
public:
  explicit DotWideUnsigned(int64_t bits) : bits(bits) {}

  int64_t linesTogether() const override { return kWideLines; }

  int64_t steps() const override { return stepsOf16Bits(bits); }
  Start correction(Emitter &e, Value words, int64_t factor, int64_t shift,
                   int64_t groups) override {
    return fits16Bits(shift, groups) ? Start{{}, timesWhole(e, words, shift / factor)}
                                     : DotInstruction::correction(e, words, factor, shift, groups);
  }
  Values begin(Emitter &e, const Start &start) override {
    return {start.narrow ? start.narrow : zeros(e, 32, e.b.getI16Type())};
  }
  Values prepare(Emitter &, Value line) override { return {line}; }
  Values step(Emitter &e, Values sums, const Values &weights, Value x) override {
    return {e.add(sums[0], intrinsic(e, "llvm.x86.avx512.pmaddubs.w.512", sums[0].getType(),
                                     {weights[0], broadcast(e, x, 64)}))};
  }
  Value finish(Emitter &e, const Values &sums, const Start &start) override {
    return plus(e, start.wide,
                intrinsic(e, "llvm.x86.avx512.pmaddw.d.512", e.vec(kLanes, e.b.getI32Type()),
                          {sums[0], e.constant(sums[0].getType(), 1)}));
  }

private:
  int64_t bits;
};

class DotWideSigned final : public DotInstruction {
public:
  explicit DotWideSigned(int64_t) {}

  int64_t linesTogether() const override { return kWideLines; }

  Values begin(Emitter &e, const Start &) override { return {zeros(e, kLanes, e.b.getI32Type())}; }
  Values prepare(Emitter &e, Value line) override {
    Value isNegative = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::slt, line,
                                             e.constant(line.getType(), 0));
    return {math::AbsIOp::create(e.b, e.loc, line), isNegative};
  }
  Values step(Emitter &e, Values sums, const Values &weights, Value x) override {
    Value activations = broadcast(e, x, 64), ones = e.constant(e.vec(32, e.b.getI16Type()), 1);
    Value minus = e.sub(e.constant(activations.getType(), 0), activations);
    Value withSign = arith::SelectOp::create(e.b, e.loc, weights[1], minus, activations);
    Value products =
        intrinsic(e, "llvm.x86.avx512.pmaddubs.w.512", ones.getType(), {weights[0], withSign});
    return {e.add(sums[0], intrinsic(e, "llvm.x86.avx512.pmaddw.d.512", sums[0].getType(),
                                     {products, ones}))};
  }
  Value finish(Emitter &e, const Values &sums, const Start &start) override {
    return plus(e, start.wide, sums[0]);
  }
};

class DotMaddUnsigned final : public DotInstruction {
public:
  explicit DotMaddUnsigned(int64_t bits) : bits(bits) {}

  int64_t steps() const override { return stepsOf16Bits(bits); }
  Start correction(Emitter &e, Value words, int64_t factor, int64_t shift,
                   int64_t groups) override {
    if (fits16Bits(shift, groups))
      return {{}, timesWhole(e, words, shift / factor)};
    Value ofHalf = half(e, words, 0), times = e.constant(ofHalf.getType(), shift / factor);
    Value wide =
        intrinsic(e, "llvm.x86.avx2.pmadd.wd", e.vec(8, e.b.getI32Type()), {ofHalf, times});
    return {join(e, wide, wide), {}};
  }
  Values begin(Emitter &e, const Start &start) override {
    Value both = start.narrow ? half(e, start.narrow, 0) : zeros(e, 16, e.b.getI16Type());
    return {both, both};
  }
  Values prepare(Emitter &e, Value line) override { return {half(e, line, 0), half(e, line, 1)}; }
  Values step(Emitter &e, Values sums, const Values &weights, Value x) override {
    Value activations = broadcast(e, x, 32);
    for (int i = 0; i < 2; ++i)
      sums[i] = e.add(sums[i], intrinsic(e, "llvm.x86.avx2.pmadd.ub.sw", sums[i].getType(),
                                         {weights[i], activations}));
    return sums;
  }
  Value finish(Emitter &e, const Values &sums, const Start &start) override {
    auto widened = [&](Value v) {
      return intrinsic(e, "llvm.x86.avx2.pmadd.wd", e.vec(8, e.b.getI32Type()),
                       {v, e.constant(v.getType(), 1)});
    };
    return plus(e, start.wide, join(e, widened(sums[0]), widened(sums[1])));
  }

private:
  int64_t bits;
};

class DotMaddSigned final : public DotInstruction {
public:
  explicit DotMaddSigned(int64_t) {}

  Values begin(Emitter &e, const Start &) override {
    Value zero = zeros(e, 8, e.b.getI32Type());
    return {zero, zero};
  }
  Values prepare(Emitter &e, Value line) override {
    Values weights = {half(e, line, 0), half(e, line, 1)};
    for (int i = 0; i < 2; ++i)
      weights.push_back(math::AbsIOp::create(e.b, e.loc, weights[i]));
    return weights;
  }
  Values step(Emitter &e, Values sums, const Values &weights, Value x) override {
    Value activations = broadcast(e, x, 32), ones = e.constant(e.vec(16, e.b.getI16Type()), 1);
    for (int i = 0; i < 2; ++i) {
      Value withSign =
          intrinsic(e, "llvm.x86.avx2.psign.b", activations.getType(), {activations, weights[i]});
      Value products =
          intrinsic(e, "llvm.x86.avx2.pmadd.ub.sw", ones.getType(), {weights[2 + i], withSign});
      sums[i] = e.add(sums[i],
                      intrinsic(e, "llvm.x86.avx2.pmadd.wd", sums[i].getType(), {products, ones}));
    }
    return sums;
  }
  Value finish(Emitter &e, const Values &sums, const Start &start) override {
    return plus(e, start.wide, join(e, sums[0], sums[1]));
  }
};

class DotPairs final : public DotInstruction {
public:
  explicit DotPairs(int64_t) {}

  Values begin(Emitter &, const Start &start) override { return {start.wide}; }
  Values prepare(Emitter &e, Value line) override {
    return {vector::BitCastOp::create(e.b, e.loc, e.vec(32, e.b.getBF16Type()), line)};
  }
  Values step(Emitter &e, Values sums, const Values &weights, Value x) override {
    // The second factor is the one that can be a broadcast from memory.
    Value pairs = vector::BitCastOp::create(e.b, e.loc, cast<VectorType>(weights[0].getType()),
                                            broadcast(e, x, 64));
    return {intrinsic(e, "llvm.x86.avx512bf16.dpbf16ps.512", sums[0].getType(),
                      {sums[0], weights[0], pairs})};
  }
  Value finish(Emitter &, const Values &sums, const Start &) override { return sums[0]; }
};

} // namespace

DotInstruction::Start DotInstruction::correction(Emitter &e, Value words, int64_t factor,
                                                 int64_t shift, int64_t) {
  return {intrinsic(e, "llvm.x86.avx512.pmaddw.d.512", e.vec(kLanes, e.b.getI32Type()),
                    {words, e.constant(words.getType(), shift / factor)}),
          {}};
}

std::unique_ptr<DotInstruction> DotInstruction::get(StringRef name, int64_t bits) {
#define MOIRE_INSTRUCTION(class, rowName, rowBits, feature)                                        \
  if (name == rowName && bits == rowBits)                                                          \
    return std::make_unique<class>(bits);
#include "codegen/cpu/Instructions.def"
#undef MOIRE_INSTRUCTION
  return nullptr;
}

} // namespace moire::cpu
