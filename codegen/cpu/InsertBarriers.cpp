// team: a barrier wherever data crosses threads, and nowhere else.
//
// Every kernel says which buffers it reads and writes, and how its threads share each of them. Two
// accesses need a barrier between them if they touch the same bytes and one writes, unless they
// share out the same buffer alike. (Not two buffers in the same bytes: equal rows of theirs lie at
// different places.) At the start of a layer and of a loop's body nothing is known about what
// threads did before: the first shared access gets a barrier.

#include "codegen/cpu/Phases.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using tile::Split;

namespace moire::cpu {
namespace {

// How the threads share a buffer: each its own rows, its own segments of KV heads, or in no way
// that two kernels would agree on.
enum class Owner { Rows, Segments, Any };

struct Access {
  Value buffer;
  bool write;
  Owner owner;
};

Owner ownerOf(Split split) {
  return split == Split::Rows       ? Owner::Rows
         : split == Split::Segments ? Owner::Segments
                                    : Owner::Any;
}

// What a kernel touches. Host data that no kernel writes (tokens, positions, weights) is left out.
SmallVector<Access> accesses(Operation &op) {
  SmallVector<Access> result;
  auto read = [&](Value v, Owner owner) { result.push_back({v, false, owner}); };
  auto write = [&](Value v, Owner owner) { result.push_back({v, true, owner}); };
  llvm::TypeSwitch<Operation *>(&op)
      .Case([&](tile::EmbedOp o) { write(o.getOut(), ownerOf(o.getSplit())); })
      .Case([&](tile::SelectRowsOp o) {
        read(o.getX(), Owner::Any);
        write(o.getOut(), ownerOf(o.getSplit()));
      })
      .Case([&](tile::RmsNormOp o) {
        read(o.getX(), ownerOf(o.getSplit()));
        for (Value out : o.getOuts())
          write(out, ownerOf(o.getSplit()));
      })
      .Case([&](tile::QuantizeOp o) {
        read(o.getX(), ownerOf(o.getSplit()));
        for (Value out : {o.getValues(), o.getScales(), o.getSums()})
          write(out, ownerOf(o.getSplit()));
      })
      .Case<tile::RoundOp, tile::RopeOp, tile::CopyOp, tile::ScaleOp>([&](auto o) {
        read(o.getX(), ownerOf(o.getSplit()));
        write(o.getOut(), ownerOf(o.getSplit()));
      })
      .Case([&](tile::GateOp o) {
        read(o.getGate(), ownerOf(o.getSplit()));
        read(o.getUp(), ownerOf(o.getSplit()));
        write(o.getOut(), ownerOf(o.getSplit()));
      })
      .Case([&](tile::AddOp o) {
        read(o.getLhs(), ownerOf(o.getSplit()));
        read(o.getRhs(), ownerOf(o.getSplit()));
        write(o.getOut(), ownerOf(o.getSplit()));
      })
      .Case([&](tile::TapRouteOp o) {
        for (Value in : {Value(o.getIds()), Value(o.getWeights())})
          read(in, ownerOf(o.getSplit()));
        for (Value out : {o.getOutIds(), o.getOutWeights()})
          write(out, ownerOf(o.getSplit()));
      })
      .Case([&](tile::ContractOp o) {
        for (Value x : o.getX())
          read(x, Owner::Any);
        write(o.getOut(), Owner::Any);
      })
      .Case([&](tile::RouteOp o) {
        read(o.getLogits(), ownerOf(o.getSplit()));
        write(o.getIds(), ownerOf(o.getSplit()));
        write(o.getWeights(), ownerOf(o.getSplit()));
      })
      .Case([&](tile::DispatchOp o) {
        read(o.getIds(), Owner::Any);
        write(o.getOrder(), Owner::Any);
        write(o.getOffsets(), Owner::Any);
      })
      .Case([&](memref::LoadOp o) { read(o.getMemRef(), Owner::Any); })
      .Case([&](tile::GatherRowsOp o) {
        for (Value x : o.getX())
          read(x, Owner::Any);
        read(o.getOrder(), Owner::Any);
        for (Value out : o.getOuts())
          write(out, ownerOf(o.getSplit()));
      })
      .Case([&](tile::GroupedContractOp o) {
        for (Value x : o.getX())
          read(x, Owner::Any);
        read(o.getOrder(), Owner::Any);
        if (o.getOffsets())
          read(o.getOffsets(), Owner::Any);
        write(o.getOut(), Owner::Any);
      })
      .Case([&](tile::CombineContractOp o) {
        for (Value hidden : o.getHidden())
          read(hidden, Owner::Any);
        read(o.getOrder(), Owner::Any);
        if (o.getOffsets())
          read(o.getOffsets(), Owner::Any);
        read(o.getWeights(), Owner::Any);
        write(o.getOut(), Owner::Any);
      })
      .Case([&](tile::KvAppendOp o) {
        read(o.getValues(), ownerOf(o.getSplit()));
        write(o.getKv(), ownerOf(o.getSplit()));
      })
      .Case([&](tile::AttendOp o) {
        // By segments, a thread reads this step's key and value only of heads that it wrote,
        // unless a window changes the shares; queries and output are whole tokens to others.
        read(o.getQueries(), Owner::Any);
        read(o.getKv(), o.getWindow() ? Owner::Any : ownerOf(o.getSplit()));
        write(o.getOut(), Owner::Any);
      })
      .Case([&](tile::AttendCombineOp o) {
        read(o.getParts(), Owner::Any);
        write(o.getOut(), ownerOf(o.getSplit()));
      })
      .Default([](Operation *o) {
        assert((!isa_and_nonnull<tile::TileDialect>(o->getDialect()) || o->getNumResults() ||
                isa<tile::BarrierOp, tile::StampOp>(o)) &&
               "every kernel says what it touches");
      });
  return result;
}

// Bytes that threads may share: a buffer in the arena, or an object of its own.
struct Region {
  bool shared = false;
  bool team = false;          // in the part of the arena that no step changes
  int64_t begin = 0, end = 0; // of that part, or per token; empty for what lies elsewhere
  Value object;               // an allocation or a function's argument
  int64_t input = -1;         // a field of the step

  bool isSame(const Region &other) const {
    return object ? object == other.object : input >= 0 && input == other.input;
  }
  bool overlaps(const Region &other) const {
    return isSame(other) || (team == other.team && begin < other.end && other.begin < end);
  }
};

Region regionOf(Value buffer) {
  while (Operation *op = buffer.getDefiningOp()) {
    if (auto alloc = dyn_cast<tile::AllocOp>(op)) {
      if (alloc.getSpace() == tile::Space::Private)
        return {};
      int64_t offset = *alloc.getOffset();
      bool team = alloc.getSpace() == tile::Space::Team;
      return {true, team, offset, offset + alloc.getPlannedBytes(), buffer, -1};
    }
    if (auto input = dyn_cast<tile::InputOp>(op))
      return {true, false, 0, 0, {}, static_cast<int64_t>(input.getField())};
    buffer = op->getOperand(0); // a view
  }
  return {true, false, 0, 0, buffer, -1};
}

class BarrierInserter {
public:
  void run(func::FuncOp function) {
    // A step starts with the team together; a layer starts wherever its caller is.
    unknown = function.isPrivate();
    visit(function.getBody().front());
  }

private:
  struct Pending {
    Region region;
    bool write;
    Owner owner;
  };

  void visit(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (isa<func::CallOp>(op)) {
        forget();
        continue;
      }
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        forget();
        visit(*loop.getBody());
        forget();
        continue;
      }
      visitKernel(op);
    }
  }

  void forget() {
    pending.clear();
    unknown = true;
  }

  void visitKernel(Operation &op) {
    SmallVector<Pending> now;
    for (const Access &access : accesses(op))
      if (Region region = regionOf(access.buffer); region.shared)
        now.push_back({region, access.write, access.owner});
    bool conflict = unknown && !now.empty();
    for (const Pending &a : now)
      for (const Pending &b : pending)
        conflict |= (a.write || b.write) && a.region.overlaps(b.region) &&
                    !(a.region.isSame(b.region) && a.owner == b.owner && a.owner != Owner::Any);
    if (conflict) {
      OpBuilder builder(&op);
      tile::BarrierOp::create(builder, op.getLoc());
      pending.clear();
      unknown = false;
    }
    pending.append(now);
  }

  SmallVector<Pending> pending; // since the last barrier
  bool unknown = false;
};

} // namespace

void insertBarriers(ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    BarrierInserter().run(function);
}

} // namespace moire::cpu
