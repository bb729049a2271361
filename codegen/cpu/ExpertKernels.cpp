// The products of experts. Rows are grouped by expert (tile.dispatch), panels are shared out over
// the team: every thread has the same part of each expert, so that nobody waits however the tokens
// are spread over the experts. Each product accumulates as Contraction.h says, and a token's
// experts are added up in the order of its choices: no result depends on the team or on other
// tokens.

#include "codegen/cpu/Contraction.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace moire::cpu {
namespace {

// The team's shares of the panels of an expert differ by one where the team does not divide them;
// the shares rotate, so that over several experts they are equal.
void sharePanels(Emitter &e, Value expert, int64_t panels, Emitter::Body body) {
  auto [from, to] = e.shareOf(e.rem(e.add(e.thread(), expert), e.team()), e.index(panels));
  e.loop(from, to, 1, body);
}

// What both products have in common; `Op` is one of the two.
template <typename Op> class ExpertProduct {
public:
  ExpertProduct(Emitter &e, Op op, ValueRange x, int64_t parts)
      : e(e), op(op), x(x), parts(parts), panels(panelCount(op.getWidth())) {}

protected:
  using Values = Contraction::Values;

  Contraction contraction(Value expert) {
    Value origin = e.mulConst(expert, op.getExpertBytes());
    return Contraction(e, {op.getFormat(), op.getInstruction(), x, op.getWeight(), op.getStrip(),
                           op.getBlockingAttr(), int64_t(op.getK()), parts, origin});
  }

  Value at(Value ids, ValueRange place) { return e.toIndex(e.load(ids, place)); }

  // body(expert, first place, end of its places) for the experts that have any.
  void forExperts(llvm::function_ref<void(Value, Value, Value)> body) {
    int64_t experts = op.getOffsets().getType().getDimSize(1) - 1;
    e.loop(e.index(0), e.index(experts), 1, [&](Value expert) {
      Value from = at(op.getOffsets(), {e.index(0), expert});
      Value to = at(op.getOffsets(), {e.index(0), e.addConst(expert, 1)});
      Value any = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ult, from, to);
      e.branch(any, [&] { body(expert, from, to); });
    });
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
    if (!op.getOffsets()) {
      e.loop(e.index(0), e.index(op.getChoices()), 1, [&](Value j) {
        Contraction product = contraction(at(op.getOrder(), j));
        sharePanels(e, j, panels,
                    [&](Value panel) { write(j, panel, product.products(panel, e.index(0))[0]); });
      });
      return;
    }
    forExperts([&](Value expert, Value from, Value to) {
      Contraction product = contraction(expert);
      sharePanels(e, expert, panels, [&](Value panel) {
        product.manyRows(
            panel, from, to,
            [&](Value place) { return e.div(at(op.getOrder(), place), e.index(op.getChoices())); },
            [&](Value place, Value y) { write(place, panel, y); });
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
    auto [from, last] = e.shareOf(e.thread(), e.index(panels));
    e.loop(from, last, together, [&, last = last](Value first) {
      Value end = e.min(e.addConst(first, together), last);
      forExperts([&](Value expert, Value begin, Value past) {
        Contraction product = contraction(expert);
        e.loop(first, end, 1, [&](Value panel) {
          product.manyRows(
              panel, begin, past, [](Value place) { return place; },
              [&](Value place, Value y) {
                Value assignment = at(op.getOrder(), place), k = e.index(choices);
                e.storeLanes(y, op.getPartial(),
                             {e.div(assignment, k), e.rem(assignment, k), column(panel, first)});
              });
        });
      });
      addUp(first, end);
    });
  }

private:
  Value column(Value panel, Value first) { return e.mulConst(e.sub(panel, first), kPanelRows); }

  // The sum over a token's choices; y(j) is the product of the jth.
  Value weightedSum(Value token, llvm::function_ref<Value(Value)> y) {
    return e.fold(e.index(0), e.index(choices), 1, e.constant(e.f32x16(), 0),
                  [&](Value j, ValueRange sum) {
                    Value weight = e.splat(e.load(op.getWeights(), {token, j}));
                    return Values{e.fma(weight, y(j), sum[0])};
                  })[0];
  }

  void addUp(Value first, Value end) {
    e.loop(e.index(0), e.dim(op.getWeights(), 0), 1, [&](Value token) {
      e.loop(first, end, 1, [&](Value panel) {
        write(token, panel, weightedSum(token, [&](Value j) {
                return e.loadLanes(op.getPartial(), {token, j, column(panel, first)});
              }));
      });
    });
  }

  void emitOneToken() {
    e.share(op.getSplit(), e.index(panels), [&](Value panel) {
      write(e.index(0), panel, weightedSum(e.index(0), [&](Value j) {
              return contraction(at(op.getOrder(), j)).products(panel, j)[0];
            }));
    });
  }

  void write(Value token, Value panel, Value y) {
    emitWritePanel(e, y, op.getOut(), token, panel, panels,
                   op.getEpilogue() == tile::Epilogue::Accumulate);
  }

  int64_t choices;
};

} // namespace

void expandGroupedContract(Emitter &e, tile::GroupedContractOp op) {
  GroupedContract(e, op).emit();
}

void expandCombineContract(Emitter &e, tile::CombineContractOp op) {
  CombineContract(e, op).emit();
}

} // namespace moire::cpu
