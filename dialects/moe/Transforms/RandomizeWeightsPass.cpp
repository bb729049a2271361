// moe-randomize-weights: values for weights whose file is not at hand.

#include "dialects/moe/Decompose.h"
#include "dialects/moe/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::moe {
#define GEN_PASS_DEF_RANDOMIZEWEIGHTSPASS
#include "dialects/moe/Transforms/Passes.h.inc"
} // namespace mlir::moe

using namespace mlir;
using namespace mlir::moe;

/// FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/).
static uint32_t hashOf(StringRef text) {
  uint32_t hash = 2166136261u;
  for (char c : text)
    hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
  return hash;
}

/// Whether each expert's matrix is a tensor of its own.
static bool hasTensorPerExpert(SourceAttr source) {
  return source.getName().getValue().contains("{e}");
}

static std::string replaced(StringRef name, StringRef what, int64_t number) {
  auto [before, after] = name.split(what);
  return (before + std::to_string(number) + after).str();
}

/// The seeds of a source, one for each tensor of the file: of all layers, and in each layer of all
/// experts if each has a tensor of its own.
static SmallVector<int32_t> seedsOf(SourceAttr source) {
  SmallVector<std::string> names;
  for (int64_t layer : source.getLayers())
    names.push_back(replaced(source.getName(), "{i}", layer));
  if (names.empty())
    names.push_back(source.getName().str());
  std::string order = " " + std::to_string(source.getInterleavedHeads());
  SmallVector<int32_t> seeds;
  for (StringRef name : names) {
    if (!hasTensorPerExpert(source))
      seeds.push_back(hashOf(name.str() + order));
    else
      for (int64_t expert = 0; expert < source.getExperts(); ++expert)
        seeds.push_back(hashOf(replaced(name, "{e}", expert) + order));
  }
  return seeds;
}

namespace {
/// Builds the values that one read sees.
class WeightBuilder {
public:
  WeightBuilder(OpBuilder &builder, ReadOp read)
      : d(builder, read.getLoc()), read(read), slice(read.getSlice()) {}

  /// The values of `weight`, or of the slice of it that is read.
  Value build(WeightOp weight) {
    RankedTensorType type = weight.getWeightType();
    ArrayRef<int64_t> shape = type.getShape();
    if (slice)
      shape = shape.drop_front();
    if (auto source = dyn_cast<SourceAttr>(weight.getRecipe()))
      return buildSource(source, shape, type.getElementType());
    return buildConcat(cast<ConcatAttr>(weight.getRecipe()), shape, type.getElementType(),
                       weight.getRowDim() - (slice ? 1 : 0));
  }

private:
  Value buildSource(SourceAttr source, ArrayRef<int64_t> shape, Type elementType) {
    OpBuilder &b = d.b;
    Location loc = d.loc;
    SmallVector<int32_t> seeds = seedsOf(source);
    Value seedTable = arith::ConstantOp::create(
        b, loc,
        DenseElementsAttr::get(
            RankedTensorType::get({static_cast<int64_t>(seeds.size())}, b.getI32Type()),
            ArrayRef<int32_t>(seeds)));
    bool wholeStack = !source.getLayers().empty() && !slice;
    Value destination = tensor::EmptyOp::create(b, loc, shape, elementType);
    return d.each({}, destination, [&](ValueRange) -> Value {
      int64_t dim = wholeStack ? 1 : 0, rank = shape.size();
      Value seedAt = slice ? slice : wholeStack ? d.index(0) : d.constantIndex(0);
      if (hasTensorPerExpert(source)) {
        Value experts = d.constantIndex(source.getExperts());
        seedAt = arith::MulIOp::create(b, loc, seedAt, experts);
        seedAt = arith::AddIOp::create(b, loc, seedAt, d.index(dim++));
      }
      Value hash = d.element(seedTable, seedAt);
      for (; dim < rank; ++dim) {
        Value index = arith::IndexCastOp::create(b, loc, b.getI32Type(), d.index(dim));
        if (dim == rank - 2 && source.getFirstRow() > 0)
          index = arith::AddIOp::create(b, loc, index, constant(source.getFirstRow()));
        hash = mix(arith::XOrIOp::create(b, loc, hash, index));
      }
      // 24 bits as a fraction in [-1/8, 1/8).
      Value bits = arith::ShRSIOp::create(b, loc, hash, constant(8));
      Value value = arith::SIToFPOp::create(b, loc, b.getF32Type(), bits);
      value = arith::MulFOp::create(b, loc, value, d.constant(1.0f / (1 << 26)));
      if (elementType.isF32())
        return value;
      return arith::TruncFOp::create(b, loc, elementType, value);
    });
  }

  Value buildConcat(ConcatAttr concat, ArrayRef<int64_t> shape, Type elementType, int64_t rowDim) {
    Value result = tensor::EmptyOp::create(d.b, d.loc, shape, elementType);
    int64_t row = 0;
    for (FlatSymbolRefAttr name : concat.getParts()) {
      Value part = build(SymbolTable::lookupNearestSymbolFrom<WeightOp>(read->getParentOp(), name));
      auto type = cast<RankedTensorType>(part.getType());
      SmallVector<OpFoldResult> offsets(shape.size(), d.b.getIndexAttr(0)),
          strides(shape.size(), d.b.getIndexAttr(1));
      offsets[rowDim] = d.b.getIndexAttr(row);
      SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(d.b.getContext(), type.getShape());
      result = tensor::InsertSliceOp::create(d.b, d.loc, part, result, offsets, sizes, strides);
      row += type.getDimSize(rowDim);
    }
    return result;
  }

  Value constant(int32_t value) {
    return arith::ConstantOp::create(d.b, d.loc, d.b.getI32IntegerAttr(value));
  }

  /// The finaliser of MurmurHash3: every bit of `hash` changes every bit of the result.
  Value mix(Value hash) {
    auto fold = [&](int32_t shift) {
      Value high = arith::ShRUIOp::create(d.b, d.loc, hash, constant(shift));
      hash = arith::XOrIOp::create(d.b, d.loc, hash, high);
    };
    auto scale = [&](uint32_t factor) {
      hash = arith::MulIOp::create(d.b, d.loc, hash, constant(static_cast<int32_t>(factor)));
    };
    fold(16);
    scale(0x85ebca6b);
    fold(13);
    scale(0xc2b2ae35);
    fold(16);
    return hash;
  }

  Decomposer d;
  ReadOp read;
  Value slice;
};

struct RandomizeWeightsPass
    : public mlir::moe::impl::RandomizeWeightsPassBase<RandomizeWeightsPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    getOperation().walk([&](ReadOp read) {
      auto weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(read, read.getWeightAttr());
      rewriter.setInsertionPoint(read);
      WeightBuilder builder(rewriter, read);
      Value value = builder.build(weight);
      if (value.getType() != read.getType())
        value = tensor::CastOp::create(rewriter, read.getLoc(), read.getType(), value);
      rewriter.replaceOp(read, value);
    });
    getOperation().walk([&](WeightOp weight) { rewriter.eraseOp(weight); });
  }
};
} // namespace
