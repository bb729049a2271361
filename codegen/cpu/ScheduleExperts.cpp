// schedule: routing and experts. An expert region becomes
//
//   dispatch            assignments sorted by expert          (many tokens only)
//   gather_rows         int8 rows in that order, by fours     (many tokens only)
//   grouped_contract    hidden rows, in that order            panels of gate and up of every expert
//   quantize            hidden rows as int8                   if the second product wants them so
//   combine_contract    the weighted sum, into the residual   panels of down of every expert
//
// with the barriers that the team phase finds between them, and no shape that depends on the
// routing.

#include "codegen/cpu/RowPlace.h"
#include "codegen/cpu/Schedule.h"
#include "codegen/cpu/Tuning.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using tile::Space;
using tile::Split;

namespace moire::cpu {

static int64_t widthOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getDimSize(1);
}

static tile::Scoring scoringOf(moe::Scoring scoring) {
  switch (scoring) {
  case moe::Scoring::Softmax:
    return tile::Scoring::Softmax;
  case moe::Scoring::Sigmoid:
    return tile::Scoring::Sigmoid;
  case moe::Scoring::SoftmaxChosen:
    return tile::Scoring::SoftmaxChosen;
  }
  llvm_unreachable("a scoring without a kernel");
}

void Scheduler::scheduleRoute(moe::RouteOp op) {
  int64_t choices = op.getChosen();
  tile::Count count = rows.find(op.getLogits())->second.count;
  Space space = one ? Space::Private : Space::Shared;
  Value ids = alloc(space, {choices}, b.getI32Type(), count);
  Value weights = alloc(space, {choices}, b.getF32Type(), count);
  int64_t padded = wholePanels(op.getExperts());
  Value scratch = scratchBuffer(MemRefType::get({3, padded}, b.getF32Type()));

  IntegerAttr groups, limit;
  tile::GroupScoreAttr score;
  if (op.getGroupLimit() < op.getGroups()) {
    groups = op.getGroupsAttr();
    limit = op.getGroupLimitAttr();
    score = tile::GroupScoreAttr::get(b.getContext(), op.getGroupScore() == moe::GroupScore::Max
                                                          ? tile::GroupScore::Max
                                                          : tile::GroupScore::Top2Sum);
  }
  FloatAttr scaling = op.getScaling().isExactlyValue(1.0) ? FloatAttr() : op.getScalingAttr();
  tile::RouteOp::create(b, loc, rowSplit(), scoringOf(op.getScoring()), operands(op.getLogits())[0],
                        op.getBias() ? weight(op.getBias()) : Value(), scratch, ids, weights,
                        groups, limit, score, op.getNormalizeAttr(), scaling);
  rows[op.getIds()] = {{ids}, 0, choices, count, !one};
  rows[op.getWeights()] = {{weights}, 0, choices, count, !one};
}

// [rows, choices, …] as [rows * choices, …].
Value Scheduler::joinRows(Value buffer) {
  int64_t rank = cast<MemRefType>(buffer.getType()).getRank();
  SmallVector<ReassociationIndices> dimensions = {{0, 1}};
  for (int64_t i = 2; i < rank; ++i)
    dimensions.push_back({i});
  return memref::CollapseShapeOp::create(b, loc, buffer, dimensions);
}

namespace {
/// The assignments of tokens to experts that both products go by.
struct Assignments {
  tile::Count count;
  int64_t choices, experts;
  int64_t room;                   // places of the order, for each token: some may repeat others
  Value order = {}, offsets = {}; // without offsets: the experts of the one token
  Value places = {};              // how many there are, or null: all of the order
};
} // namespace

/// Builds the products of one expert region.
class Scheduler::ExpertRegion {
public:
  ExpertRegion(Scheduler &s, moe::ExpertsOp op) : s(s), b(s.b), op(op) {
    Value ids = s.rows.find(op.getIds())->second.buffers[0];
    x = s.operands(op.getX());
    int64_t choices = widthOf(op.getIds());
    to = {s.rows.find(op.getX())->second.count, choices, op.getExperts(), /*room=*/choices};
    if (s.one) {
      to.order = s.joinRows(ids);
      return;
    }
    dispatch(ids);
    if (isByFours(x))
      gather();
  }

  /// The hidden rows, f32 or quantized.
  SmallVector<Value, 3> hidden() {
    Value rows;
    if (op.getGated()) {
      rows = product(op.getUp(), tile::Epilogue::GateSilu);
    } else if (op.getGate()) {
      // Stored in different formats: two products, and a gate of their results.
      s.missed("gate and up of experts are two products, and their gate is a kernel of its own",
               s.packedOf(op.getUp()).name);
      Value gate = product(op.getGate(), tile::Epilogue::Store);
      Value up = product(op.getUp(), tile::Epilogue::Store);
      tile::GateOp::create(b, s.loc, Split::Rows, tile::Activation::Silu, gate, up, up);
      rows = up;
    } else {
      rows = product(op.getUp(), tile::Epilogue::Silu);
    }
    return op.getHidden() ? quantized(rows) : SmallVector<Value, 3>{rows};
  }

  void combine(ArrayRef<Value> hidden, tile::Epilogue epilogue, Value out) {
    const PackedWeight &packed = s.packedOf(op.getDown());
    ProductPlan plan = s.planProduct(packed, hidden, 1, panelCount(widthOf(op.getResult())));
    Value partial;
    if (!s.one) {
      // A turn is as many panels as there is room for.
      plan.sharing =
          tile::SharingAttr::get(b.getContext(), plan.sharing.getEqual(), kCombinePanels,
                                 kSinglePanels, plan.sharing.getStreams(), plan.sharing.getAhead());
      partial = s.alloc(Space::Private, {to.choices, kCombinePanels * kPanelRows}, b.getF32Type(),
                        to.count);
    }
    Value weights = s.rows.find(op.getWeights())->second.buffers[0];
    tile::CombineContractOp::create(b, s.loc, Split::Panels, plan.instruction, plan.format, hidden,
                                    s.weight(op.getDown()), plan.strip, plan.turns, to.order,
                                    to.offsets, weights, partial, out, epilogue,
                                    widthOf(op.getResult()), packed.k, packed.slice_bytes,
                                    plan.blocking, plan.sharing, isByFours(hidden));
  }

private:
  // Sorts the assignments. By fours experts for which panels are unpacked begin one; those with
  // three rows less do, too, since what repeats others counts as theirs.
  void dispatch(Value ids) {
    Type i32 = b.getI32Type();
    IntegerAttr fours;
    if (s.expertsGoByFours() && (x.size() == 3 || op.getHidden())) {
      int64_t most = std::max<int64_t>(s.rowsDirect() - (kFour - 1), 0);
      fours = b.getI64IntegerAttr(most);
      to.room = llvm::divideCeil(to.choices * (most + kFour), most + 1);
    }
    to.order = rowsOfPlaces({}, i32);
    to.offsets = tile::AllocOp::create(b, s.loc, MemRefType::get({1, to.experts + 1}, i32),
                                       Space::Shared, Value(), IntegerAttr());
    tile::DispatchOp::create(b, s.loc, Split::First, ids, to.order, to.offsets, fours);
    if (!fours)
      return;
    Value first = arith::ConstantIndexOp::create(b, s.loc, 0);
    Value last = arith::ConstantIndexOp::create(b, s.loc, to.experts);
    Value end = memref::LoadOp::create(b, s.loc, to.offsets, ValueRange{first, last});
    to.places = arith::IndexCastOp::create(b, s.loc, b.getIndexType(), end);
  }

  // The rows that experts multiply become those of their places.
  void gather() {
    auto values = cast<MemRefType>(x[0].getType()), scales = cast<MemRefType>(x[1].getType());
    auto form = *tile::QuantizedRows::ofBlocks(values.getDimSize(1), scales.getDimSize(2));
    SmallVector<Value, 3> gathered = quantizedRows(form);
    Value order = memref::SubViewOp::create(
        b, s.loc, to.order, ArrayRef<OpFoldResult>{b.getIndexAttr(0)},
        ArrayRef<OpFoldResult>{to.places}, ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
    tile::GatherRowsOp::create(b, s.loc, Split::Rows, x, order, gathered, to.choices,
                               s.rows.find(op.getX())->second.fours);
    x = gathered;
  }

  bool isByFours(ValueRange rows) const {
    return s.expertsGoByFours() && to.offsets && rows.size() == 3;
  }

  // A buffer of rows for all places.
  Value rowsOfPlaces(ArrayRef<int64_t> shape, Type element) {
    SmallVector<int64_t> full = {to.room};
    full.append(shape.begin(), shape.end());
    return s.joinRows(s.alloc(Space::Shared, full, element, to.count));
  }

  SmallVector<Value, 3> quantizedRows(tile::QuantizedRows form) {
    return {rowsOfPlaces({form.k}, b.getI8Type()),
            rowsOfPlaces({form.kScales, form.blocks()}, b.getF32Type()),
            rowsOfPlaces({form.sums()}, b.getI32Type())};
  }

  // [assignments, F], F as wide as the weight's rows say.
  Value product(Value weight, tile::Epilogue epilogue) {
    const PackedWeight &packed = s.packedOf(weight);
    s.remarkOnWidening(op.getX().getType(), packed);
    int64_t parts = epilogue == tile::Epilogue::GateSilu ? 2 : 1;
    int64_t width = op.getHiddenWidth();
    ProductPlan plan = s.planProduct(packed, x, parts, panelCount(width), to.choices);
    int64_t padded = wholePanels(width);
    Value out = rowsOfPlaces({padded}, b.getF32Type());
    tile::GroupedContractOp::create(b, s.loc, Split::Panels, plan.instruction, plan.format, x,
                                    s.weight(weight), plan.strip, plan.turns, to.order, to.offsets,
                                    out, epilogue, width, packed.k, to.choices, packed.slice_bytes,
                                    plan.blocking, plan.sharing, isByFours(x));
    return used(out, width);
  }

  // The rows and columns of a buffer that hold something.
  Value used(Value buffer, int64_t width) {
    auto type = cast<MemRefType>(buffer.getType());
    if (type.getDimSize(1) == width && !to.places)
      return buffer;
    OpFoldResult count =
        to.places ? OpFoldResult(to.places) : memref::getMixedSize(b, s.loc, buffer, 0);
    SmallVector<OpFoldResult> offsets(2, b.getIndexAttr(0)), strides(2, b.getIndexAttr(1));
    return memref::SubViewOp::create(b, s.loc, buffer, offsets,
                                     ArrayRef<OpFoldResult>{count, b.getIndexAttr(width)}, strides);
  }

  SmallVector<Value, 3> quantized(Value rows) {
    auto outs = quantizedRows(
        tile::QuantizedRows::ofColumns(op.getHiddenWidth(), op.getHidden()->getColumns()));
    tile::QuantizeOp::create(b, s.loc, Split::Rows, rows, outs[0], outs[1], outs[2],
                             isByFours(outs) ? b.getI64IntegerAttr(0) : IntegerAttr());
    return outs;
  }

  Scheduler &s;
  OpBuilder &b;
  moe::ExpertsOp op;
  SmallVector<Value, 3> x; // what experts multiply: the operation's, or those gathered
  Assignments to;
};

LogicalResult Scheduler::scheduleExperts(moe::ExpertsOp op) {
  if (op.getActivation() != moe::Activation::Silu)
    return op.emitError() << "experts with another gate than silu have no kernel on a CPU";
  // The kernels take ids as indices without a look.
  auto route = op.getIds().getDefiningOp<moe::RouteOp>();
  if (!route || route.getExperts() != op.getExperts())
    return op.emitError() << "expected ids of a moe.route over " << op.getExperts() << " experts";
  ExpertRegion region(*this, op);
  SmallVector<Value, 3> hidden = region.hidden();
  if (Residual residual = residualOf(op, op.getDown())) {
    RowBuffer out = rows.find(residual.stream)->second;
    region.combine(hidden, tile::Epilogue::Accumulate, out.buffers[0]);
    rows[residual.sum.getResult()] = out;
    done.insert(residual.sum);
    return success();
  }
  RowBuffer out = allocRows(widthOf(op.getResult()), rows.find(op.getX())->second.count, true);
  region.combine(hidden, tile::Epilogue::Store, out.buffers[0]);
  rows[op.getResult()] = out;
  return success();
}

} // namespace moire::cpu
