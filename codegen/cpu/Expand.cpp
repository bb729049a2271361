// expand: each kernel is replaced by loops over vectors.

#include "codegen/cpu/DotInstruction.h"
#include "codegen/cpu/Kernels.h"
#include "codegen/cpu/PanelReader.h"
#include "codegen/cpu/Phases.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace moire::cpu {

static bool expand(Operation *op) {
  Emitter e(op);
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([&](tile::EmbedOp o) { return expandEmbed(e, o), true; })
      .Case([&](tile::SelectRowsOp o) { return expandSelectRows(e, o), true; })
      .Case([&](tile::RmsNormOp o) { return expandRmsNorm(e, o), true; })
      .Case([&](tile::QuantizeOp o) { return expandQuantize(e, o), true; })
      .Case([&](tile::RoundOp o) { return expandRound(e, o), true; })
      .Case([&](tile::RopeOp o) { return expandRope(e, o), true; })
      .Case([&](tile::GateOp o) { return expandGate(e, o), true; })
      .Case([&](tile::AddOp o) { return expandAdd(e, o), true; })
      .Case([&](tile::CopyOp o) { return expandCopy(e, o), true; })
      .Case([&](tile::ScaleOp o) { return expandScale(e, o), true; })
      .Case([&](tile::TapRouteOp o) { return expandTapRoute(e, o), true; })
      .Case([&](tile::ContractOp o) { return expandContract(e, o), true; })
      .Case([&](tile::RouteOp o) { return expandRoute(e, o), true; })
      .Case([&](tile::DispatchOp o) { return expandDispatch(e, o), true; })
      .Case([&](tile::GatherRowsOp o) { return expandGatherRows(e, o), true; })
      .Case([&](tile::GroupedContractOp o) { return expandGroupedContract(e, o), true; })
      .Case([&](tile::CombineContractOp o) { return expandCombineContract(e, o), true; })
      .Case([&](tile::KvAppendOp o) { return expandKvAppend(e, o), true; })
      .Case([&](tile::AttendOp o) { return expandAttend(e, o), true; })
      .Case([&](tile::AttendCombineOp o) { return expandAttendCombine(e, o), true; })
      .Default([](Operation *) { return false; });
}

// The dialect does not know the rows of the table.
static bool isInTable(tile::Format format, StringRef instruction, size_t buffers) {
  return buffers != 3 || DotInstruction::get(instruction, panelInfo(format).dotBits());
}

static bool hasInstruction(Operation *op) {
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case([](tile::ContractOp o) {
        return isInTable(o.getFormat(), o.getInstruction(), o.getX().size());
      })
      .Case([](tile::GroupedContractOp o) {
        return isInTable(o.getFormat(), o.getInstruction(), o.getX().size());
      })
      .Case([](tile::CombineContractOp o) {
        return isInTable(o.getFormat(), o.getInstruction(), o.getHidden().size());
      })
      .Default([](Operation *) { return true; });
}

// Products and attention are most of the code. In functions of their own they are compiled side by
// side, none is so large that LLVM takes long for it, and profilers name them.
static bool isOutlined(Operation *kernel) {
  return isa<tile::ContractOp, tile::GroupedContractOp, tile::CombineContractOp, tile::AttendOp>(
      kernel);
}

// "gate_up" of a product with that weight, else the operation's name.
static StringRef nameOf(Operation *kernel) {
  for (Value operand : kernel->getOperands())
    if (auto weight = operand.getDefiningOp<tile::WeightOp>())
      return weight.getName().substr(weight.getName().rfind('.') + 1);
  return kernel->getName().stripDialect();
}

// Moves a kernel into a function of its own, with its operands behind step, thread and team.
static void outline(Operation *kernel) {
  auto caller = kernel->getParentOfType<func::FuncOp>();
  SmallVector<Value> operands(caller.getArguments().take_front(3));
  llvm::append_range(operands, kernel->getOperands());
  OpBuilder b(kernel);
  auto callee =
      func::FuncOp::create(kernel->getLoc(), (caller.getName() + "." + nameOf(kernel)).str(),
                           b.getFunctionType(TypeRange(ValueRange(operands)), {}));
  callee.setPrivate();
  SymbolTable(caller->getParentOfType<ModuleOp>()).insert(callee, Block::iterator(caller));
  func::CallOp::create(b, kernel->getLoc(), callee, operands);
  Block *body = callee.addEntryBlock();
  kernel->moveBefore(body, body->end());
  kernel->setOperands(body->getArguments().drop_front(3));
  b.setInsertionPointToEnd(body);
  func::ReturnOp::create(b, kernel->getLoc());
}

LogicalResult expandKernels(ModuleOp module) {
  SmallVector<Operation *> kernels;
  module.walk([&](Operation *op) {
    if (isa<tile::TileDialect>(op->getDialect()) && op->getNumResults() == 0 &&
        !isa<tile::BarrierOp, tile::StampOp>(op))
      kernels.push_back(op);
  });
  for (Operation *kernel : kernels) {
    if (!hasInstruction(kernel))
      return kernel->emitError() << "no row of the instruction table has this name for this format";
    if (isOutlined(kernel))
      outline(kernel);
    if (!expand(kernel))
      return kernel->emitError() << "a kernel without an expansion for CPUs";
    kernel->erase();
  }
  return success();
}

} // namespace moire::cpu
