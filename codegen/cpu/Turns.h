// How threads share the panels of a product: in turns, or in equal parts.

#ifndef MOIRE_CODEGEN_CPU_TURNS_H
#define MOIRE_CODEGEN_CPU_TURNS_H

#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// The turns of a number of panels: some panels each, in ascending order, the last ones single.
class Turns {
public:
  Turns(Emitter &e, mlir::tile::SharingAttr sharing, int64_t panels);

  int64_t count() const { return whole + panels - whole * sharing.getPanels(); }
  /// The first panel of a turn, and the end of its panels.
  std::pair<Value, Value> panelsOf(Value turn);

private:
  Emitter &e;
  mlir::tile::SharingAttr sharing;
  int64_t panels, whole; // whole turns, of several panels
};

/// body(first panel, end of the panels) for the parts of 0 .. panels that this thread has: its
/// turns, or, without a counter of them, its share.
void sharePanels(Emitter &e, mlir::tile::Split split, Value turns, mlir::tile::SharingAttr sharing,
                 int64_t panels, llvm::function_ref<void(Value, Value)> body);

} // namespace moire::cpu

#endif
