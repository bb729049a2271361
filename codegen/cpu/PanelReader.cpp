#include "codegen/cpu/PanelReader.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

static Type plainElement(Emitter &e, PanelFormat format) {
  return format == PanelFormat::F32   ? e.f32()
         : format == PanelFormat::F16 ? Type(e.b.getF16Type())
                                      : Type(e.b.getBF16Type());
}

PanelReader::PanelReader(Emitter &e, PanelFormat format, Value bytes, Value panel, int64_t k,
                         Value origin)
    : e(e), info(panelInfo(format)), pairs(format == PanelFormat::BF16Pairs),
      plain(plainElement(e, format)), bytes(bytes), base(e.mulConst(panel, panelBytes(format, k))),
      rows(kPanelRows), parts(panelParts(format)) {
  if (origin)
    base = e.add(origin, base);
}

PanelReader::PanelReader(Emitter &e, PanelFormat format, Value bytes, Value panel, Value row,
                         int64_t k)
    : PanelReader(e, format, bytes, panel, k) {
  this->row = row;
  rows = 1;
}

Value PanelReader::load(Value at, int64_t count, Type element, int64_t before) {
  Value offset = e.add(base, at);
  if (row)
    offset = e.add(offset, e.mulConst(row, count * element.getIntOrFloatBitWidth() / 8));
  return e.loadBytes(bytes, e.addConst(offset, before), rows * count, element);
}

//===- Scales ---------------------------------------------------------------------------------===//

Value PanelReader::number(int64_t part, int64_t factors, bool isSigned, Value block, int64_t which,
                          int64_t columns) {
  const int64_t blocks = info.unitColumns() / columns; // of a unit
  Value unit = e.mulConst(blocks == 1 ? block : e.div(block, e.index(blocks)), parts.unit);
  // What the unit has in a part for scale `which` of the block.
  auto load = [&](int64_t part, Type element) {
    const int64_t bytes = kPanelRows * element.getIntOrFloatBitWidth() / 8;
    Value at = unit;
    if (info.columns < info.unitColumns() && blocks > 1)
      at = e.add(at, e.mulConst(e.rem(block, e.index(blocks)), columns / info.columns * bytes));
    return this->load(at, 1, element, part + which * bytes);
  };
  VectorType words = e.vec(rows, e.b.getI32Type()), floats = e.vec(rows, e.f32());
  switch (info.scales) {
  case Scales::Half:
    return e.widen(load(part, e.b.getF16Type()));
  case Scales::Brain:
    return e.widen(load(part, e.b.getBF16Type()));
  case Scales::Single:
    return load(part, e.f32());
  case Scales::Exponent: {
    // The exponent of an f32 is one less. (Denormals are zero in generated code.)
    Value byte = arith::ExtUIOp::create(e.b, e.loc, words, load(part, e.b.getI8Type()));
    Value one = e.constant(words, 1);
    Value exponent = e.sub(arith::MaxUIOp::create(e.b, e.loc, byte, one), one);
    Value bits = arith::ShLIOp::create(e.b, e.loc, exponent, e.constant(words, 23));
    return vector::BitCastOp::create(e.b, e.loc, floats, bits);
  }
  case Scales::Factors:
    break;
  case Scales::None:
    llvm_unreachable("numbers without blocks have no scales");
  }
  Value scale = e.widen(this->load(unit, 1, e.b.getF16Type(), part));
  Value factor = load(factors, e.b.getI8Type());
  factor = isSigned ? arith::ExtSIOp::create(e.b, e.loc, words, factor).getResult()
                    : arith::ExtUIOp::create(e.b, e.loc, words, factor).getResult();
  return e.mul(scale, arith::SIToFPOp::create(e.b, e.loc, floats, factor));
}

Value PanelReader::scales(Value block, int64_t which, int64_t columns) {
  return number(parts.scales, parts.factors, !info.minima, block, which, columns);
}

Value PanelReader::minima(Value block, int64_t which, int64_t columns) {
  if (!info.minima)
    return {};
  Value minimum = number(parts.minima, parts.minimum_factors, false, block, which, columns);
  // With factors it is what is subtracted.
  return info.scales == Scales::Factors ? arith::NegFOp::create(e.b, e.loc, minimum).getResult()
                                        : minimum;
}

//===- Quants ---------------------------------------------------------------------------------===//

Value PanelReader::numbersBefore(Value block, int64_t columns) const {
  const int64_t blocks = info.unitColumns() / columns; // of a unit
  return e.mulConst(blocks == 1 ? block : e.div(block, e.index(blocks)), parts.quants);
}

Value PanelReader::quantsAt(Value block) const {
  return e.add(numbersBefore(block, 32), e.mulConst(block, info.bits * kPanelRows * 4));
}

Value PanelReader::line(Value block, int64_t line) {
  return load(quantsAt(block), 4, e.b.getI8Type(), parts.quants + line * kPanelRows * 4);
}

static Value shifted(Emitter &e, Value bytes, int64_t left) {
  Value distance = e.constant(bytes.getType(), std::abs(left));
  if (left > 0)
    return arith::ShLIOp::create(e.b, e.loc, bytes, distance);
  return left < 0 ? arith::ShRUIOp::create(e.b, e.loc, bytes, distance).getResult() : bytes;
}

static Value masked(Emitter &e, Value bytes, int64_t mask) {
  return arith::AndIOp::create(e.b, e.loc, bytes, e.constant(bytes.getType(), mask));
}

// The bits of a piece that the bytes of a line have, at their place in the codes.
static Value bitsOf(Emitter &e, const CodePiece &piece, Value line) {
  Value bits = shifted(e, line, piece.place - piece.bit);
  const int64_t mask = ((1 << piece.count) - 1) << piece.place;
  return mask == 255 ? bits : masked(e, bits, mask);
}

Value PanelReader::quants(Value block, int64_t group) {
  Value codes;
  for (const CodePiece &piece : codePieces(info.bits)[group]) {
    Value bits = bitsOf(e, piece, line(block, piece.line));
    codes = codes ? arith::OrIOp::create(e.b, e.loc, codes, bits).getResult() : bits;
  }
  return info.values ? lookUp(codes) : codes;
}

Value PanelReader::pairOfQuants(Value pair, int64_t which, Value block, int64_t columns) {
  const int64_t lines = info.bits == 8 ? 2 : 1; // of a pair
  const CodePiece &piece = *codePieces(info.bits)[which].begin();
  Value at = e.add(numbersBefore(block, columns), e.mulConst(pair, lines * kPanelRows * 4));
  const int64_t before = parts.quants + piece.line * kPanelRows * 4;
  Value codes = bitsOf(e, piece, load(at, 4, e.b.getI8Type(), before));
  return info.values ? lookUp(codes) : codes;
}

void PanelReader::prefetchLine(Value block, Value line, bool isNear) const {
  // What its unit has in front goes with the first block.
  Value at = e.add(quantsAt(block), e.mulConst(line, kPanelRows * 4));
  e.prefetch(bytes, e.add(base, at), isNear);
}

int64_t PanelReader::linesPerBlock() const {
  return (parts.unit * 32 / info.unitColumns() + kPanelRows * 4 - 1) / (kPanelRows * 4);
}

// The bytes of a table of 16 at some places. The instruction works on parts of 16 bytes, of which a
// register of AVX2 holds two.
Value PanelReader::lookUp(Value codes) {
  int64_t count = rows * 4, width = count < 16 ? 16 : 32;
  SmallVector<int8_t> table;
  for (int64_t i = 0; i < width; ++i)
    table.push_back(info.values[i % 16] + info.zero);
  VectorType part = e.vec(width, e.b.getI8Type());
  Value values =
      arith::ConstantOp::create(e.b, e.loc, DenseElementsAttr::get(part, ArrayRef<int8_t>(table)));
  auto look = [&](Value places) -> Value {
    StringRef name = width == 16 ? "llvm.x86.ssse3.pshuf.b.128" : "llvm.x86.avx2.pshuf.b";
    return LLVM::CallIntrinsicOp::create(e.b, e.loc, part, e.b.getStringAttr(name),
                                         ValueRange{values, places})
        .getResult(0);
  };
  auto shuffle = [&](Value a, Value c, int64_t from, int64_t size) -> Value {
    SmallVector<int64_t> places;
    for (int64_t i = 0; i < size; ++i)
      places.push_back((from + i) % (2 * count));
    return vector::ShuffleOp::create(e.b, e.loc, a, c, places);
  };
  if (count < width) {
    Value wide = look(shuffle(codes, codes, 0, width));
    return vector::ExtractStridedSliceOp::create(e.b, e.loc, wide, ArrayRef<int64_t>{0},
                                                 ArrayRef<int64_t>{count}, ArrayRef<int64_t>{1});
  }
  Value low = look(shuffle(codes, codes, 0, width)), high = look(shuffle(codes, codes, 32, width));
  return vector::ShuffleOp::create(e.b, e.loc, low, high,
                                   llvm::to_vector(llvm::seq<int64_t>(0, 2 * width)));
}

//===- Numbers --------------------------------------------------------------------------------===//

Value PanelReader::numbers(Value place, int64_t count, Type element) {
  int64_t size = count * element.getIntOrFloatBitWidth() / 8; // of a row
  return load(e.mulConst(place, kPanelRows * size), count, element);
}

Value PanelReader::pair(Value pair) { return numbers(pair, 4, e.b.getI8Type()); }

Value PanelReader::column(Value k) {
  if (!pairs)
    return e.widen(numbers(k, 1, plain));
  // An even column is the high half of a word, an odd one has to be moved there.
  Value two = e.index(2), distance = e.mulConst(e.rem(k, two), 16);
  VectorType words = e.vec(rows, e.b.getI32Type());
  distance = arith::IndexCastOp::create(e.b, e.loc, e.b.getI32Type(), distance);
  Value bits = numbers(e.div(k, two), 1, e.b.getI32Type());
  bits = arith::ShLIOp::create(e.b, e.loc, bits, e.splat(distance, words));
  bits = arith::AndIOp::create(e.b, e.loc, bits, e.constant(words, -0x10000));
  return vector::BitCastOp::create(e.b, e.loc, e.vec(rows, e.f32()), bits);
}

void PanelReader::dequantizeBlock(Value block, llvm::function_ref<void(int64_t, Value)> use) {
  VectorType words = e.vec(rows, e.b.getI32Type()), floats = e.vec(rows, e.f32());
  auto constant = [&](int64_t v) { return e.constant(words, v); };
  int64_t groups = 8 / scalesPerBlock();
  Value scale, minimum;
  for (int64_t group = 0; group < 8; ++group) {
    if (group % groups == 0) {
      scale = scales(block, group / groups);
      minimum = minima(block, group / groups);
    }
    // A row's integers as one i32: byte i is its bits 8i … 8i + 7.
    Value four = vector::BitCastOp::create(e.b, e.loc, words, quants(block, group));
    for (int64_t i = 0; i < 4; ++i) {
      Value q = arith::ShLIOp::create(e.b, e.loc, four, constant(24 - 8 * i));
      q = info.isSigned() ? arith::ShRSIOp::create(e.b, e.loc, q, constant(24)).getResult()
                          : arith::ShRUIOp::create(e.b, e.loc, q, constant(24)).getResult();
      if (info.zero)
        q = e.sub(q, constant(info.zero));
      Value value = e.mul(arith::SIToFPOp::create(e.b, e.loc, floats, q), scale);
      use(4 * group + i, minimum ? e.add(value, minimum) : value);
    }
  }
}

void emitReadRow(Emitter &e, PanelFormat format, Value bytes, Value row, int64_t k,
                 llvm::function_ref<void(Value, Value)> use) {
  Value rows = e.index(kPanelRows);
  PanelReader reader(e, format, bytes, e.div(row, rows), e.rem(row, rows), k);
  const PanelInfo &info = panelInfo(format);
  if (!info.isBlocked()) {
    e.loop(e.index(0), e.index(k), 1, [&](Value column) { use(column, reader.column(column)); });
    return;
  }
  VectorType words = e.vec(4, e.b.getI32Type()), floats = e.vec(4, e.f32());
  int64_t groups = 8 / reader.scalesPerBlock();
  e.loop(e.index(0), e.index(k / 32), 1, [&](Value block) {
    auto spread = [&](Value one) {
      return one ? e.splat(vector::ExtractOp::create(e.b, e.loc, one, ArrayRef<int64_t>{0}), floats)
                 : one;
    };
    Value scale, minimum;
    for (int64_t group = 0; group < 8; ++group) {
      if (group % groups == 0) {
        scale = spread(reader.scales(block, group / groups));
        minimum = spread(reader.minima(block, group / groups));
      }
      Value q = reader.quants(block, group);
      q = info.isSigned() ? arith::ExtSIOp::create(e.b, e.loc, words, q).getResult()
                          : arith::ExtUIOp::create(e.b, e.loc, words, q).getResult();
      if (info.zero)
        q = e.sub(q, e.constant(words, info.zero));
      Value value = e.mul(arith::SIToFPOp::create(e.b, e.loc, floats, q), scale);
      use(e.addConst(e.mulConst(block, 32), 4 * group), minimum ? e.add(value, minimum) : value);
    }
  });
}

} // namespace moire::cpu
