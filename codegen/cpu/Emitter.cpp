#include "codegen/cpu/Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <tuple>

using namespace mlir;

namespace moire::cpu {

Emitter::Emitter(Operation *op)
    : b(op), loc(op->getLoc()), function(op->getParentOfType<func::FuncOp>()) {}

//===- Constants ------------------------------------------------------------------------------===//

Value Emitter::index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value Emitter::constant(Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  TypedAttr attr;
  if (isa<FloatType>(element))
    attr = b.getFloatAttr(element, value);
  else
    attr = b.getIntegerAttr(element, static_cast<int64_t>(value));
  if (auto vector = dyn_cast<VectorType>(type))
    attr = SplatElementsAttr::get(vector, Attribute(attr));
  return arith::ConstantOp::create(b, loc, attr);
}

Value Emitter::splat(Value scalar, VectorType type) {
  return vector::BroadcastOp::create(b, loc, type, scalar);
}

//===- Arithmetic -----------------------------------------------------------------------------===//

static bool isFloat(Value v) { return isa<FloatType>(getElementTypeOrSelf(v.getType())); }

Value Emitter::add(Value a, Value c) {
  return isFloat(a) ? arith::AddFOp::create(b, loc, a, c).getResult()
                    : arith::AddIOp::create(b, loc, a, c).getResult();
}
Value Emitter::sub(Value a, Value c) {
  return isFloat(a) ? arith::SubFOp::create(b, loc, a, c).getResult()
                    : arith::SubIOp::create(b, loc, a, c).getResult();
}
Value Emitter::mul(Value a, Value c) {
  return isFloat(a) ? arith::MulFOp::create(b, loc, a, c).getResult()
                    : arith::MulIOp::create(b, loc, a, c).getResult();
}
Value Emitter::fma(Value a, Value c, Value d) { return math::FmaOp::create(b, loc, a, c, d); }
Value Emitter::div(Value a, Value c) {
  return isFloat(a) ? arith::DivFOp::create(b, loc, a, c).getResult()
                    : arith::DivUIOp::create(b, loc, a, c).getResult();
}
Value Emitter::rem(Value a, Value c) { return arith::RemUIOp::create(b, loc, a, c); }
Value Emitter::min(Value a, Value c) { return arith::MinUIOp::create(b, loc, a, c); }
Value Emitter::max(Value a, Value c) {
  Value greater = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, a, c);
  return arith::SelectOp::create(b, loc, greater, a, c);
}
Value Emitter::addConst(Value v, int64_t constant) {
  return constant == 0 ? v : add(v, index(constant));
}
Value Emitter::mulConst(Value v, int64_t constant) {
  return constant == 1 ? v : mul(v, index(constant));
}
Value Emitter::toIndex(Value i32) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), i32);
}

//===- Memory ---------------------------------------------------------------------------------===//

Value Emitter::dim(Value memref, int64_t dimension) {
  auto type = cast<MemRefType>(memref.getType());
  if (!type.isDynamicDim(dimension))
    return index(type.getDimSize(dimension));
  return memref::DimOp::create(b, loc, memref, dimension);
}

Value Emitter::load(Value memref, ValueRange at) {
  return memref::LoadOp::create(b, loc, memref, at);
}
void Emitter::store(Value value, Value memref, ValueRange at) {
  memref::StoreOp::create(b, loc, value, memref, at);
}

Value Emitter::laneMask(int64_t lanes) {
  return vector::ConstantMaskOp::create(b, loc, vec(kLanes, b.getI1Type()),
                                        ArrayRef<int64_t>{lanes});
}

Value Emitter::loadLanes(Value memref, ValueRange at, int64_t lanes) {
  VectorType type = vec(kLanes, cast<MemRefType>(memref.getType()).getElementType());
  if (lanes == kLanes)
    return vector::LoadOp::create(b, loc, type, memref, at);
  return vector::MaskedLoadOp::create(b, loc, type, memref, at, laneMask(lanes), constant(type, 0));
}

void Emitter::storeLanes(Value vector, Value memref, ValueRange at, int64_t lanes) {
  if (lanes == kLanes)
    vector::StoreOp::create(b, loc, vector, memref, at);
  else
    vector::MaskedStoreOp::create(b, loc, memref, at, laneMask(lanes), vector);
}

Value Emitter::loadWide(Value memref, ValueRange at, int64_t lanes) {
  return widen(loadLanes(memref, at, lanes));
}

Value Emitter::loadBytes(Value bytes, ValueRange at, int64_t count, Type element) {
  int64_t size = count * element.getIntOrFloatBitWidth() / 8;
  Value raw = vector::LoadOp::create(b, loc, vec(size, b.getI8Type()), bytes, at);
  if (element.isInteger(8))
    return raw;
  return vector::BitCastOp::create(b, loc, vec(count, element), raw);
}

void Emitter::prefetch(Value bytes, Value at, bool isNear) {
  memref::PrefetchOp::create(b, loc, bytes, at, /*isWrite=*/false, /*localityHint=*/isNear ? 3 : 2,
                             /*isDataCache=*/true);
}

void Emitter::storeBytes(Value value, Value bytes, Value at) {
  auto type = cast<VectorType>(value.getType());
  VectorType raw = vec(type.getNumElements() * type.getElementTypeBitWidth() / 8, b.getI8Type());
  if (type != raw)
    value = vector::BitCastOp::create(b, loc, raw, value);
  vector::StoreOp::create(b, loc, value, bytes, at);
}

// `element`, in the shape of `type`.
static Type withElement(Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

static Value bitcast(Emitter &e, Value value, Type type) {
  if (auto vector = dyn_cast<VectorType>(type))
    return vector::BitCastOp::create(e.b, e.loc, vector, value);
  return arith::BitcastOp::create(e.b, e.loc, type, value);
}

Value Emitter::widen(Value value) {
  Type type = value.getType();
  Type element = getElementTypeOrSelf(type);
  Type wide = withElement(type, f32()), word = withElement(type, b.getI32Type());
  if (element.isF32())
    return value;
  if (element.isInteger(8))
    return arith::SIToFPOp::create(b, loc, wide, arith::ExtSIOp::create(b, loc, word, value));
  if (element.isBF16()) {
    // The upper half of an f32. extf would do, but has no instruction on every machine.
    Value half = bitcast(*this, value, withElement(type, b.getI16Type()));
    Value bits = arith::ExtUIOp::create(b, loc, word, half);
    return bitcast(*this, arith::ShLIOp::create(b, loc, bits, constant(word, 16)), wide);
  }
  return arith::ExtFOp::create(b, loc, wide, value);
}

// In integers: a truncation is a call of the compiler's library where AVX512-BF16 is missing.
static Value narrowToBFloat(Emitter &e, Value value) {
  Type type = value.getType(), word = withElement(type, e.b.getI32Type());
  Value bits = bitcast(e, value, word), sixteen = e.constant(word, 16);
  Value upper = arith::ShRUIOp::create(e.b, e.loc, bits, sixteen);
  Value odd = arith::AndIOp::create(e.b, e.loc, upper, e.constant(word, 1));
  Value biased = e.add(bits, e.add(odd, e.constant(word, 0x7fff)));
  Value rounded = arith::ShRUIOp::create(e.b, e.loc, biased, sixteen);
  // The carry would make a NaN infinite, or zero.
  Value quiet = arith::OrIOp::create(e.b, e.loc, upper, e.constant(word, 0x40));
  Value isNan = arith::CmpFOp::create(e.b, e.loc, arith::CmpFPredicate::UNO, value, value);
  Value kept = arith::SelectOp::create(e.b, e.loc, isNan, quiet, rounded);
  Value half = arith::TruncIOp::create(e.b, e.loc, withElement(type, e.b.getI16Type()), kept);
  return bitcast(e, half, withElement(type, e.b.getBF16Type()));
}

Value Emitter::narrow(Value value, Type element) {
  Type type = value.getType();
  if (getElementTypeOrSelf(type) == element)
    return value;
  if (element.isBF16())
    return narrowToBFloat(*this, value);
  return arith::TruncFOp::create(b, loc, withElement(type, element), value);
}

//===- Reductions -----------------------------------------------------------------------------===//

Value Emitter::foldLanes(Value v, int64_t lanes, Combine combine) {
  for (int64_t half = kLanes / 2; half >= lanes; half /= 2) {
    auto part = [&](int64_t from) {
      return vector::ExtractStridedSliceOp::create(b, loc, v, ArrayRef<int64_t>{from},
                                                   ArrayRef<int64_t>{half}, ArrayRef<int64_t>{1})
          .getResult();
    };
    v = combine(part(0), part(half));
  }
  return v;
}
Value Emitter::foldEach(ArrayRef<Value> vectors, Combine combine) {
  if (vectors.size() == 1)
    return foldLanes(vectors[0], 1, combine);
  auto parts = llvm::map_to_vector<4>(vectors, [&](Value v) { return foldLanes(v, 4, combine); });
  auto halves = [&](Value a, Value c) {
    return combine(shuffle(a, c, {0, 1, 4, 5}), shuffle(a, c, {2, 3, 6, 7}));
  };
  Value first = halves(parts[0], parts[1]), second = halves(parts[2], parts[3]);
  return combine(shuffle(first, second, {0, 2, 4, 6}), shuffle(first, second, {1, 3, 5, 7}));
}
Value Emitter::lane(Value v, int64_t i) {
  return vector::ExtractOp::create(b, loc, v, ArrayRef<int64_t>{i});
}
Value Emitter::lanes(ArrayRef<Value> scalars) {
  VectorType type = vec(scalars.size(), scalars[0].getType());
  return vector::FromElementsOp::create(b, loc, type, scalars);
}
Value Emitter::shuffle(Value a, Value c, ArrayRef<int64_t> lanes) {
  return vector::ShuffleOp::create(b, loc, a, c, lanes);
}
Value Emitter::sumLanes(Value v) {
  return lane(foldLanes(v, 1, [&](Value a, Value c) { return add(a, c); }), 0);
}
Value Emitter::maxLanes(Value v) {
  return lane(foldLanes(v, 1, [&](Value a, Value c) { return max(a, c); }), 0);
}

//===- Loops ----------------------------------------------------------------------------------===//

void Emitter::loop(Value from, Value to, Value step, Body body) {
  auto loop = scf::ForOp::create(b, loc, from, to, step);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void Emitter::loop(Value from, Value to, int64_t step, Body body) {
  loop(from, to, index(step), body);
}

SmallVector<Value> Emitter::fold(Value from, Value to, int64_t step, ValueRange init, Fold body) {
  auto loop = scf::ForOp::create(b, loc, from, to, index(step), init);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(b, loc, next);
  return llvm::to_vector(ValueRange(loop.getResults()));
}

std::pair<Value, Value> Emitter::shareOf(Value member, Value count) {
  Value from = div(mul(member, count), team());
  return {from, div(mul(addConst(member, 1), count), team())};
}

void Emitter::share(tile::Split split, Value count, Body body) {
  Value from = index(0), to = count;
  if (split != tile::Split::Whole)
    std::tie(from, to) = shareOf(thread(), count);
  loop(from, to, 1, body);
}

// Every thread takes one ticket too many. Whoever has the last of them knows that nobody asks again
// before the barrier that stands between two executions, and sets the counter back.
Value Emitter::nextTurn(Value turns, Value count) {
  Value one = arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
  Value ticket = memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::addi, one, turns,
                                             ValueRange{index(0)});
  ticket = arith::IndexCastOp::create(b, loc, b.getIndexType(), ticket);
  Value last = addConst(add(count, team()), -1);
  branch(arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, ticket, last), [&] {
    store(arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0)), turns, index(0));
  });
  return ticket;
}

void Emitter::whileBelow(Value first, Value end, llvm::function_ref<Value(Value)> body) {
  auto loop = scf::WhileOp::create(b, loc, TypeRange{b.getIndexType()}, ValueRange{first});
  OpBuilder::InsertionGuard guard(b);
  Block *test = b.createBlock(&loop.getBefore(), {}, {b.getIndexType()}, {loc});
  Value isBelow =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, test->getArgument(0), end);
  scf::ConditionOp::create(b, loc, isBelow, test->getArgument(0));
  Block *work = b.createBlock(&loop.getAfter(), {}, {b.getIndexType()}, {loc});
  Value next = body(work->getArgument(0));
  scf::YieldOp::create(b, loc, next);
}

SmallVector<Value> Emitter::consecutive(Value first, int64_t count) {
  SmallVector<Value> all;
  for (int64_t i = 0; i < count; ++i)
    all.push_back(addConst(first, i));
  return all;
}

std::pair<Value, Value> Emitter::evenPart(Value from, Value to, Value number, Value count,
                                          int64_t unit) {
  Value units = div(addConst(sub(to, from), unit - 1), index(unit));
  auto startOf = [&](Value part) {
    return add(from, mulConst(div(mul(units, part), count), unit));
  };
  return {startOf(number), startOf(addConst(number, 1))};
}

// The least that evenPart gives of any number of places from `least` on, in as few parts as there
// can be: with more places parts only grow.
static int64_t smallestTile(int64_t least, const Emitter::Tiling &tiling) {
  int64_t smallest = tiling.size;
  for (int64_t places = least; places < least + 3 * tiling.size; ++places) {
    int64_t units = llvm::divideCeil(places, tiling.unit);
    int64_t count = llvm::divideCeil(places, tiling.size), begin = 0;
    for (int64_t number = 1; number <= count; ++number) {
      int64_t end = units * number / count * tiling.unit;
      smallest = std::min(smallest, (tiling.exact ? std::min(end, places) : end) - begin);
      begin = end;
    }
  }
  return smallest;
}

void Emitter::tiles(Value from, Value to, int64_t least, Tiling tiling, Tile body) {
  const auto [size, unit, exact] = tiling;
  int64_t step = exact ? 1 : unit;
  Value count = div(addConst(sub(to, from), size - 1), index(size));
  loop(index(0), count, 1, [&](Value number) {
    auto [first, end] = evenPart(from, to, number, count, unit);
    if (exact && unit > 1)
      end = min(end, to);
    auto tileOf = [&, first = first](int64_t steps) {
      body(consecutive(first, steps * step), number);
    };
    choose(div(sub(end, first), index(step)), smallestTile(least, tiling) / step, size / step - 1,
           tileOf, [&] { tileOf(size / step); });
  });
}

void Emitter::chunks(int64_t width, llvm::function_ref<void(Value, int64_t)> body) {
  int64_t full = width / kLanes * kLanes;
  if (full == kLanes)
    body(index(0), kLanes);
  else if (full)
    loop(index(0), index(full), kLanes, [&](Value column) { body(column, kLanes); });
  if (width != full)
    body(index(full), width - full);
}

Value Emitter::foldChunks(int64_t width, Value init,
                          llvm::function_ref<Value(Value, int64_t, Value)> body) {
  int64_t full = width / kLanes * kLanes;
  Value accumulator = init;
  if (full)
    accumulator = fold(index(0), index(full), kLanes, init, [&](Value column, ValueRange acc) {
      return SmallVector<Value>{body(column, kLanes, acc[0])};
    })[0];
  if (width != full)
    accumulator = body(index(full), width - full, accumulator);
  return accumulator;
}

void Emitter::choose(Value number, int64_t first, int64_t last,
                     llvm::function_ref<void(int64_t)> body, llvm::function_ref<void()> otherwise) {
  if (first > last)
    return otherwise();
  Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, number, index(first));
  branch(isFirst, [&] { body(first); }, [&] { choose(number, first + 1, last, body, otherwise); });
}

void Emitter::branch(Value condition, llvm::function_ref<void()> then,
                     llvm::function_ref<void()> otherwise) {
  auto op = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/bool(otherwise));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(op.thenBlock());
  then();
  if (!otherwise)
    return;
  b.setInsertionPointToStart(op.elseBlock());
  otherwise();
}

} // namespace moire::cpu
