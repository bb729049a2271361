// plan: every buffer gets its place. Buffers that are alive at the same time do not overlap; a
// layer's buffers start behind those that the forward function keeps alive across its calls.

#include "codegen/cpu/Phases.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace moire::cpu {
namespace {

struct Buffer {
  tile::AllocOp alloc;
  int64_t first, last; // numbers of operations in the function's body
  int64_t bytes, offset = 0;
  bool acrossCalls = false;
};

// Where offsets are counted: in the arena, in its part that is kept, of a fixed size and per token,
// in a thread's scratch of a fixed size and per token.
enum class Place { Kept, Arena, ArenaRows, Scratch, ScratchRows };

Place placeOf(tile::AllocOp alloc) {
  if (alloc.getSpace() == tile::Space::Kept)
    return Place::Kept;
  if (alloc.getSpace() == tile::Space::Team)
    return Place::Arena;
  if (alloc.getSpace() == tile::Space::Shared)
    return Place::ArenaRows;
  return alloc.getRows() ? Place::ScratchRows : Place::Scratch;
}

class FunctionPlanner {
public:
  FunctionPlanner(func::FuncOp function, Place place) {
    Block &body = function.getBody().front();
    llvm::DenseMap<Operation *, int64_t> number;
    std::vector<bool> calls;
    for (auto [i, op] : llvm::enumerate(body)) {
      number[&op] = i;
      bool hasCall = false;
      op.walk([&](func::CallOp) { hasCall = true; });
      calls.push_back(hasCall);
    }
    for (auto alloc : body.getOps<tile::AllocOp>()) {
      if (placeOf(alloc) != place)
        continue;
      Buffer buffer{alloc, number[alloc], number[alloc], alloc.getPlannedBytes()};
      extend(buffer, alloc.getResult(), body, number);
      if (place == Place::Arena || place == Place::ArenaRows)
        buffer.last = endOfReaders(body, buffer.last);
      for (int64_t i = buffer.first; i <= buffer.last; ++i)
        buffer.acrossCalls |= calls[i];
      buffers.push_back(buffer);
    }
  }

  /// Places those that live across calls (or the others) from `base` on; returns the end.
  int64_t place(bool acrossCalls, int64_t base) {
    int64_t end = base;
    SmallVector<Buffer *> placed;
    for (Buffer &buffer : buffers) {
      if (buffer.acrossCalls != acrossCalls)
        continue;
      // The lowest gap among the buffers alive at the same time.
      SmallVector<Buffer *> alive;
      for (Buffer *other : placed)
        if (other->first <= buffer.last && buffer.first <= other->last)
          alive.push_back(other);
      llvm::sort(alive, [](Buffer *a, Buffer *b) { return a->offset < b->offset; });
      buffer.offset = base;
      for (Buffer *other : alive)
        if (buffer.offset + buffer.bytes > other->offset &&
            other->offset + other->bytes > buffer.offset)
          buffer.offset = other->offset + other->bytes;
      buffer.alloc.setOffset(buffer.offset);
      end = std::max(end, buffer.offset + buffer.bytes);
      placed.push_back(&buffer);
    }
    return end;
  }

private:
  // Through views of the buffer, to the last operation of the body that uses any.
  static void extend(Buffer &buffer, Value value, Block &body,
                     llvm::DenseMap<Operation *, int64_t> &number) {
    for (Operation *user : value.getUsers()) {
      buffer.last = std::max(buffer.last, number[body.findAncestorOpInBlock(*user)]);
      if (user->getNumResults() == 1 && isa<MemRefType>(user->getResult(0).getType()))
        extend(buffer, user->getResult(0), body, number);
    }
  }

  // Other threads may still read a buffer after its last use here, until a barrier stands between.
  // One comes for the sake of data before or behind the next product or attention: bytes that are
  // reused only after that cost no barrier of their own.
  static int64_t endOfReaders(Block &body, int64_t last) {
    int64_t i = 0;
    for (Operation &op : body) {
      if (i > last && isa<tile::ContractOp, tile::GroupedContractOp, tile::CombineContractOp,
                          tile::AttendOp, tile::AttendCombineOp>(op))
        return i;
      ++i;
    }
    return last;
  }

  std::vector<Buffer> buffers;
};

} // namespace

// Those that are kept from step to step, one behind the other: returns the end.
static int64_t placeKept(ModuleOp module) {
  int64_t end = 0;
  module.walk([&](tile::AllocOp alloc) {
    if (alloc.getSpace() != tile::Space::Kept)
      return;
    alloc.setOffset(end);
    end += alloc.getPlannedBytes();
  });
  return end;
}

void planBuffers(ModuleOp module, Plan &plan) {
  auto placeAll = [&](Place place, int64_t base = 0) {
    int64_t kept = base, end = base;
    SmallVector<FunctionPlanner> forward, layers;
    for (auto function : module.getOps<func::FuncOp>())
      (function.isPrivate() ? layers : forward).emplace_back(function, place);
    for (FunctionPlanner &planner : forward)
      kept = std::max(kept, planner.place(/*acrossCalls=*/true, base));
    end = kept;
    for (FunctionPlanner &planner : forward)
      end = std::max(end, planner.place(/*acrossCalls=*/false, kept));
    for (FunctionPlanner &planner : layers)
      end = std::max(end, planner.place(/*acrossCalls=*/false, kept));
    return end;
  };
  plan.arenaBytes = placeAll(Place::Arena, placeKept(module));
  plan.arenaBytesPerToken = placeAll(Place::ArenaRows);
  plan.scratchBytes = placeAll(Place::Scratch);
  plan.scratchBytesPerToken = placeAll(Place::ScratchRows);
}

} // namespace moire::cpu
