// Kernels that take one row (token) at a time.

#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/PanelReader.h"
#include "codegen/cpu/RoundRows.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {

static int64_t widthOf(Value memref) { return cast<MemRefType>(memref.getType()).getDimSize(1); }

void expandEmbed(Emitter &e, tile::EmbedOp op) {
  int64_t width = widthOf(op.getOut());
  e.share(op.getSplit(), e.dim(op.getTokens(), 0), [&](Value row) {
    Value token = e.toIndex(e.load(op.getTokens(), row));
    emitReadRow(e, op.getFormat(), op.getTable(), token, width, [&](Value k, Value value) {
      int64_t count = cast<VectorType>(value.getType()).getNumElements();
      if (count == 1)
        e.store(vector::ExtractOp::create(e.b, e.loc, value, ArrayRef<int64_t>{0}), op.getOut(),
                {row, k});
      else
        vector::StoreOp::create(e.b, e.loc, value, op.getOut(), ValueRange{row, k});
    });
  });
}

// out[row] = f(chunk of the inputs), for each row.
static void mapRows(Emitter &e, tile::Split split, ValueRange inputs, Value out,
                    llvm::function_ref<Value(ArrayRef<Value>)> f) {
  e.share(split, e.dim(out, 0), [&](Value row) {
    e.chunks(widthOf(out), [&](Value column, int64_t lanes) {
      SmallVector<Value> values;
      for (Value input : inputs)
        values.push_back(e.loadLanes(input, {row, column}, lanes));
      e.storeLanes(f(values), out, {row, column}, lanes);
    });
  });
}

void expandSelectRows(Emitter &e, tile::SelectRowsOp op) {
  e.share(op.getSplit(), e.dim(op.getRows(), 0), [&](Value r) {
    Value row = e.toIndex(e.load(op.getRows(), r));
    e.chunks(widthOf(op.getOut()), [&](Value column, int64_t lanes) {
      e.storeLanes(e.loadLanes(op.getX(), {row, column}, lanes), op.getOut(), {r, column}, lanes);
    });
  });
}

void expandGate(Emitter &e, tile::GateOp op) {
  auto activate = [&](Value v) {
    return op.getActivation() == tile::Activation::Silu ? emitSilu(e, v) : emitSigmoid(e, v);
  };
  if (op.getGate().getType().getDimSize(1) == op.getUp().getType().getDimSize(1))
    return mapRows(e, op.getSplit(), {op.getGate(), op.getUp()}, op.getOut(),
                   [&](ArrayRef<Value> v) { return e.mul(activate(v[0]), v[1]); });
  e.share(op.getSplit(), e.dim(op.getOut(), 0), [&](Value row) {
    Value gate = e.splat(activate(e.load(op.getGate(), {row, e.index(0)})));
    e.chunks(widthOf(op.getOut()), [&](Value column, int64_t lanes) {
      Value up = e.loadLanes(op.getUp(), {row, column}, lanes);
      e.storeLanes(e.mul(gate, up), op.getOut(), {row, column}, lanes);
    });
  });
}

void expandScale(Emitter &e, tile::ScaleOp op) {
  Value factor = e.constant(e.f32x16(), op.getFactor().convertToDouble());
  mapRows(e, op.getSplit(), op.getX(), op.getOut(),
          [&](ArrayRef<Value> v) { return e.mul(v[0], factor); });
}

void expandAdd(Emitter &e, tile::AddOp op) {
  mapRows(e, op.getSplit(), {op.getLhs(), op.getRhs()}, op.getOut(),
          [&](ArrayRef<Value> v) { return e.add(v[0], v[1]); });
}

void expandCopy(Emitter &e, tile::CopyOp op) {
  e.share(op.getSplit(), e.dim(op.getX(), 0), [&](Value row) {
    e.chunks(widthOf(op.getX()), [&](Value column, int64_t lanes) {
      SmallVector<Value> to;
      if (op.getIndex())
        to.push_back(op.getIndex());
      to.append({row, column});
      e.storeLanes(e.loadLanes(op.getX(), {row, column}, lanes), op.getOut(), to, lanes);
    });
  });
}

void expandTapRoute(Emitter &e, tile::TapRouteOp op) {
  e.share(op.getSplit(), e.dim(op.getIds(), 0), [&](Value row) {
    e.chunks(widthOf(op.getIds()), [&](Value column, int64_t lanes) {
      SmallVector<Value> to = {op.getLayer(), row, column};
      for (auto [from, out] : {std::pair(Value(op.getIds()), Value(op.getOutIds())),
                               {op.getWeights(), op.getOutWeights()}})
        e.storeLanes(e.loadLanes(from, {row, column}, lanes), out, to, lanes);
    });
  });
}

//===- Rounding to int8 -----------------------------------------------------------------------===//

// body(row, by fours?) for this thread's rows, of a step whose rows lie by fours if they are more
// than `fours`.
static void shareRows(Emitter &e, tile::Split split, Value count, std::optional<int64_t> fours,
                      llvm::function_ref<void(Value, bool)> body) {
  chooseFours(e, count, fours,
              [&](bool byFours) { e.share(split, count, [&](Value row) { body(row, byFours); }); });
}

void expandQuantize(Emitter &e, tile::QuantizeOp op) {
  shareRows(e, op.getSplit(), e.dim(op.getX(), 0), op.getFours(), [&](Value row, bool byFours) {
    emitRoundRow(e, RowPlace::of(e, row, byFours), {op.getValues(), op.getScales(), op.getSums()},
                 [&](Value column) { return e.loadLanes(op.getX(), {row, column}); });
  });
}

//===- Rounding to bf16 -----------------------------------------------------------------------===//

// Writes 16 columns of a row, rounded: as f32, or as words of two columns each (tile.round).
static void storeRounded(Emitter &e, Value v, Value out, Value row, Value column, int64_t lanes) {
  Value rounded = e.widen(e.narrow(v, e.b.getBF16Type()));
  if (cast<MemRefType>(out.getType()).getElementType().isF32())
    return e.storeLanes(rounded, out, {row, column}, lanes);
  Value bits = vector::BitCastOp::create(e.b, e.loc, e.vec(kLanes, e.b.getI32Type()), rounded);
  SmallVector<int64_t> even, odd;
  for (int64_t i = 0; i < kLanes; i += 2)
    even.push_back(i), odd.push_back(i + 1);
  Value first = vector::ShuffleOp::create(e.b, e.loc, bits, bits, even);
  Value second = vector::ShuffleOp::create(e.b, e.loc, bits, bits, odd);
  second = arith::ShRUIOp::create(e.b, e.loc, second, e.constant(second.getType(), 16));
  Value words = arith::OrIOp::create(e.b, e.loc, first, second);
  // Rows of words are padded to whole vectors: no mask.
  vector::StoreOp::create(e.b, e.loc, words, out, ValueRange{row, e.div(column, e.index(2))});
}

void expandRound(Emitter &e, tile::RoundOp op) {
  e.share(op.getSplit(), e.dim(op.getX(), 0), [&](Value row) {
    e.chunks(widthOf(op.getX()), [&](Value column, int64_t lanes) {
      storeRounded(e, e.loadLanes(op.getX(), {row, column}, lanes), op.getOut(), row, column,
                   lanes);
    });
  });
}

//===- Norm -----------------------------------------------------------------------------------===//

void expandRmsNorm(Emitter &e, tile::RmsNormOp op) {
  Value x = op.getX(), gain = op.getGain();
  int64_t width = widthOf(x), group = op.getGroup().value_or(width);
  // One group of a row, from column `first` on.
  auto normGroup = [&](Value row, Value first, bool byFours) {
    auto load = [&](Value column, int64_t lanes) {
      return e.loadLanes(x, {row, e.add(first, column)}, lanes);
    };
    Value squares =
        e.foldChunks(group, e.constant(e.f32x16(), 0), [&](Value column, int64_t lanes, Value sum) {
          Value v = load(column, lanes);
          return e.fma(v, v, sum);
        });
    Value mean = e.div(e.sumLanes(squares), e.constant(e.f32(), group));
    Value eps = e.constant(e.f32(), op.getEps().convertToDouble());
    Value root = math::SqrtOp::create(e.b, e.loc, e.add(mean, eps));
    Value factor = e.splat(e.div(e.constant(e.f32(), 1), root));
    auto normalized = [&](Value column, int64_t lanes) {
      return e.mul(e.mul(load(column, lanes), factor), e.loadLanes(gain, column, lanes));
    };
    if (op.getOuts().size() == 1) {
      e.chunks(group, [&](Value column, int64_t lanes) {
        Value y = normalized(column, lanes), out = op.getOuts()[0];
        if (op.getRound())
          storeRounded(e, y, out, row, column, lanes);
        else
          e.storeLanes(y, out, {row, e.add(first, column)}, lanes);
      });
      return;
    }
    emitRoundRow(e, RowPlace::of(e, row, byFours), op.getOuts(),
                 [&](Value column) { return normalized(column, kLanes); });
  };
  shareRows(e, op.getSplit(), e.dim(x, 0), op.getFours(), [&](Value row, bool byFours) {
    if (group == width)
      return normGroup(row, e.index(0), byFours);
    e.loop(e.index(0), e.index(width), group, [&](Value first) { normGroup(row, first, byFours); });
  });
}

//===- RoPE -----------------------------------------------------------------------------------===//

void expandRope(Emitter &e, tile::RopeOp op) {
  Value x = op.getX(), out = op.getOut();
  int64_t headDim = op.getHeadDim(), half = op.getRotaryDims() / 2, width = widthOf(x);
  Value heads = e.index(width / headDim);
  e.share(op.getSplit(), e.dim(x, 0), [&](Value row) {
    Value position = arith::SIToFPOp::create(e.b, e.loc, e.f32(), e.load(op.getPositions(), row));
    e.chunks(half, [&](Value i, int64_t lanes) {
      Value angle = e.mul(e.splat(position), e.loadLanes(op.getFrequencies(), i, lanes));
      auto [sine, cosine] = emitSinCos(e, angle);
      e.loop(e.index(0), heads, 1, [&](Value head) {
        Value first = e.add(e.mulConst(head, headDim), i), second = e.addConst(first, half);
        Value a = e.loadLanes(x, {row, first}, lanes), c = e.loadLanes(x, {row, second}, lanes);
        Value minus = arith::NegFOp::create(e.b, e.loc, e.mul(c, sine));
        e.storeLanes(e.fma(a, cosine, minus), out, {row, first}, lanes);
        e.storeLanes(e.fma(c, cosine, e.mul(a, sine)), out, {row, second}, lanes);
      });
    });
    if (2 * half == headDim)
      return;
    e.loop(e.index(0), heads, 1, [&](Value head) {
      Value rest = e.addConst(e.mulConst(head, headDim), 2 * half);
      e.chunks(headDim - 2 * half, [&](Value column, int64_t lanes) {
        Value at = e.add(rest, column);
        e.storeLanes(e.loadLanes(x, {row, at}, lanes), out, {row, at}, lanes);
      });
    });
  });
}

} // namespace moire::cpu
