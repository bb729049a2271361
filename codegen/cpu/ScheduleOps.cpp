// schedule: one function an operation.

#include "codegen/cpu/Schedule.h"
#include "codegen/cpu/Tuning.h"

using namespace mlir;
using tile::Count;
using tile::Input;
using tile::Space;
using tile::Split;

namespace moire::cpu {

static int64_t widthOf(Value tensor) {
  return cast<RankedTensorType>(tensor.getType()).getDimSize(1);
}

static tile::Format tileFormat(PanelFormat format) {
  switch (format) {
  case PanelFormat::F32:
  case PanelFormat::Vector:
    return tile::Format::F32;
  case PanelFormat::F16:
    return tile::Format::F16;
  case PanelFormat::BF16:
    return tile::Format::BF16;
  case PanelFormat::Q4_0:
    return tile::Format::Q4_0;
  case PanelFormat::Q4_1:
    return tile::Format::Q4_1;
  case PanelFormat::Q8_0:
    return tile::Format::Q8_0;
  }
  llvm_unreachable("a panel without a format");
}

static const PackedWeight &packedOf(Plan &plan, Value weight) {
  return plan.weight(weight.getDefiningOp<moe::ReadOp>().getWeight());
}

void Scheduler::scheduleEmbed(moe::EmbedOp op) {
  // The residual stream is shared: products are accumulated into it panel by panel.
  RowBuffer out = allocRows(widthOf(op.getResult()), Count::Tokens, true);
  tile::EmbedOp::create(b, loc, Split::Rows, tileFormat(packedOf(plan, op.getTable()).format),
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
  bool quantized = bool(moe::BlockAttr::of(op.getType()));
  int64_t width = widthOf(op.getResult());
  Count count = rows.find(op.getX())->second.count;
  RowBuffer out = quantized ? allocQuantized(width, count, !one) : allocRows(width, count, !one);
  rows[op.getResult()] = out;
  tile::RmsNormOp::create(b, loc, rowSplit(), operands(op.getX())[0], weight(op.getGain()),
                          operands(op.getResult()), op.getEps());
}

void Scheduler::scheduleQuantize(moe::QuantizeRowsOp op) {
  RowBuffer out = allocQuantized(widthOf(op.getResult()), rows.find(op.getX())->second.count, !one);
  tile::QuantizeOp::create(b, loc, rowSplit(), operands(op.getX())[0], out.buffers[0],
                           out.buffers[1], out.buffers[2]);
  rows[op.getResult()] = out;
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
  RowBuffer out = allocRows(widthOf(op.getResult()), rows.find(op.getGate())->second.count, !one);
  tile::GateOp::create(b, loc, rowSplit(), operands(op.getGate())[0], operands(op.getUp())[0],
                       view(out));
  rows[op.getResult()] = out;
}

void Scheduler::scheduleAdd(arith::AddFOp op) {
  // Shared: it may be the stream that goes on.
  RowBuffer out = allocRows(widthOf(op.getResult()), rows.find(op.getLhs())->second.count, true);
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

void Scheduler::scheduleKvAppend(moe::KvAppendOp op) {
  tile::Side side = states.lookup(op.getState());
  tile::KvAppendOp::create(
      b, loc, one ? Split::Heads : Split::Rows, side, operands(op.getValues())[0],
      kvPool(b, loc, plan.kv.getElement()), pageTable(b, loc), ids(Input::Slots, Count::Tokens),
      ids(Input::Positions, Count::Tokens), scalars.lookup(op.getLayer()), plan.kv);
  states[op.getResult()] = side;
}

void Scheduler::scheduleAttention(moe::AttentionOp op) {
  RowBuffer out = allocRows(widthOf(op.getResult()), Count::Tokens, true);
  auto scratchType =
      MemRefType::get({kQueryTile, plan.kv.getPage() + plan.kv.getValueStride()}, b.getF32Type());
  Value scratch =
      tile::AllocOp::create(b, loc, scratchType, Space::Private, Value(), IntegerAttr());
  tile::AttendOp::create(b, loc, one ? Split::Heads : Split::Tiles, operands(op.getQueries())[0],
                         kvPool(b, loc, plan.kv.getElement()), pageTable(b, loc),
                         ids(Input::Slots, Count::Tokens), ids(Input::Positions, Count::Tokens),
                         scratch, view(out), scalars.lookup(op.getLayer()), plan.kv, op.getScale(),
                         op.getWindowAttr());
  rows[op.getResult()] = out;
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

//===- Products -------------------------------------------------------------------------------===//

void Scheduler::scheduleLinear(moe::LinearOp op) {
  int64_t width = widthOf(op.getResult());
  Count count = rows.find(op.getX())->second.count;
  auto use = op->hasOneUse() ? op->getUsers().begin() : op->getUsers().end();
  if (use != op->getUsers().end()) {
    // x + linear(…): the product goes straight into x's buffer.
    if (auto sum = dyn_cast<arith::AddFOp>(*use))
      if (Value stream = accumulatorFor(op, sum)) {
        RowBuffer out = rows.find(stream)->second;
        scheduleContract(op, op.getX(), op.getWeight(), op.getBias(), tile::Epilogue::Accumulate,
                         width, out.buffers[0]);
        rows[sum.getResult()] = out;
        done.insert(sum);
        return;
      }
    // The logits go to the host.
    if (isa<func::ReturnOp>(*use) && from.getName().starts_with("forward")) {
      Value out = input(Input::Logits, {width}, b.getF32Type(), count);
      scheduleContract(op, op.getX(), op.getWeight(), op.getBias(), tile::Epilogue::Store, width,
                       out);
      plan.vocab = width;
      return;
    }
  }
  RowBuffer out = allocRows(width, count, true);
  scheduleContract(op, op.getX(), op.getWeight(), op.getBias(), tile::Epilogue::Store, width,
                   out.buffers[0]);
  rows[op.getResult()] = out;
}

Value Scheduler::accumulatorFor(Operation *product, arith::AddFOp sum) {
  Value result = product->getResult(0);
  Value stream = sum.getLhs() == result ? sum.getRhs() : sum.getLhs();
  auto known = rows.find(stream);
  if (stream == result || known == rows.end() || sum->getBlock() != product->getBlock())
    return {};
  bool fits = known->second.isWhole() && known->second.shared;
  return fits && isFree(stream, product, sum) ? stream : Value();
}

void Scheduler::scheduleContract(Operation *op, Value x, Value weightValue, Value bias,
                                 tile::Epilogue epilogue, int64_t width, Value out) {
  const PackedWeight &packed = packedOf(plan, weightValue);
  tile::Format format = tileFormat(packed.format);
  SmallVector<Value, 3> inputs = operands(x);
  bool quantized = inputs.size() == 3;
  int64_t parts = epilogue == tile::Epilogue::GateSilu ? 2 : 1;
  StringRef instruction = "vfmadd";
  if (quantized)
    instruction = machine.chooseInstruction(format == tile::Format::Q8_0 ? 8 : 4);

  // Many rows share a panel that is unpacked once: bytes, or f32 columns of 16 rows.
  MemRefType strip;
  if (!one && quantized && format != tile::Format::Q8_0)
    strip = MemRefType::get({parts * kPanelRows * packed.k}, b.getI8Type());
  else if (!one && !quantized && format != tile::Format::F32)
    strip = MemRefType::get({parts * packed.k, kPanelRows}, b.getF32Type());
  Value stripBuffer;
  if (strip)
    stripBuffer = tile::AllocOp::create(b, loc, strip, Space::Private, Value(), IntegerAttr());
  tile::ContractOp::create(b, loc, Split::Panels, instruction, format, inputs, weight(weightValue),
                           bias ? weight(bias) : Value(), stripBuffer, out, epilogue, width,
                           packed.k);
}

} // namespace moire::cpu
