// schedule: one function an operation.

#include "codegen/cpu/Emitter.h"
#include "codegen/cpu/RowPlace.h"
#include "codegen/cpu/Schedule.h"
#include "codegen/cpu/Tuning.h"
#include "dialects/tile/Strip.h"

using namespace mlir;
using tile::Count;
using tile::Input;
using tile::Space;
using tile::Split;

namespace moire::cpu {

static int64_t widthOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getDimSize(1);
}

const PackedWeight &Scheduler::packedOf(Value weight) {
  return plan.weight(weight.getDefiningOp<moe::ReadOp>().getWeight());
}

Value Scheduler::scratchBuffer(MemRefType type) {
  return tile::AllocOp::create(b, loc, type, Space::Private, Value(), IntegerAttr());
}

Value Scheduler::counter() {
  return tile::AllocOp::create(b, loc, MemRefType::get({1}, b.getI64Type()), Space::Kept, Value(),
                               IntegerAttr());
}

void Scheduler::scheduleEmbed(moe::EmbedOp op) {
  // The residual stream is shared: products are accumulated into it panel by panel.
  RowBuffer out = allocRows(widthOf(op.getResult()), Count::Tokens, true);
  tile::EmbedOp::create(b, loc, Split::Rows, packedOf(op.getTable()).format,
                        ids(Input::Tokens, Count::Tokens), weight(op.getTable()), view(out));
  rows[op.getResult()] = out;
}

void Scheduler::scheduleSelectRows(moe::SelectRowsOp op) {
  RowBuffer out = allocRows(widthOf(op.getResult()), Count::LogitRows, !one);
  tile::SelectRowsOp::create(b, loc, rowSplit(), operands(op.getX())[0],
                             ids(Input::Rows, Count::LogitRows), view(out));
  rows[op.getResult()] = out;
}

void Scheduler::scheduleNorm(moe::RmsNormOp op) {
  int64_t width = widthOf(op.getResult()), group = op.getGain().getType().getDimSize(0);
  Count count = rows.find(op.getX())->second.count;
  rows[op.getResult()] = allocEncoded(op.getResult(), count, !one);
  bool isRounded = bool(op.getType().getEncoding());
  auto norm = [&](ValueRange to, bool round) {
    tile::RmsNormOp::create(
        b, loc, rowSplit(), operands(op.getX())[0], weight(op.getGain()), to, op.getEps(),
        group == width ? IntegerAttr() : b.getI64IntegerAttr(group), round,
        to.size() == 3 ? rows.find(op.getResult())->second.fours : IntegerAttr());
  };
  if (!isRounded || group == width)
    return norm(operands(op.getResult()), bool(moe::RowsAttr::of(op.getType())));
  // Blocks may lie across the groups: rounded when all of them are there.
  missed("the norm of parts of a row does not round it: blocks may lie across the parts");
  Value plain = view(allocRows(width, count, !one));
  norm(plain, false);
  roundRows(plain, op.getResult());
}

void Scheduler::scheduleQuantize(moe::QuantizeRowsOp op) {
  rows[op.getResult()] = allocEncoded(op.getResult(), rows.find(op.getX())->second.count, !one);
  roundRows(operands(op.getX())[0], op.getResult());
}

void Scheduler::roundRows(Value x, Value to) {
  SmallVector<Value, 3> outs = operands(to);
  if (outs.size() == 3)
    tile::QuantizeOp::create(b, loc, rowSplit(), x, outs[0], outs[1], outs[2],
                             rows.find(to)->second.fours);
  else
    tile::RoundOp::create(b, loc, rowSplit(), x, outs[0]);
}

void Scheduler::scheduleRope(moe::RopeOp op) {
  // The frequencies are one more weight, the same for all layers.
  auto known = llvm::find_if(plan.weights, [&](const PackedWeight &w) {
    return llvm::equal(w.computed, op.getFrequencies());
  });
  assert(known != plan.weights.end() && "planWeights lists every table of frequencies");
  const PackedWeight &packed = *known;
  RowBuffer out = allocRows(widthOf(op.getResult()), Count::Tokens, !one);
  tile::RopeOp::create(b, loc, rowSplit(), operands(op.getX())[0],
                       ids(Input::Positions, Count::Tokens), vectorWeight(packed, {}), view(out),
                       op.getHeadDim(), op.getRotaryDims());
  rows[op.getResult()] = out;
}

void Scheduler::scheduleGate(moe::GateOp op) {
  RowBuffer out = allocRows(widthOf(op.getResult()), rows.find(op.getUp())->second.count, !one);
  auto activation = op.getActivation() == moe::Activation::Silu ? tile::Activation::Silu
                                                                : tile::Activation::Sigmoid;
  tile::GateOp::create(b, loc, rowSplit(), activation, operands(op.getGate())[0],
                       operands(op.getUp())[0], view(out));
  rows[op.getResult()] = out;
}

void Scheduler::scheduleScale(moe::ScaleOp op) {
  // Shared: it may be the stream that goes on.
  RowBuffer out = sharedRows(op.getResult(), rows.find(op.getX())->second.count);
  tile::ScaleOp::create(b, loc, Split::Rows, operands(op.getX())[0], op.getFactor(), view(out));
  rows[op.getResult()] = out;
}

void Scheduler::scheduleAdd(arith::AddFOp op) {
  // Into the buffer of a term that nobody reads any more: as a rule the stream. Shared otherwise,
  // too: it may be the stream that goes on.
  auto isReusable = [&](Value term) {
    const RowBuffer &buffer = rows.find(term)->second;
    return buffer.isWhole() && buffer.shared && !term.getDefiningOp<tensor::ExtractSliceOp>() &&
           isFree(term, op, op);
  };
  RowBuffer out;
  if (isReusable(op.getLhs())) {
    out = rows.find(op.getLhs())->second;
  } else if (isReusable(op.getRhs())) {
    out = rows.find(op.getRhs())->second;
  } else {
    missed("a sum has a buffer of its own: its terms are parts of others, or read again later");
    out = sharedRows(op.getResult(), rows.find(op.getLhs())->second.count);
  }
  tile::AddOp::create(b, loc, Split::Rows, operands(op.getLhs())[0], operands(op.getRhs())[0],
                      view(out));
  rows[op.getResult()] = out;
}

//===- Keys and values ------------------------------------------------------------------------===//

// The pool as elements; its extent is the host's affair.
static Value kvPool(OpBuilder &b, Location loc, Type element) {
  return tile::InputOp::create(b, loc, MemRefType::get({ShapedType::kDynamic}, element), Input::Kv,
                               Value());
}

static Value pageTable(OpBuilder &b, Location loc) {
  auto type = MemRefType::get({ShapedType::kDynamic, ShapedType::kDynamic}, b.getI32Type());
  return tile::InputOp::create(b, loc, type, Input::PageTable, Value());
}

int64_t Scheduler::segment() const {
  int64_t page = plan.kv.getPage();
  return std::max<int64_t>(kKvSegment / page, 1) * page;
}

void Scheduler::scheduleKvAppend(moe::KvAppendOp op) {
  tile::Side side = states.lookup(op.getState());
  tile::KvAppendOp::create(b, loc, one ? Split::Segments : Split::Rows, side,
                           operands(op.getValues())[0], kvPool(b, loc, plan.kv.getElement()),
                           pageTable(b, loc), ids(Input::Slots, Count::Tokens),
                           ids(Input::Positions, Count::Tokens), scalars.lookup(op.getLayer()),
                           plan.kv, one ? b.getI64IntegerAttr(segment()) : IntegerAttr());
  states[op.getResult()] = side;
}

void Scheduler::scheduleAttention(moe::AttentionOp op) {
  int64_t width = widthOf(op.getResult()), stride = plan.kv.getValueStride();
  int64_t heads = width / plan.kv.getHeadDim(), columns = plan.kv.getPage() + 3 * stride + kLanes;
  auto attend = [&](Split split, int64_t scratchRows, Value to) {
    Value scratch = scratchBuffer(MemRefType::get({scratchRows, columns}, b.getF32Type()));
    tile::AttendOp::create(
        b, loc, split, operands(op.getQueries())[0], kvPool(b, loc, plan.kv.getElement()),
        pageTable(b, loc), ids(Input::Slots, Count::Tokens), ids(Input::Positions, Count::Tokens),
        scratch, split == Split::Tiles ? counter() : Value(), to, scalars.lookup(op.getLayer()),
        plan.kv, op.getScale(), segment(), machine.vectors(), op.getWindowAttr());
  };
  RowBuffer out = allocRows(width, Count::Tokens, !one);
  rows[op.getResult()] = out;
  if (!one)
    return attend(Split::Tiles, kQueryBlock, view(out));
  // One token has few heads: threads share its segments, and everybody joins them for itself, which
  // costs no barrier beside the one that its readers would need.
  int64_t segments = std::max<int64_t>((plan.context + segment() - 1) / segment(), 1);
  auto partsType = MemRefType::get({segments, heads, stride + kLanes}, b.getF32Type());
  Value parts = tile::AllocOp::create(b, loc, partsType, Space::Team, Value(), IntegerAttr());
  attend(Split::Segments, heads / plan.kv.getKvHeads(), parts);
  tile::AttendCombineOp::create(b, loc, Split::Whole, parts, ids(Input::Positions, Count::Tokens),
                                view(out), plan.kv.getHeadDim(), segment(), op.getWindowAttr());
}

void Scheduler::scheduleTap(moe::TapOp op) {
  plan.tapped = true;
  int64_t width = widthOf(op.getValue());
  // [streams, T, width]: how many streams there are is not needed to address one.
  auto type = MemRefType::get({ShapedType::kDynamic, one ? 1 : ShapedType::kDynamic, width},
                              b.getF32Type());
  Value taps = tile::InputOp::create(b, loc, type, Input::Taps, rowCount(Count::Tokens));
  tile::CopyOp::create(b, loc, Split::Rows, operands(op.getValue())[0], taps,
                       scalars.lookup(op.getIndex()));
}

void Scheduler::scheduleTapRoute(moe::TapRouteOp op) {
  // [layers, T, width], for the layer with the most experts a token.
  SmallVector<Value> outs;
  for (auto [field, element] : {std::pair(Input::RouteIds, Type(b.getI32Type())),
                                {Input::RouteWeights, Type(b.getF32Type())}}) {
    auto type = MemRefType::get(
        {ShapedType::kDynamic, one ? 1 : ShapedType::kDynamic, plan.routeWidth}, element);
    outs.push_back(tile::InputOp::create(b, loc, type, field, rowCount(Count::Tokens)));
  }
  tile::TapRouteOp::create(b, loc, Split::Rows, rows.find(op.getIds())->second.buffers[0],
                           rows.find(op.getWeights())->second.buffers[0], outs[0], outs[1],
                           scalars.lookup(op.getLayer()));
}

//===- Products -------------------------------------------------------------------------------===//

void Scheduler::scheduleLinear(moe::LinearOp op) {
  int64_t width = widthOf(op.getResult());
  // x + linear(…): the product goes straight into x's buffer.
  if (Residual residual = residualOf(op, op.getWeight())) {
    RowBuffer out = rows.find(residual.stream)->second;
    scheduleContract(op.getX(), op.getWeight(), op.getBias(), tile::Epilogue::Accumulate, width,
                     out.buffers[0]);
    rows[residual.sum.getResult()] = out;
    done.insert(residual.sum);
    return;
  }
  RowBuffer out = sharedRows(op.getResult(), rows.find(op.getX())->second.count);
  scheduleContract(op.getX(), op.getWeight(), op.getBias(), tile::Epilogue::Store, width,
                   out.buffers[0]);
  rows[op.getResult()] = out;
}

void Scheduler::scheduleGatedLinear(moe::GatedLinearOp op) {
  int64_t width = widthOf(op.getResult());
  Count count = rows.find(op.getX())->second.count;
  RowBuffer out = allocRows(width, count, true);
  rows[op.getResult()] = out;
  if (op.getActivation() == moe::Activation::Silu)
    return scheduleContract(op.getX(), op.getWeight(), {}, tile::Epilogue::GateSilu, width,
                            out.buffers[0]);
  // No epilogue: the halves side by side, and the gate between them.
  missed("a sigmoid gate is a kernel of its own behind the product", packedOf(op.getWeight()).name);
  RowBuffer gate = allocRows(2 * width, count, true), up = gate;
  scheduleContract(op.getX(), op.getWeight(), {}, tile::Epilogue::Store, 2 * width,
                   gate.buffers[0]);
  gate.width = up.width = up.column = width;
  tile::GateOp::create(b, loc, Split::Rows, tile::Activation::Sigmoid, view(gate), view(up),
                       view(out));
}

RowBuffer Scheduler::sharedRows(Value result, Count count) {
  int64_t width = widthOf(result);
  bool isLogits = result.hasOneUse() && isa<func::ReturnOp>(*result.getUsers().begin()) &&
                  from.getName().starts_with("forward");
  if (!isLogits)
    return allocRows(width, count, true);
  return {{input(Input::Logits, {width}, b.getF32Type(), count)}, 0, width, count, true};
}

Scheduler::Residual Scheduler::residualOf(Operation *product, Value weight) {
  Value result = product->getResult(0);
  auto sum =
      result.hasOneUse() ? dyn_cast<arith::AddFOp>(*result.getUsers().begin()) : arith::AddFOp();
  if (!sum || sum->getBlock() != product->getBlock())
    return {};
  Value stream = sum.getLhs() == result ? sum.getRhs() : sum.getLhs();
  auto known = rows.find(stream);
  if (stream == result || known == rows.end())
    return {};
  bool fits = known->second.isWhole() && known->second.shared;
  if (!fits || !isFree(stream, product, sum)) {
    missed(fits ? "the product is not added to rows that are read again later"
                : "the product is not added to rows that are a part of others, or a thread's own",
           packedOf(weight).name);
    return {};
  }
  passed("the product is added to the residual where it lies", packedOf(weight).name);
  return {sum, stream};
}

static int64_t rowsTogether(const Machine &machine) {
  return machine.has(MOIRE_CPU_AVX512) ? kRowsTogetherAvx512 : kRowsTogetherAvx2;
}

static int64_t rowsDirect(const Machine &machine) {
  int64_t tiles = machine.has(MOIRE_CPU_AVX512) ? kDirectTilesAvx512 : kDirectTilesAvx2;
  return tiles * rowsTogether(machine);
}

// Chunks of equal width, of which those of a tile fit the nearest cache, of whole blocks of
// `multiple` columns.
static tile::BlockingAttr chooseBlocking(const Machine &machine, tile::RowKind kind, int64_t k,
                                         int64_t multiple, MLIRContext *context) {
  int64_t columnBytes = kPanelRows * (kind == tile::RowKind::Floats  ? 4
                                      : kind == tile::RowKind::Pairs ? 2
                                                                     : 1);
  bool wide = machine.has(MOIRE_CPU_AVX512);
  int64_t rows = wide ? kRowTileAvx512 : kRowTileAvx2;
  int64_t panels = wide ? kPanelTileAvx512 : kPanelTileAvx2;
  int64_t bytes = panels * k * columnBytes;
  int64_t chunks = bytes <= kWholeBytes
                       ? 1
                       : llvm::divideCeil(bytes, wide ? kChunkBytesAvx512 : kChunkBytesAvx2);
  int64_t rowBytes = k * columnBytes / kPanelRows;
  int64_t block = std::clamp(kBlockBytes / rowBytes, kBlockRows, kBlockRowsMost);
  int64_t together = rowsTogether(machine);
  // Packed weights become f32 once for all rows, not once a tile.
  int64_t direct = kind == tile::RowKind::Floats ? together : rowsDirect(machine);
  return tile::BlockingAttr::get(context, direct, together, rows, llvm::alignDown(block, kFour),
                                 llvm::alignTo(llvm::divideCeil(k, chunks), multiple), panels);
}

// Tiles of packed panels that are no whole fours would begin anywhere in one.
IntegerAttr Scheduler::rowsBeforeFours() {
  return b.getI64IntegerAttr(rowsTogether(machine) % kFour ? rowsDirect() : 0);
}

bool Scheduler::expertsGoByFours() const { return machine.has(MOIRE_CPU_AVX512); }

int64_t Scheduler::rowsDirect() const { return cpu::rowsDirect(machine); }

Scheduler::ProductPlan Scheduler::planProduct(const PackedWeight &packed, ArrayRef<Value> x,
                                              int64_t parts, int64_t panels, int64_t matrices) {
  ProductPlan product{packed.format, "vfmadd", {}, {}, {}, {}};
  product.turns = counter();
  const int64_t bytes = panelBytes(packed.format, packed.k);
  const Streams streams = machine.streams(bytes);
  const int64_t length = std::max<int64_t>(
      std::min(kStreamBytes / (parts * bytes), matrices * panels / (streams.count * kTurns)), 1);
  product.sharing =
      tile::SharingAttr::get(b.getContext(), panels * kEqualPart, length * streams.count,
                             kSinglePanels, streams.count, streams.aheadBytes);
  const PanelInfo &format = panelInfo(packed.format);
  bool quantized = x.size() == 3;
  bool pairs = cast<MemRefType>(x[0].getType()).getElementType().isInteger(32);
  if (pairs)
    product.instruction = machine.chooseInstruction(16);
  if (quantized) {
    product.instruction = machine.chooseInstruction(format.dotBits());
    if (std::string why = machine.whyNotFirst(format.dotBits()); !why.empty())
      missed(product.instruction + " multiplies int8: " + why, packed.name);
  }
  if (one)
    return product;
  tile::RowKind kind = quantized ? tile::RowKind::Quantized
                       : pairs   ? tile::RowKind::Pairs
                                 : tile::RowKind::Floats;
  int64_t multiple = 32;
  if (quantized) {
    int64_t blocks = cast<MemRefType>(x[1].getType()).getDimSize(2);
    multiple = tile::QuantizedRows::ofBlocks(packed.k, blocks)->columns;
  }
  product.blocking = chooseBlocking(machine, kind, packed.k, multiple, b.getContext());
  if (int64_t size =
          tile::StripLayout::of(packed.format, kind, packed.k, parts, product.blocking).bytes)
    product.strip = scratchBuffer(MemRefType::get({size}, b.getI8Type()));
  return product;
}

void Scheduler::remarkOnWidening(Type rows, const PackedWeight &packed) {
  if (moe::RowsAttr::of(rows) && machine.chooseInstruction(16) == "vfmadd")
    missed("rows of bf16 are multiplied as f32: " + machine.whyNotFirst(16), packed.name);
}

void Scheduler::scheduleContract(Value x, Value weightValue, Value bias, tile::Epilogue epilogue,
                                 int64_t width, Value out) {
  const PackedWeight &packed = packedOf(weightValue);
  SmallVector<Value, 3> inputs = operands(x);
  remarkOnWidening(x.getType(), packed);
  ProductPlan product =
      planProduct(packed, inputs, epilogue == tile::Epilogue::GateSilu ? 2 : 1, panelCount(width));
  tile::ContractOp::create(b, loc, Split::Panels, product.instruction, product.format, inputs,
                           weight(weightValue), bias ? weight(bias) : Value(), product.strip,
                           product.turns, out, epilogue, width, packed.k, product.blocking,
                           product.sharing, rows.find(x)->second.fours);
}

} // namespace moire::cpu
