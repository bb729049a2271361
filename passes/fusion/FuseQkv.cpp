// -moe-fuse-qkv: see passes/Passes.td.

#include "passes/Passes.h"
#include "passes/fusion/ConcatWeights.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Remarks.h"
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

/// Replaces `products`, which whyNotFuse allows, by one and slices of its columns.
static void fuse(ArrayRef<LinearOp> products, SymbolTable &symbols) {
  SmallVector<Value> weights, biases;
  SmallVector<Location> locations;
  LinearOp earliest = products.front();
  int64_t width = 0;
  for (LinearOp product : products) {
    weights.push_back(product.getWeight());
    if (product.getBias())
      biases.push_back(product.getBias());
    locations.push_back(product.getLoc());
    width += product.getType().getDimSize(1);
    if (product->isBeforeInBlock(earliest))
      earliest = product;
  }

  // At the earliest product everything that the new one reads is there, and its users come later.
  OpBuilder builder(earliest);
  Location loc = builder.getFusedLoc(locations);
  RankedTensorType type = earliest.getType();
  Value x = earliest.getX();
  Value weight = readConcat(builder, symbols, weights);
  Value bias = biases.empty() ? Value() : readConcat(builder, symbols, biases);
  Value fused = LinearOp::create(
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
}

namespace {
struct FuseQkv : impl::FuseQkvBase<FuseQkv> {
  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    auto opts = remark::RemarkOpts::name("FuseQkv").category("fusion");
    SmallVector<AttentionOp> attentions;
    getOperation().walk([&](AttentionOp op) { attentions.push_back(op); });
    for (AttentionOp attention : attentions) {
      llvm::SmallSetVector<LinearOp, 3> products; // one product may serve as keys and values
      for (LinearOp product :
           {productBehind(attention.getQueries()), productAppendedTo(attention.getKeys()),
            productAppendedTo(attention.getValues())})
        if (product)
          products.insert(product);
      StringRef reason = whyNotFuse(symbols, products.getArrayRef());
      if (!reason.empty()) {
        remark::missed(attention.getLoc(), opts) << reason;
        continue;
      }
      remark::passed(attention.getLoc(), opts) << "the products are one now";
      fuse(products.getArrayRef(), symbols);
    }
  }
};
} // namespace

} // namespace mlir::moe
