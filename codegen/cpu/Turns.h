// How threads share the panels of a product: some in equal parts, the others in turns.

#ifndef MOIRE_CODEGEN_CPU_TURNS_H
#define MOIRE_CODEGEN_CPU_TURNS_H

#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// The parts of 0 .. panels that the threads of a team have.
class PanelShares {
public:
  /// body(i, first panel, end of the panels)
  using Body = llvm::function_ref<void(Value, Value, Value)>;

  /// `turns`: the counter, or null. `unit` panels are multiplied side by side with many rows and
  /// stay together, but for what is left over of all.
  PanelShares(Emitter &e, mlir::tile::Split split, Value turns, mlir::tile::SharingAttr sharing,
              int64_t panels, int64_t unit);

  /// What this thread has of the panels of each of `count` matrices, numbered i. Equal shares
  /// differ by one where the team does not divide the panels; they rotate, so that over several
  /// matrices they are equal. Only of the last matrix the last panels are taken one by one: before,
  /// nobody has to wait.
  void each(int64_t count, Body body);

private:
  struct Turn {
    Value matrix, from, to; // which one, and what of its panels
  };
  void eachInUnits(int64_t count, Body body);
  /// One of the turns of all matrices.
  Turn turnOf(Value turn, int64_t count);
  /// The units of a turn of the last matrix, or of another one.
  std::pair<Value, Value> ofLast(Value turn);
  std::pair<Value, Value> ofOther(Value turn);

  Emitter &e;
  mlir::tile::Split split;
  Value turns;
  int64_t panels, unit;
  // From here on in units: how many there are, those in equal shares, those of a turn.
  int64_t all, equal, together = 1;
  // The turns of a matrix behind those: of the last one, how many of them of several panels, and of
  // any other.
  int64_t last = 0, whole = 0, other = 0;
};

} // namespace moire::cpu

#endif
