//===- MoeOps.td - The operations of the moe dialect, a family a file -----------------------------===//

#ifndef MOIRE_DIALECTS_MOE_OPS
#define MOIRE_DIALECTS_MOE_OPS

include "dialects/moe/MoeBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Dialect/Linalg/IR/LinalgInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"

// A pure operation on tensors with a decomposition.
class Moe_Op<string mnemonic, list<Trait> traits = []>
    : Op<Moe_Dialect, mnemonic,
         !listconcat(traits, [Pure, DeclareOpInterfaceMethods<AggregatedOpInterface,
                                                              ["decomposeOperation"]>])>;

include "dialects/moe/WeightOps.td"
include "dialects/moe/RowOps.td"
include "dialects/moe/LinearOps.td"
include "dialects/moe/ExpertOps.td"
include "dialects/moe/AttentionOps.td"

#endif
