#include "codegen/cpu/RoundRows.h"

#include "dialects/moe/Moe.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {
namespace {

constexpr int64_t kCandidates = moe::BlockAttr::kScaleCandidates;
static_assert(kCandidates == 4, "they are lanes, which are compared by pairs");

// Blocks of 32 columns that are rounded together. From its largest magnitude to its sums a block is
// one chain of dependent instructions, with reductions over lanes and divisions; those of four
// blocks are lanes of one vector.
constexpr int64_t kBlocksTogether = 4;

class BlockRounding {
public:
  using Values = SmallVector<Value, 4>;

  BlockRounding(Emitter &e, const RowPlace &row, const tile::QuantizedRows &form, ValueRange outs)
      : e(e), row(row), form(form), outs(outs) {}

  // Rounds neighbouring blocks from `first` on, each given as vectors of 16: one, or four.
  void round(Value first, ArrayRef<Values> blocks) {
    Values maxima;
    for (const Values &parts : blocks)
      maxima.push_back(largest(parts));
    Value ofBlocks = e.foldEach(maxima, [&](Value a, Value c) -> Value {
      return arith::MaxSIOp::create(e.b, e.loc, a, c);
    });
    VectorType floats = e.vec(blocks.size(), e.f32());
    auto [scales, inverses] =
        chooseScales(blocks, vector::BitCastOp::create(e.b, e.loc, floats, ofBlocks));

    const int64_t words = form.columns / form.sumColumns;
    // Of each block: all integers added up, and those of its second half.
    SmallVector<Values, 2> sums(words);
    for (auto [i, parts] : llvm::enumerate(blocks)) {
      Values rounded = roundBlock(e.addConst(first, i), parts, e.lane(inverses, i * kCandidates));
      Value all;
      for (Value q : rounded)
        all = all ? e.add(all, q) : q;
      sums[0].push_back(all);
      if (words == 2)
        sums[1].push_back(rounded[1]);
    }
    Value totals;
    for (int64_t word = words - 1; word >= 0; --word)
      totals = storeSums(first, words, word, sums[word]);
    storeScales(first, every(scales, kCandidates), totals);
  }

private:
  static int64_t widthOf(Value v) { return cast<VectorType>(v.getType()).getNumElements(); }

  // Every `step`th lane of a vector.
  Value every(Value v, int64_t step) {
    SmallVector<int64_t, 4> lanes;
    for (int64_t i = 0; i < widthOf(v); i += step)
      lanes.push_back(i);
    return e.shuffle(v, v, lanes);
  }

  // The largest magnitudes of a block in each lane, as integers: cheaper to compare, and a NaN
  // counts as the largest.
  Value largest(ArrayRef<Value> parts) {
    VectorType words = e.vec(kLanes, e.b.getI32Type());
    Value all;
    for (Value part : parts) {
      Value bits = vector::BitCastOp::create(e.b, e.loc, words, part);
      bits = arith::AndIOp::create(e.b, e.loc, bits, e.constant(words, 0x7fffffff));
      all = all ? arith::MaxSIOp::create(e.b, e.loc, all, bits).getResult() : bits;
    }
    return all;
  }

  // The scales of blocks with the largest magnitudes `maxima`, and their inverses, each in the
  // first of four lanes. Of the scales max / (127 - k) the one with the smallest squared error is
  // taken (the first of equal ones): they round the same values differently, and the best of four
  // has a sixth less error. All are lanes of a vector, and there is no branch: none could be
  // foreseen.
  std::pair<Value, Value> chooseScales(ArrayRef<Values> blocks, Value maxima) {
    const int64_t count = blocks.size() * kCandidates;
    VectorType all = e.vec(count, e.f32());
    SmallVector<float> numbers;
    SmallVector<int64_t> blockOf;
    for (int64_t i = 0; i < count; ++i) {
      numbers.push_back(127 - i % kCandidates);
      blockOf.push_back(i / kCandidates);
    }
    Value limits = arith::ConstantOp::create(e.b, e.loc,
                                             DenseElementsAttr::get(all, ArrayRef<float>(numbers)));
    maxima = e.shuffle(maxima, maxima, blockOf);
    Value zeros = e.constant(all, 0);
    Value isZero = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OEQ, maxima, zeros);
    Value scales = e.div(maxima, limits);
    Value inverses =
        arith::SelectOp::create(e.b, e.loc, isZero, zeros, e.div(limits, maxima)).getResult();

    Value errors;
    for (auto [i, parts] : llvm::enumerate(blocks)) {
      Values squares;
      for (int64_t k = i * kCandidates; k < int64_t(i + 1) * kCandidates; ++k)
        squares.push_back(squaredErrors(parts, e.lane(scales, k), e.lane(inverses, k)));
      Value four = e.foldEach(squares, [&](Value a, Value c) { return e.add(a, c); });
      errors = errors ? joined(errors, four) : four;
    }
    // The better one of each pair, then of both.
    for (int64_t distance : {1, 2}) {
      SmallVector<int64_t> firsts, seconds;
      for (int64_t i = 0; i < count; ++i) {
        firsts.push_back(i / kCandidates * kCandidates + i % kCandidates / 2 * (2 / distance));
        seconds.push_back(firsts.back() + distance);
      }
      auto first = [&](Value v) { return e.shuffle(v, v, firsts); };
      auto second = [&](Value v) { return e.shuffle(v, v, seconds); };
      Value better = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::OLT, second(errors),
                                           first(errors));
      for (Value *v : {&scales, &inverses, &errors})
        *v = arith::SelectOp::create(e.b, e.loc, better, second(*v), first(*v));
    }
    return {scales, inverses};
  }

  Value joined(Value a, Value c) {
    return e.shuffle(a, c, llvm::to_vector(llvm::seq<int64_t>(0, widthOf(a) + widthOf(c))));
  }

  Value squaredErrors(ArrayRef<Value> parts, Value scale, Value inverse) {
    Value scales = e.splat(scale), inverses = e.splat(inverse), sum;
    for (Value part : parts) {
      Value q = math::RoundEvenOp::create(e.b, e.loc, e.mul(part, inverses));
      Value difference = e.fma(arith::NegFOp::create(e.b, e.loc, q), scales, part);
      sum = sum ? e.fma(difference, difference, sum) : e.mul(difference, difference);
    }
    return sum;
  }

  // Writes a block's integers; also returns them, <16 x i32>.
  Values roundBlock(Value block, ArrayRef<Value> parts, Value inverse) {
    Value factor = e.splat(inverse), column = e.mulConst(block, form.columns);
    Values all;
    for (auto [i, part] : llvm::enumerate(parts)) {
      Value rounded = math::RoundEvenOp::create(e.b, e.loc, e.mul(part, factor));
      all.push_back(arith::FPToSIOp::create(e.b, e.loc, e.vec(kLanes, e.b.getI32Type()), rounded));
      storeValues(arith::TruncIOp::create(e.b, e.loc, e.vec(kLanes, e.b.getI8Type()), all.back()),
                  e.addConst(column, i * kLanes));
    }
    return all;
  }

  // Writes 16 values of the row from `column` on.
  void storeValues(Value bytes, Value column) {
    if (!row.lane)
      return e.storeLanes(bytes, outs[0], row.values(e, column));
    for (int64_t i = 0; i < kLanes; i += kFour) {
      Value four = vector::ExtractStridedSliceOp::create(
          e.b, e.loc, bytes, ArrayRef<int64_t>{i}, ArrayRef<int64_t>{kFour}, ArrayRef<int64_t>{1});
      vector::StoreOp::create(e.b, e.loc, four, outs[0], row.values(e, e.addConst(column, i)));
    }
  }

  // Writes word `word` of each block's `words`, times a factor: the sums of lanes 4i and 4i + 1 of
  // its integers below, of the others above. Returns the sums of all of them.
  Value storeSums(Value first, int64_t words, int64_t word, ArrayRef<Value> integers) {
    auto parts = llvm::map_to_vector<4>(integers, [&](Value v) {
      return e.foldLanes(v, 4, [&](Value a, Value c) { return e.add(a, c); });
    });
    // Of each block, or of two, its sums of either kind.
    auto pairs = [&](Value a, Value c) -> Value {
      return e.add(e.shuffle(a, c, {0, 2, 4, 6}), e.shuffle(a, c, {1, 3, 5, 7}));
    };
    Value low, high;
    if (parts.size() == 1) {
      Value both =
          e.add(e.shuffle(parts[0], parts[0], {0, 2}), e.shuffle(parts[0], parts[0], {1, 3}));
      low = e.shuffle(both, both, {0}), high = e.shuffle(both, both, {1});
    } else {
      Value a = pairs(parts[0], parts[1]), c = pairs(parts[2], parts[3]);
      low = e.shuffle(a, c, {0, 2, 4, 6}), high = e.shuffle(a, c, {1, 3, 5, 7});
    }
    Type type = low.getType();
    auto times = [&](Value sum) { return e.mul(sum, e.constant(type, -form.sumFactor())); };
    Value below = arith::AndIOp::create(e.b, e.loc, times(low), e.constant(type, 0xffff));
    Value above = arith::ShLIOp::create(e.b, e.loc, times(high), e.constant(type, 16));
    Value both = arith::OrIOp::create(e.b, e.loc, below, above);
    for (int64_t i = 0; i < widthOf(both); ++i)
      e.store(e.lane(both, i), outs[2],
              row.sums(e, e.addConst(e.mulConst(e.addConst(first, i), words), word)));
    return e.add(low, high);
  }

  void storeScales(Value first, Value scales, Value totals) {
    Value scaled = e.mul(scales, arith::SIToFPOp::create(e.b, e.loc, scales.getType(), totals));
    Value less = e.mul(scaled, e.constant(scales.getType(), -tile::QuantizedRows::kZero));
    for (int64_t i = 0; i < widthOf(scales); ++i)
      for (auto [which, numbers] : llvm::enumerate(Values{scales, scaled, less}))
        e.store(e.lane(numbers, i), outs[1], row.scale(e, which, e.addConst(first, i)));
  }

  Emitter &e;
  const RowPlace &row;
  const tile::QuantizedRows &form;
  ValueRange outs;
};

} // namespace

void emitRoundRow(Emitter &e, const RowPlace &row, ValueRange outs,
                  llvm::function_ref<Value(Value)> load) {
  auto sizeOf = [&](size_t buffer, int64_t dim) {
    return cast<MemRefType>(outs[buffer].getType()).getDimSize(dim);
  };
  auto form = *tile::QuantizedRows::ofBlocks(sizeOf(0, 1), sizeOf(1, 2));
  BlockRounding rounding(e, row, form, outs);
  auto roundSome = [&](Value first, int64_t count, int64_t columns) {
    SmallVector<BlockRounding::Values> blocks(count);
    for (auto [i, parts] : llvm::enumerate(blocks))
      for (int64_t column = 0; column < columns; column += kLanes)
        parts.push_back(load(e.addConst(e.mulConst(e.addConst(first, i), form.columns), column)));
    rounding.round(first, blocks);
  };
  const int64_t whole = form.k / form.columns, rest = form.k % form.columns;
  // Wider blocks have enough to do by themselves.
  const int64_t together = form.columns == 32 ? whole / kBlocksTogether * kBlocksTogether : 0;
  if (together)
    e.loop(e.index(0), e.index(together), kBlocksTogether,
           [&](Value first) { roundSome(first, kBlocksTogether, form.columns); });
  if (together < whole)
    e.loop(e.index(together), e.index(whole), 1,
           [&](Value block) { roundSome(block, 1, form.columns); });
  if (rest)
    roundSome(e.index(whole), 1, rest);
}

} // namespace moire::cpu
