// What a step cannot do without (runtime/Work.h), from the optimized module: which weights it
// reads, and how many multiply-adds of which numbers its products are.

#include "codegen/cpu/Phases.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace moire::cpu {
namespace {

class Tally {
public:
  Tally(ModuleOp module, const Machine &machine, const Plan &plan)
      : module(module), machine(machine), plan(plan) {}

  Work run(func::FuncOp forward) {
    count(forward, 1);
    for (auto [function, times] : calls)
      tally(function, times);
    llvm::erase_if(work, isEmpty);
    return std::move(work);
  }

private:
  static bool isEmpty(const WorkPart &part) {
    return !part.bytes && !part.tokenBytes && !part.token.f32 && !part.token.bf16 &&
           !part.token.int8 && !part.position.f32;
  }

  // How often each function runs in a step: layers that are alike are calls of one.
  void count(func::FuncOp function, int64_t times) {
    calls[function] += times;
    function.walk([&](func::CallOp call) {
      int64_t trips = times;
      for (auto loop = call->getParentOfType<scf::ForOp>(); loop;
           loop = loop->getParentOfType<scf::ForOp>())
        trips *= tripCount(loop);
      count(module.lookupSymbol<func::FuncOp>(call.getCallee()), trips);
    });
  }

  static int64_t tripCount(scf::ForOp loop) {
    auto from = getConstantIntValue(loop.getLowerBound()),
         to = getConstantIntValue(loop.getUpperBound()), step = getConstantIntValue(loop.getStep());
    return from && to && step && *step > 0 ? std::max<int64_t>(*to - *from + *step - 1, 0) / *step
                                           : 1;
  }

  void tally(func::FuncOp function, int64_t times) {
    WorkPart products{.times = times}, head{.times = times, .head = true};
    llvm::DenseSet<Value> wanted; // rows of logits, and what is made of them
    llvm::StringSet<> seen[2];    // weights, of the head in the second
    function.walk([&](Operation *op) {
      bool isHead = isa<moe::SelectRowsOp>(op) ||
                    llvm::any_of(op->getOperands(), [&](Value v) { return wanted.contains(v); });
      if (isHead)
        wanted.insert(op->result_begin(), op->result_end());
      WorkPart &part = isHead ? head : products;
      if (auto embed = dyn_cast<moe::EmbedOp>(op)) {
        int64_t rows = embed.getTable().getType().getDimSize(0);
        products.tokenBytes += layerBytes(embed.getTable()) / wholePanels(rows);
        return;
      }
      if (auto attention = dyn_cast<moe::AttentionOp>(op))
        return addAttention(attention, times);
      if (auto experts = dyn_cast<moe::ExpertsOp>(op))
        return addExperts(experts, times);
      for (Value operand : op->getOperands())
        if (auto read = operand.getDefiningOp<moe::ReadOp>())
          if (seen[isHead].insert(read.getWeight()).second)
            part.bytes += layerBytes(operand);
      if (auto linear = dyn_cast<moe::LinearOp>(op))
        add(part.token, linear.getX().getType(), elements(linear.getWeight()));
      if (auto gated = dyn_cast<moe::GatedLinearOp>(op))
        add(part.token, gated.getX().getType(), elements(gated.getWeight()));
    });
    work.push_back(products);
    work.push_back(head);
  }

  // Queries and keys, then weights and values, are multiplied in f32.
  void addAttention(moe::AttentionOp op, int64_t times) {
    WorkPart part{.times = times};
    part.position.f32 = 2 * cast<RankedTensorType>(op.getQueries().getType()).getDimSize(1);
    part.window = op.getWindow().value_or(0);
    part.kvBytes = plan.kv.getPageBytes() / plan.kv.getPage() / plan.kv.getLayers();
    work.push_back(part);
  }

  void addExperts(moe::ExpertsOp op, int64_t times) {
    WorkPart part{.times = times};
    part.experts = op.getUp().getType().getDimSize(0);
    part.chosen = op.getIds().getType().getDimSize(1);
    for (Value matrices : {Value(op.getGate()), Value(op.getUp()), Value(op.getDown())})
      if (matrices)
        part.expertBytes += layerBytes(matrices) / part.experts;
    auto ofChosen = [&](Value matrices) { return elements(matrices) / part.experts * part.chosen; };
    add(part.token, op.getX().getType(),
        ofChosen(op.getUp()) + (op.getGate() ? ofChosen(op.getGate()) : 0));
    (op.getHidden() ? part.token.int8 : part.token.f32) += ofChosen(op.getDown());
    work.push_back(part);
  }

  // By what the rows are rounded to.
  void add(MultiplyAdds &counts, Type rows, int64_t count) {
    if (moe::BlockAttr::of(rows))
      counts.int8 += count;
    else if (moe::RowsAttr::of(rows) && machine.chooseInstruction(16) != "vfmadd")
      counts.bf16 += count;
    else
      counts.f32 += count;
  }

  static int64_t elements(Value matrix) {
    return cast<RankedTensorType>(matrix.getType()).getNumElements();
  }

  // Packed, of a layer's slice of the weight.
  int64_t layerBytes(Value read) const {
    return plan.weight(read.getDefiningOp<moe::ReadOp>().getWeight()).layerBytes();
  }

  ModuleOp module;
  const Machine &machine;
  const Plan &plan;
  llvm::MapVector<func::FuncOp, int64_t> calls;
  Work work;
};

} // namespace

void tallyWork(ModuleOp module, const Machine &machine, Plan &plan) {
  plan.work = Tally(module, machine, plan).run(module.lookupSymbol<func::FuncOp>("forward"));
}

} // namespace moire::cpu
