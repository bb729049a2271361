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

  /// `turns`: the counter, or null.
  PanelShares(Emitter &e, mlir::tile::Split split, Value turns, mlir::tile::SharingAttr sharing,
              int64_t panels);

  /// What this thread has of the panels of each of `count` matrices, numbered i. Equal shares
  /// differ by one where the team does not divide the panels; they rotate, so that over several
  /// matrices they are equal.
  void each(int64_t count, Body body);

private:
  /// The turns that the panels of a matrix are, behind those in equal shares.
  int64_t turnCount() const;
  std::pair<Value, Value> panelsOf(Value turn);

  Emitter &e;
  mlir::tile::Split split;
  Value turns;
  mlir::tile::SharingAttr sharing;
  int64_t panels;
  int64_t equal; // of them in equal shares
  int64_t whole; // turns of several panels
};

} // namespace moire::cpu

#endif
