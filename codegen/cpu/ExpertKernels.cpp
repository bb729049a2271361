// The products of experts. Rows are grouped by expert (tile.dispatch), the team shares the panels
// of every expert, so that nobody waits however the tokens are spread over the experts. Each
// product accumulates as Contraction.h says, and a token's experts are added up in the order of its
// choices: no result depends on the team or on other tokens.

#include "codegen/cpu/Contraction.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/Turns.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace moire::cpu {
namespace {

// What both products have in common; `Op` is one of the two.
template <typename Op> class ExpertProduct {
public:
  ExpertProduct(Emitter &e, Op op, ValueRange x, int64_t parts)
      : e(e), op(op), x(x), parts(parts), panels(panelCount(op.getWidth())) {}

protected:
  using Values = Contraction::Values;

  Contraction contraction(Value expert) {
    Value origin = e.mulConst(expert, op.getExpertBytes());
    auto fours = op.getFours() ? std::optional<int64_t>(0) : std::nullopt;
    return Contraction(e, {op.getFormat(), op.getInstruction(), x, op.getWeight(), op.getStrip(),
                           op.getBlockingAttr(), op.getSharingAttr(), int64_t(op.getK()), parts,
                           origin, fours, /*beginFour=*/false});
  }

  Value at(Value ids, ValueRange place) { return e.toIndex(e.load(ids, place)); }

  PanelShares shares() {
    return PanelShares(e, op.getSplit(), op.getTurns(), op.getSharingAttr(), panels,
                       contraction(e.index(0)).panelsOfTile());
  }

  int64_t experts() { return op.getOffsets().getType().getDimSize(1) - 1; }

  // body(first place, end of its places) if the expert has any.
  void ifAny(Value expert, llvm::function_ref<void(Value, Value)> body) {
    Value from = at(op.getOffsets(), {e.index(0), expert});
    Value to = at(op.getOffsets(), {e.index(0), e.addConst(expert, 1)});
    Value any = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, from, to);
    e.branch(any, [&] { body(from, to); });
  }

  Emitter &e;
  Op op;
  ValueRange x;
  int64_t parts, panels;
};

class GroupedContract : ExpertProduct<tile::GroupedContractOp> {
public:
  GroupedContract(Emitter &e, tile::GroupedContractOp op)
      : ExpertProduct(e, op, op.getX(), op.getEpilogue() == tile::Epilogue::GateSilu ? 2 : 1) {}

  void emit() {
    if (!op.getOffsets())
      return shares().each(op.getChoices(), [&](Value j, Value first, Value last) {
        contraction(at(op.getOrder(), j))
            .fewRows(first, last, RowPlace{e.index(0)},
                     [&](size_t, Value panel, Value y) { write(j, panel, y); });
      });
    shares().each(experts(), [&](Value expert, Value first, Value last) {
      ifAny(expert, [&](Value from, Value to) {
        contraction(expert).manyRows(
            first, last, from, to,
            [&](Value place) {
              return op.getFours() ? place
                                   : e.div(at(op.getOrder(), place), e.index(op.getChoices()));
            },
            [&](Value place, Value panel, Value y) { write(place, panel, y); });
      });
    });
  }

private:
  void write(Value place, Value panel, Value y) {
    if (op.getEpilogue() == tile::Epilogue::Silu)
      y = emitSilu(e, y);
    emitWritePanel(e, y, op.getOut(), place, panel, panels, /*accumulate=*/false);
  }
};

class CombineContract : ExpertProduct<tile::CombineContractOp> {
public:
  CombineContract(Emitter &e, tile::CombineContractOp op)
      : ExpertProduct(e, op, op.getHidden(), 1), choices(op.getWeights().getType().getDimSize(1)) {}

  void emit() {
    if (!op.getOffsets())
      return emitOneToken();
    int64_t together = op.getPartial().getType().getDimSize(2) / kPanelRows;
    shares().each(1, [&](Value, Value from, Value to) {
      e.loop(from, to, together,
             [&](Value first) { somePanels(first, e.min(e.addConst(first, together), to)); });
    });
  }

private:
  // All tokens' results of as many panels as `partial` holds.
  void somePanels(Value first, Value end) {
    e.loop(e.index(0), e.index(experts()), 1, [&](Value expert) {
      ifAny(expert, [&](Value from, Value to) {
        contraction(expert).manyRows(
            first, end, from, to, [](Value place) { return place; },
            [&](Value place, Value panel, Value y) {
              Value assignment = at(op.getOrder(), place), k = e.index(choices);
              e.storeLanes(y, op.getPartial(),
                           {e.div(assignment, k), e.rem(assignment, k), column(panel, first)});
            });
      });
    });
    addUp(first, end);
  }

  Value column(Value panel, Value first) { return e.mulConst(e.sub(panel, first), kPanelRows); }

  // The sums over a token's choices, each from y(j), those of the jth.
  Values weightedSums(Value token, size_t count, llvm::function_ref<Values(Value)> y) {
    Values zeros(count, e.constant(e.f32x16(), 0));
    return e.fold(e.index(0), e.index(choices), 1, zeros, [&](Value j, ValueRange sums) {
      Value weight = e.splat(e.load(op.getWeights(), {token, j}));
      Values next;
      for (auto [sum, product] : llvm::zip(sums, y(j)))
        next.push_back(e.fma(weight, product, sum));
      return next;
    });
  }

  void addUp(Value first, Value end) {
    e.loop(e.index(0), e.dim(op.getWeights(), 0), 1, [&](Value token) {
      e.loop(first, end, 1, [&](Value panel) {
        Values sum = weightedSums(token, 1, [&](Value j) {
          return Values{e.loadLanes(op.getPartial(), {token, j, column(panel, first)})};
        });
        write(token, panel, sum[0]);
      });
    });
  }

  void emitOneToken() {
    Value token = e.index(0);
    auto multiply = [&](ArrayRef<Value> some) {
      Values sums = weightedSums(token, some.size(), [&](Value j) {
        return contraction(at(op.getOrder(), j)).products(some, RowPlace{j});
      });
      for (auto [panel, sum] : llvm::zip(some, sums))
        write(token, panel, sum);
    };
    shares().each(1, [&](Value, Value from, Value to) {
      contraction(token).sideBySide(from, to, 1, multiply);
    });
  }

  void write(Value token, Value panel, Value y) {
    emitWritePanel(e, y, op.getOut(), token, panel, panels,
                   op.getEpilogue() == tile::Epilogue::Accumulate);
  }

  int64_t choices;
};

} // namespace

void expandGatherRows(Emitter &e, tile::GatherRowsOp op) {
  auto widthOf = [&](Value rows) { return cast<MemRefType>(rows.getType()).getDimSize(1); };
  int64_t k = widthOf(op.getX()[0]), sums = widthOf(op.getX()[2]);
  int64_t blocks = cast<MemRefType>(op.getX()[1].getType()).getDimSize(2);
  VectorType four = e.vec(kFour, e.b.getI8Type());
  using Indices = RowPlace::Indices;
  chooseFours(e, e.dim(op.getX()[0], 0), op.getFours(), [&](bool fromFours) {
    e.share(op.getSplit(), e.dim(op.getOrder(), 0), [&](Value place) {
      Value token = e.div(e.toIndex(e.load(op.getOrder(), place)), e.index(op.getChoices()));
      RowPlace from = RowPlace::of(e, token, fromFours), to = RowPlace::of(e, place, true);
      auto copy = [&](int64_t part, int64_t count,
                      llvm::function_ref<Indices(const RowPlace &, Value)> at) {
        e.loop(e.index(0), e.index(count), 1, [&](Value i) {
          e.store(e.load(op.getX()[part], at(from, i)), op.getOuts()[part], at(to, i));
        });
      };
      e.loop(e.index(0), e.index(k), kFour, [&](Value column) {
        Value values =
            vector::LoadOp::create(e.b, e.loc, four, op.getX()[0], from.values(e, column));
        vector::StoreOp::create(e.b, e.loc, values, op.getOuts()[0], to.values(e, column));
      });
      for (int64_t which = 0; which < tile::QuantizedRows::kScales; ++which)
        copy(1, blocks, [&](const RowPlace &row, Value i) { return row.scale(e, which, i); });
      copy(2, sums, [&](const RowPlace &row, Value i) { return row.sums(e, i); });
    });
  });
}

void expandGroupedContract(Emitter &e, tile::GroupedContractOp op) {
  GroupedContract(e, op).emit();
}

void expandCombineContract(Emitter &e, tile::CombineContractOp op) {
  CombineContract(e, op).emit();
}

} // namespace moire::cpu
