// -moe-fuse-qkv: see passes/Passes.td.

#include "passes/Passes.h"
#include "passes/fusion/ConcatWeights.h"

#include "dialects/moe/Remarks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::moe {

#define GEN_PASS_DEF_FUSEQKV
#include "passes/Passes.h.inc"

/// The product that rows come from, perhaps through ropes and norms (of each head or of all of
/// them, before or behind a rope); null if they come from elsewhere.
static LinearOp productBehind(Value rows) {
  while (true) {
    if (auto rope = rows.getDefiningOp<RopeOp>())
      rows = rope.getX();
    else if (auto norm = rows.getDefiningOp<RmsNormOp>())
      rows = norm.getX();
    else
      return rows.getDefiningOp<LinearOp>();
  }
}

/// The product whose rows this layer appends to a state; null if it appends none.
static LinearOp productAppendedTo(Value state) {
  auto append = state.getDefiningOp<KvAppendOp>();
  return append ? productBehind(append.getValues()) : LinearOp();
}

/// Why the products cannot be one, or an empty string when they can.
static StringRef whyNotFuse(const SymbolTable &symbols, ArrayRef<LinearOp> products) {
  if (products.size() < 2)
    return "fewer than two of the queries, keys and values are products of this layer";
  LinearOp first = products.front();
  SmallVector<Value> weights, biases;
  for (LinearOp product : products) {
    if (product->getBlock() != first->getBlock())
      return "the products are in different blocks";
    if (product.getX() != first.getX())
      return "the products read different rows";
    if (bool(product.getBias()) != bool(first.getBias()))
      return "some of the products have a bias and some have none";
    weights.push_back(product.getWeight());
    if (product.getBias())
      biases.push_back(product.getBias());
  }
  if (StringRef reason = whyNotConcat(symbols, weights); !reason.empty())
    return reason;
  return biases.empty() ? StringRef() : whyNotConcat(symbols, biases);
}

static LinearOp earliestOf(ArrayRef<LinearOp> products) {
  return *llvm::min_element(products, [](LinearOp a, LinearOp b) { return a->isBeforeInBlock(b); });
}

/// Replaces `products`, which whyNotFuse allows, by one, which is returned, and slices of its
/// columns.
static LinearOp fuse(ArrayRef<LinearOp> products, SymbolTable &symbols) {
  SmallVector<Value> weights, biases;
  SmallVector<Location> locations;
  LinearOp earliest = earliestOf(products);
  int64_t width = 0;
  for (LinearOp product : products) {
    weights.push_back(product.getWeight());
    if (product.getBias())
      biases.push_back(product.getBias());
    locations.push_back(product.getLoc());
    width += product.getType().getDimSize(1);
  }

  // At the earliest product everything that the new one reads is there, and its users come later.
  OpBuilder builder(earliest);
  Location loc = builder.getFusedLoc(locations);
  RankedTensorType type = earliest.getType();
  Value x = earliest.getX();
  Value weight = readConcat(builder, symbols, weights);
  Value bias = biases.empty() ? Value() : readConcat(builder, symbols, biases);
  LinearOp fused = LinearOp::create(
      builder, loc, RankedTensorType::get({type.getDimSize(0), width}, type.getElementType()), x,
      weight, bias);

  // Asked of the product and not of its rows: those should have no reader but products.
  OpFoldResult tokens = tensor::getMixedSize(builder, loc, fused, 0);
  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  int64_t column = 0;
  for (LinearOp product : products) {
    int64_t columns = product.getType().getDimSize(1);
    Value slice = tensor::ExtractSliceOp::create(
        builder, product.getLoc(), product.getType(), fused,
        ArrayRef<OpFoldResult>{zero, builder.getIndexAttr(column)},
        ArrayRef<OpFoldResult>{tokens, builder.getIndexAttr(columns)},
        ArrayRef<OpFoldResult>{one, one});
    product.getResult().replaceAllUsesWith(slice);
    column += columns;
  }
  for (LinearOp product : products)
    product.erase();
  eraseUnusedReads(weights);
  eraseUnusedReads(biases);
  return fused;
}

/// Moves products of the same rows, and the reads of their weights, to the earliest of them, unless
/// a read is of another slice. Nothing that waits for one of them then stands between them.
static void gather(ArrayRef<LinearOp> products) {
  LinearOp earliest = earliestOf(products);
  auto first = earliest.getWeight().getDefiningOp<ReadOp>();
  SmallVector<ReadOp> reads;
  for (LinearOp product : products)
    for (Value weight : {product.getWeight(), product.getBias()}) {
      if (!weight)
        continue;
      auto read = weight.getDefiningOp<ReadOp>();
      if (!first || !read || read.getSlice() != first.getSlice())
        return;
      reads.push_back(read);
    }
  for (ReadOp read : reads)
    if (read->getBlock() == earliest->getBlock() && earliest->isBeforeInBlock(read))
      read->moveBefore(earliest);
  Operation *last = earliest;
  for (LinearOp product : products)
    if (product != earliest) {
      product->moveAfter(last);
      last = product;
    }
}

/// Products whose weights differ in nothing but their formats: those of one format become one, and
/// all stand together. Returns whether any were fused.
static bool fuseByFormat(ArrayRef<LinearOp> products, SymbolTable &symbols) {
  SmallVector<SmallVector<LinearOp>> groups;
  for (LinearOp product : products) {
    auto formatOf = [](LinearOp op) {
      auto type = cast<RankedTensorType>(op.getWeight().getType());
      return std::pair(type.getElementType(), type.getEncoding());
    };
    auto group = llvm::find_if(groups, [&](const SmallVector<LinearOp> &candidates) {
      return formatOf(candidates.front()) == formatOf(product);
    });
    if (group == groups.end())
      groups.push_back({product});
    else
      group->push_back(product);
  }
  SmallVector<LinearOp> all;
  for (ArrayRef<LinearOp> group : groups) {
    if (whyNotFuse(symbols, group).empty())
      all.push_back(fuse(group, symbols));
    else
      all.append(group.begin(), group.end());
  }
  gather(all);
  return all.size() < products.size();
}

namespace {
struct FuseQkv : impl::FuseQkvBase<FuseQkv> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](AttentionOp op) { attentions.push_back(op); });
    for (AttentionOp attention : attentions) {
      llvm::SmallSetVector<LinearOp, 3> products; // one product may serve as keys and values
      for (LinearOp product :
           {productBehind(attention.getQueries()), productAppendedTo(attention.getKeys()),
            productAppendedTo(attention.getValues())})
        if (product)
          products.insert(product);
      SmallVector<Value> weights;
      for (LinearOp product : products)
        weights.push_back(product.getWeight());
      std::string names = weightNames(weights);
      auto opts = remarkAbout(attention, "FuseQkv", "fusion");
      StringRef reason = whyNotFuse(symbols, products.getArrayRef());
      if (reason == kDifferentFormats && fuseByFormat(products.getArrayRef(), symbols)) {
        remark::passed(attention.getLoc(), opts)
            << "the products of equal formats are one now" << aboutWeights(names);
        remark::missed(attention.getLoc(), opts)
            << ("the others stay apart: " + reason).str() << aboutWeights(names);
        continue;
      }
      if (!reason.empty()) {
        remark::missed(attention.getLoc(), opts)
            << ("the products stay apart: " + reason).str() << aboutWeights(names);
        continue;
      }
      remark::passed(attention.getLoc(), opts) << "the products are one now" << aboutWeights(names);
      fuse(products.getArrayRef(), symbols);
    }
  }
};
} // namespace

} // namespace mlir::moe
