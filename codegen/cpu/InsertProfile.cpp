// team, with --profile: a time stamp behind every kernel and every barrier, so that all time of a
// step belongs to a region. What a region has to read and to compute is known here; it goes into
// the program's metadata, and the runtime divides it by the time.

#include "codegen/cpu/Emitter.h"
#include "codegen/cpu/Phases.h"
#include "runtime/Abi.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace moire::cpu {
namespace {

int64_t bytesOf(Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  return type.getNumElements() * type.getElementTypeBitWidth() / 8;
}

int64_t widthOf(Value rows) { return cast<MemRefType>(rows.getType()).getDimSize(1); }

/// The buffer that a view is of.
Operation *bufferOf(Value value) {
  Operation *op = value.getDefiningOp();
  while (op && !isa<tile::AllocOp, tile::InputOp>(op))
    op = op->getOperand(0).getDefiningOp();
  return op; // null for an argument
}

bool isLogits(Value rows) {
  auto input = dyn_cast_or_null<tile::InputOp>(bufferOf(rows));
  return input && input.getField() == tile::Input::Logits;
}

/// Whether the rows of a buffer are those of the logits.
bool hasLogitRows(Value rows) {
  Operation *buffer = bufferOf(rows);
  Value count;
  if (auto alloc = dyn_cast_or_null<tile::AllocOp>(buffer))
    count = alloc.getRows();
  if (auto input = dyn_cast_or_null<tile::InputOp>(buffer))
    count = input.getRows();
  auto op = count ? count.getDefiningOp<tile::CountOp>() : tile::CountOp();
  return op && op.getOf() == tile::Count::LogitRows;
}

/// "q_k_v" of the weight @layer_0.q_k_v.
StringRef nameOf(Value weight) {
  StringRef name = weight.getDefiningOp<tile::WeightOp>().getName();
  return name.substr(name.rfind('.') + 1); // whole without a dot: npos + 1 is 0
}

/// The first product that reads rows which a kernel wrote.
StringRef productOf(Value rows) {
  for (Operation *user : rows.getUsers()) {
    if (auto contract = dyn_cast<tile::ContractOp>(user))
      return nameOf(contract.getWeight());
    if (auto grouped = dyn_cast<tile::GroupedContractOp>(user))
      return nameOf(grouped.getWeight());
    if (auto combine = dyn_cast<tile::CombineContractOp>(user))
      return nameOf(combine.getWeight());
  }
  return "";
}

std::string arithmeticOf(StringRef instruction) {
  return instruction == "vfmadd" ? "f32" : instruction == "vdpbf16ps" ? "bf16" : "int8";
}

int64_t partsOf(tile::Epilogue epilogue) { return epilogue == tile::Epilogue::GateSilu ? 2 : 1; }

/// What a kernel has to read and to compute.
class Describer {
public:
  explicit Describer(Operation &op) {
    region.name = op.getName().stripDialect();
    for (Value operand : op.getOperands())
      if (operand.getDefiningOp<tile::WeightOp>())
        region.bytes += bytesOf(operand);
    llvm::TypeSwitch<Operation *>(&op)
        .Case([&](tile::EmbedOp o) {
          region.bytes = 0;
          region.rowBytes = panelBytes(o.getFormat(), widthOf(o.getOut())) / kPanelRows;
        })
        .Case([&](tile::RmsNormOp o) {
          subject(nameOf(o.getGain()));
          region.ofLogits = hasLogitRows(o.getX());
        })
        .Case([&](tile::SelectRowsOp) { region.ofLogits = true; })
        .Case([&](tile::QuantizeOp o) { subject(productOf(o.getValues())); })
        .Case([&](tile::GatherRowsOp o) { subject(productOf(o.getOuts()[0])); })
        .Case([&](tile::RoundOp o) { subject(productOf(o.getOut())); })
        .Case([&](tile::ContractOp o) { describe(o); })
        .Case([&](tile::GroupedContractOp o) { describe(o); })
        .Case([&](tile::CombineContractOp o) { describe(o); })
        .Case([&](tile::KvAppendOp o) { subject(tile::stringifySide(o.getSide())); })
        .Case([&](tile::AttendOp o) { describe(o); })
        .Case([&](tile::AttendCombineOp o) { describe(o); })
        .Case([&](tile::BarrierOp) { region.wait = true; });
  }

  ProfiledRegion region;

private:
  void subject(StringRef what) {
    if (!what.empty())
      region.name += (" " + what).str();
  }

  void describe(tile::ContractOp op) {
    subject(isLogits(op.getOut()) ? "head" : nameOf(op.getWeight()));
    region.ofLogits = hasLogitRows(op.getOut());
    region.arithmetic = arithmeticOf(op.getInstruction());
    region.rowProducts = partsOf(op.getEpilogue()) * op.getWidth() * op.getK();
  }

  void describe(tile::GroupedContractOp op) {
    subject(nameOf(op.getWeight()));
    describeExperts(op, op.getChoices());
    region.rowProducts *= partsOf(op.getEpilogue());
  }

  void describe(tile::CombineContractOp op) {
    subject(nameOf(op.getWeight()));
    describeExperts(op, widthOf(op.getWeights()));
  }

  /// A token meets `choices` experts; the only one meets as many different ones.
  template <typename Product> void describeExperts(Product op, int64_t choices) {
    region.arithmetic = arithmeticOf(op.getInstruction());
    region.rowProducts = choices * op.getWidth() * op.getK();
    region.bytes = op.getOffsets() ? 0 : choices * op.getExpertBytes();
    region.expertBytes = op.getOffsets() ? op.getExpertBytes() : 0;
  }

  void describe(tile::AttendOp op) {
    tile::KvLayoutAttr kv = op.getLayout();
    int64_t pageBytes = kv.getKvHeads() * kv.getHeadElements() * kv.getElementBytes();
    region.arithmetic = "f32";
    region.positionBytes = pageBytes / kv.getPage();
    region.positionProducts = 2 * widthOf(op.getQueries()); // scores, and the sum of values
    region.window = op.getWindow().value_or(0);
  }

  /// Of each segment and head the sums of values, which are added up, and two numbers of its
  /// softmax.
  void describe(tile::AttendCombineOp op) {
    int64_t heads = op.getParts().getType().getDimSize(1);
    region.arithmetic = "f32";
    region.positionBytes = heads * (op.getHeadDim() + 2) * sizeof(float);
    region.positionProducts = heads * op.getHeadDim();
    region.window = op.getWindow().value_or(0);
    region.segment = op.getSegment();
  }
};

class StampInserter {
public:
  StampInserter(ModuleOp module, Plan &plan) : module(module), plan(plan) {}

  LogicalResult run() {
    for (auto function : module.getOps<func::FuncOp>()) {
      // A step starts with the way of each thread into it.
      OpBuilder b(function.getContext());
      b.setInsertionPointToStart(&function.getBody().front());
      name = function.getName();
      if (!function.isPrivate()) {
        ProfiledRegion start;
        start.name = "start";
        start.wait = true;
        stamp(b, function.getLoc(), start, Value());
      }
      function.walk([&](Operation *op) {
        if (isa<tile::TileDialect>(op->getDialect()) && op->getNumResults() == 0 &&
            !isa<tile::StampOp>(op))
          stampBehind(op);
      });
    }
    for (auto function : module.getOps<func::FuncOp>()) {
      FailureOr<int64_t> count = countStamps(function.getBody().front());
      if (failed(count))
        return failure();
      plan.stamps = std::max(plan.stamps, *count);
    }
    // Each thread's begin a cache line.
    plan.stamps = llvm::alignTo(plan.stamps, 64 / sizeof(moire_stamp));
    return success();
  }

private:
  void stampBehind(Operation *op) {
    Emitter e(op);
    e.b.setInsertionPointAfter(op);
    Value offsets;
    if (auto grouped = dyn_cast<tile::GroupedContractOp>(op))
      offsets = grouped.getOffsets();
    if (auto combine = dyn_cast<tile::CombineContractOp>(op))
      offsets = combine.getOffsets();
    stamp(e.b, op->getLoc(), Describer(*op).region, offsets ? countExperts(e, offsets) : Value());
  }

  void stamp(OpBuilder &b, Location loc, ProfiledRegion region, Value experts) {
    region.function = name.str();
    tile::StampOp::create(b, loc, plan.regions.size(), experts);
    plan.regions.push_back(std::move(region));
  }

  /// How many experts have a token: where their assignments begin, and where they end, differ.
  static Value countExperts(Emitter &e, Value offsets) {
    Value zero = e.index(0);
    return e.fold(
        zero, e.index(widthOf(offsets) - 1), 1, {zero}, [&](Value expert, ValueRange count) {
          Value begin = e.load(offsets, {zero, expert});
          Value end = e.load(offsets, {zero, e.addConst(expert, 1)});
          Value has = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, begin, end);
          Value one = arith::IndexCastUIOp::create(e.b, e.loc, e.b.getIndexType(), has);
          return SmallVector<Value>{e.add(count[0], one)};
        })[0];
  }

  FailureOr<int64_t> countStamps(Block &block) {
    int64_t count = 0;
    for (Operation &op : block) {
      FailureOr<int64_t> here = 0;
      if (isa<tile::StampOp>(op)) {
        here = 1;
      } else if (auto call = dyn_cast<func::CallOp>(op)) {
        here = countStamps(module.lookupSymbol<func::FuncOp>(call.getCallee()).getBody().front());
      } else if (auto loop = dyn_cast<scf::ForOp>(op)) {
        here = countStamps(*loop.getBody());
        if (succeeded(here) && *here) {
          auto from = getConstantIntValue(loop.getLowerBound());
          auto to = getConstantIntValue(loop.getUpperBound());
          auto step = getConstantIntValue(loop.getStep());
          if (!from || !to || !step || *step <= 0)
            return op.emitError() << "a loop around kernels whose number of rounds is not known: a "
                                     "step would make any number of time stamps";
          *here *= *to > *from ? llvm::divideCeil(*to - *from, *step) : 0;
        }
      }
      if (failed(here))
        return failure();
      count += *here;
    }
    return count;
  }

  ModuleOp module;
  Plan &plan;
  StringRef name; // of the function
};

} // namespace

LogicalResult insertProfile(ModuleOp module, Plan &plan) {
  return StampInserter(module, plan).run();
}

} // namespace moire::cpu
