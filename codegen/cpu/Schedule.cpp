// schedule: tensors become buffers, operations become kernels with a split over the team.
//
// The destination of every value is known here, so nothing is left for a copy to come from: a
// residual is accumulated into the buffer of the stream, slices of columns are views.

#include "codegen/cpu/Schedule.h"
#include "codegen/cpu/Tuning.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using tile::Count;
using tile::Input;
using tile::Space;

namespace moire::cpu {

static bool isState(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 5;
}

static bool isRows(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getRank() == 2 && tensor.isDynamicDim(0);
}

Scheduler::Scheduler(func::FuncOp from, const Machine &machine, Plan &plan)
    : from(from), machine(machine), plan(plan), one(from.getName().ends_with(kOne)), b(from),
      loc(from.getLoc()) {}

//===- Remarks --------------------------------------------------------------------------------===//

static void write(remark::detail::InFlightRemark &remark, StringRef text, StringRef symbol) {
  remark << text;
  if (!symbol.empty())
    remark << moe::aboutWeights(moe::splitWeightSymbol(symbol).second.str());
}

remark::RemarkOpts Scheduler::remarkOptions() {
  return remark::RemarkOpts::name("Schedule").category("schedule").function(to.getName());
}

void Scheduler::passed(StringRef what, StringRef symbol) {
  remark::detail::InFlightRemark remark = remark::passed(loc, remarkOptions());
  write(remark, what, symbol);
}

void Scheduler::missed(const Twine &why, StringRef symbol) {
  remark::detail::InFlightRemark remark = remark::missed(loc, remarkOptions());
  write(remark, why.str(), symbol);
}

//===- Buffers --------------------------------------------------------------------------------===//

Value Scheduler::rowCount(Count count) {
  return one ? Value() : Value(tile::CountOp::create(b, loc, b.getIndexType(), count));
}

// `shape` is without the first dimension, the rows.
static MemRefType rowsType(bool one, ArrayRef<int64_t> shape, Type element) {
  SmallVector<int64_t> full = {one ? 1 : ShapedType::kDynamic};
  full.append(shape.begin(), shape.end());
  return MemRefType::get(full, element);
}

Value Scheduler::alloc(Space space, ArrayRef<int64_t> shape, Type element, Count count) {
  return tile::AllocOp::create(b, loc, rowsType(one, shape, element), space, rowCount(count),
                               IntegerAttr());
}

Value Scheduler::input(Input field, ArrayRef<int64_t> shape, Type element, Count count) {
  return tile::InputOp::create(b, loc, rowsType(one, shape, element), field, rowCount(count));
}

RowBuffer Scheduler::allocRows(int64_t width, Count count, bool shared) {
  int64_t padded = wholePanels(width);
  Space space = shared ? Space::Shared : Space::Private;
  return {{alloc(space, {padded}, b.getF32Type(), count)}, 0, width, count, shared};
}

RowBuffer Scheduler::allocQuantized(tile::QuantizedRows form, Count count, bool shared) {
  Space space = shared ? Space::Shared : Space::Private;
  Value values = alloc(space, {form.k}, b.getI8Type(), count);
  Value scales = alloc(space, {form.kScales, form.blocks()}, b.getF32Type(), count);
  Value sums = alloc(space, {form.sums()}, b.getI32Type(), count);
  return {{values, scales, sums}, 0, form.k, count, shared};
}

RowBuffer Scheduler::allocEncoded(Value result, Count count, bool shared) {
  auto rows = cast<RankedTensorType>(result.getType());
  int64_t width = rows.getDimSize(1);
  if (auto block = moe::BlockAttr::of(rows)) {
    auto form = tile::QuantizedRows::ofColumns(width, block.getColumns());
    RowBuffer buffer = allocQuantized(form, count, shared);
    // Where experts go by single rows, of a four they would read all.
    auto isForExperts = [](Operation *user) { return isa<moe::ExpertsOp>(user); };
    if (!one && (expertsGoByFours() || llvm::none_of(result.getUsers(), isForExperts)))
      buffer.fours = rowsBeforeFours();
    return buffer;
  }
  if (!moe::RowsAttr::of(rows) || machine.chooseInstruction(16) == "vfmadd")
    return allocRows(width, count, shared);
  int64_t words = wholePanels(width) / 2;
  Space space = shared ? Space::Shared : Space::Private;
  return {{alloc(space, {words}, b.getI32Type(), count)}, 0, width, count, shared};
}

Value Scheduler::ids(Input field, Count count) { return input(field, {}, b.getI32Type(), count); }

Value Scheduler::view(const RowBuffer &rows) {
  Value buffer = rows.buffers[0];
  auto type = cast<MemRefType>(buffer.getType());
  if (rows.column == 0 && rows.width == type.getDimSize(1))
    return buffer;
  OpFoldResult count = one ? OpFoldResult(b.getIndexAttr(1)) : OpFoldResult(rowCount(rows.count));
  SmallVector<OpFoldResult> offsets = {b.getIndexAttr(0), b.getIndexAttr(rows.column)};
  SmallVector<OpFoldResult> sizes = {count, b.getIndexAttr(rows.width)};
  SmallVector<OpFoldResult> strides(2, b.getIndexAttr(1));
  return memref::SubViewOp::create(b, loc, buffer, offsets, sizes, strides);
}

SmallVector<Value, 3> Scheduler::operands(Value tensor) {
  const RowBuffer &buffer = rows.find(tensor)->second;
  if (!cast<MemRefType>(buffer.buffers[0].getType()).getElementType().isF32())
    return buffer.buffers;
  return {view(buffer)};
}

Value Scheduler::vectorWeight(const PackedWeight &packed, Value slice) {
  int64_t elements = wholePanels(packed.rows * packed.k);
  return tile::WeightOp::create(b, loc, MemRefType::get({elements}, b.getF32Type()), packed.name,
                                packed.offset, packed.slice_bytes, slice);
}

Value Scheduler::weight(Value value) {
  auto read = value.getDefiningOp<moe::ReadOp>();
  const PackedWeight &packed = plan.weight(read.getWeight());
  Value slice = read.getSlice() ? scalars.lookup(read.getSlice()) : Value();
  if (packed.format == PanelFormat::Vector)
    return vectorWeight(packed, slice);
  auto type = MemRefType::get({packed.layerBytes()}, b.getI8Type());
  return tile::WeightOp::create(b, loc, type, packed.name, packed.offset, packed.layerBytes(),
                                slice);
}

//===- Structure ------------------------------------------------------------------------------===//

func::FuncOp Scheduler::run() {
  bool isForward = from.getName().starts_with("forward");
  MLIRContext *context = b.getContext();
  auto pointer = LLVM::LLVMPointerType::get(context);
  SmallVector<Type> inputs = {pointer, b.getIndexType(), b.getIndexType()};
  SmallVector<Value> streams; // tensors of rows among the arguments
  for (BlockArgument argument : from.getArguments()) {
    if (argument.getType().isIndex()) {
      inputs.push_back(argument.getType());
    } else if (isRows(argument.getType())) {
      int64_t width = cast<RankedTensorType>(argument.getType()).getDimSize(1);
      int64_t padded = wholePanels(width);
      inputs.push_back(rowsType(one, {padded}, b.getF32Type()));
      streams.push_back(argument);
    }
  }
  std::string name = from.getName().str();
  from.setName(name + ".tensors");
  to = func::FuncOp::create(b, loc, name, FunctionType::get(context, inputs, {}));
  if (!isForward)
    to.setPrivate();
  b.setInsertionPointToStart(to.addEntryBlock());

  unsigned next = 3, states = 0, ids = 0;
  // Identifiers come in the order of the contract: tokens (forward only), slots, positions, rows.
  static constexpr Input order[] = {Input::Tokens, Input::Slots, Input::Positions, Input::Rows};
  for (BlockArgument argument : from.getArguments()) {
    if (argument.getType().isIndex())
      scalars.map(argument, to.getArgument(next++));
    else if (isRows(argument.getType()))
      rows[argument] = {{to.getArgument(next++)},
                        0,
                        cast<RankedTensorType>(argument.getType()).getDimSize(1),
                        Count::Tokens,
                        true};
    else if (isState(argument.getType()))
      this->states[argument] = states++ == 0 ? tile::Side::Keys : tile::Side::Values;
    else
      idInputs[argument] = order[ids++ + (isForward ? 0 : 1)];
  }
  if (failed(scheduleBlock(from.getBody().front())))
    return {};
  // A layer hands its stream back in the buffer that it came in; logits go to the host, if the
  // operation that made them has not put them there.
  unsigned stream = 0;
  for (Value result : from.getBody().front().getTerminator()->getOperands()) {
    if (!isRows(result.getType()))
      continue;
    Value place = rows.find(result)->second.buffers[0];
    if (!isForward)
      place = rows[streams[stream++]].buffers[0];
    else if (!place.getDefiningOp<tile::InputOp>())
      place = input(Input::Logits, {cast<RankedTensorType>(result.getType()).getDimSize(1)},
                    b.getF32Type(), Count::LogitRows);
    if (failed(finishRows(result, place)))
      return {};
  }
  func::ReturnOp::create(b, loc);
  return to;
}

LogicalResult Scheduler::finishRows(Value value, Value destination) {
  const RowBuffer &buffer = rows.find(value)->second;
  if (buffer.buffers.size() == 1 && buffer.column == 0 && buffer.buffers[0] == destination)
    return success();
  missed("rows are copied to where the caller wants them: they were made elsewhere");
  RowBuffer target = {{destination}, 0, buffer.width, buffer.count, true};
  tile::CopyOp::create(b, loc, tile::Split::Rows, view(buffer), view(target), Value());
  return success();
}

RowBuffer Scheduler::overwritable(Value stream, Operation *consumer) {
  RowBuffer buffer = rows.find(stream)->second;
  if (buffer.isWhole() && buffer.shared && isFree(stream, consumer, consumer))
    return buffer;
  missed("rows that are read again later are copied before they are overwritten");
  RowBuffer fresh = allocRows(buffer.width, buffer.count, true);
  tile::CopyOp::create(b, loc, tile::Split::Rows, view(buffer), view(fresh), Value());
  return fresh;
}

bool Scheduler::isFree(Value stream, Operation *writer, Operation *except) {
  // A slice of the stream shares its buffer, wherever the slice is used.
  return llvm::all_of(stream.getUsers(), [&](Operation *user) {
    return user == except ||
           (!isa<tensor::ExtractSliceOp>(user) && user->getBlock() == writer->getBlock() &&
            user->isBeforeInBlock(writer));
  });
}

LogicalResult Scheduler::scheduleBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (!done.contains(&op)) {
      loc = op.getLoc();
      if (failed(scheduleOp(op)))
        return failure();
    }
  return success();
}

LogicalResult Scheduler::scheduleOp(Operation &op) {
  if (isa<moe::ReadOp, tensor::DimOp>(op))
    return success(); // read where they are used
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return scheduleLoop(loop);
  if (auto call = dyn_cast<func::CallOp>(op))
    return scheduleCall(call);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return scheduleSlice(slice);
  if (op.getNumResults() == 1 && op.getResult(0).getType().isIndex()) {
    b.clone(op, scalars);
    return success();
  }
  return llvm::TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](moe::EmbedOp o) { return scheduleEmbed(o), success(); })
      .Case([&](moe::SelectRowsOp o) { return scheduleSelectRows(o), success(); })
      .Case([&](moe::RmsNormOp o) { return scheduleNorm(o), success(); })
      .Case([&](moe::QuantizeRowsOp o) { return scheduleQuantize(o), success(); })
      .Case([&](moe::RopeOp o) { return scheduleRope(o), success(); })
      .Case([&](moe::GateOp o) { return scheduleGate(o), success(); })
      .Case([&](arith::AddFOp o) { return scheduleAdd(o), success(); })
      .Case([&](moe::KvAppendOp o) { return scheduleKvAppend(o), success(); })
      .Case([&](moe::AttentionOp o) { return scheduleAttention(o), success(); })
      .Case([&](moe::TapOp o) { return scheduleTap(o), success(); })
      .Case([&](moe::ScaleOp o) { return scheduleScale(o), success(); })
      .Case([&](moe::RouteOp o) { return scheduleRoute(o), success(); })
      .Case([&](moe::ExpertsOp o) { return scheduleExperts(o); })
      .Case([&](moe::TapRouteOp o) { return scheduleTapRoute(o), success(); })
      .Case([&](moe::LinearOp o) { return scheduleLinear(o), success(); })
      .Case([&](moe::GatedLinearOp o) { return scheduleGatedLinear(o), success(); })
      .Default(
          [](Operation *o) { return o->emitError() << "no kernel for this operation on a CPU"; });
}

LogicalResult Scheduler::scheduleLoop(scf::ForOp loop) {
  // The carried tensors stay where they are.
  for (auto [init, argument, result] :
       llvm::zip(loop.getInitArgs(), loop.getRegionIterArgs(), loop.getResults())) {
    if (isState(init.getType()))
      states[argument] = states[result] = states.lookup(init);
    else {
      RowBuffer stream = overwritable(init, loop);
      rows[argument] = rows[result] = stream;
    }
  }
  auto bound = [&](Value v) { return scalars.lookup(v); };
  auto copy = scf::ForOp::create(b, loc, bound(loop.getLowerBound()), bound(loop.getUpperBound()),
                                 bound(loop.getStep()));
  scalars.map(loop.getInductionVar(), copy.getInductionVar());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(copy.getBody()->getTerminator());
  if (failed(scheduleBlock(*loop.getBody())))
    return failure();
  for (auto [yielded, argument] :
       llvm::zip(loop.getBody()->getTerminator()->getOperands(), loop.getRegionIterArgs()))
    if (!isState(argument.getType()) &&
        failed(finishRows(yielded, rows.find(argument)->second.buffers[0])))
      return failure();
  return success();
}

LogicalResult Scheduler::scheduleCall(func::CallOp call) {
  SmallVector<Value> arguments(to.getArguments().take_front(3));
  SmallVector<RowBuffer> streams;
  for (Value operand : call.getOperands()) {
    if (operand.getType().isIndex())
      arguments.push_back(scalars.lookup(operand));
    else if (isRows(operand.getType())) {
      streams.push_back(overwritable(operand, call));
      arguments.push_back(streams.back().buffers[0]);
    }
  }
  func::CallOp::create(b, loc, call.getCallee(), TypeRange(), arguments);
  unsigned stream = 0, state = 0;
  for (Value result : call.getResults()) {
    if (isState(result.getType()))
      states[result] = state++ == 0 ? tile::Side::Keys : tile::Side::Values;
    else
      rows[result] = streams[stream++];
  }
  return success();
}

LogicalResult Scheduler::scheduleSlice(tensor::ExtractSliceOp slice) {
  ArrayRef<int64_t> offsets = slice.getStaticOffsets();
  auto type = cast<RankedTensorType>(slice.getType());
  if (!isRows(type) || offsets[0] != 0 || ShapedType::isDynamic(offsets[1]) ||
      !slice.hasUnitStride())
    return slice.emitError() << "only ranges of columns of rows can be taken on a CPU";
  RowBuffer part = rows.find(slice.getSource())->second;
  part.column += offsets[1];
  part.width = type.getDimSize(1);
  rows[slice.getResult()] = part;
  return success();
}

LogicalResult schedule(ModuleOp module, const Machine &machine, Plan &plan) {
  SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
  for (func::FuncOp function : functions)
    if (!Scheduler(function, machine, plan).run())
      return failure();
  for (func::FuncOp function : functions)
    function.erase();
  for (auto weight : llvm::make_early_inc_range(module.getOps<moe::WeightOp>()))
    weight.erase();
  return success();
}

} // namespace moire::cpu
