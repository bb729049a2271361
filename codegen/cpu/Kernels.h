// Expansion of the tile dialect's kernels into loops over vectors. Each function emits the code of
// one operation where the emitter stands; the operation itself is erased by the caller.

#ifndef MOIRE_CODEGEN_CPU_KERNELS_H
#define MOIRE_CODEGEN_CPU_KERNELS_H

#include "codegen/cpu/Emitter.h"
#include "codegen/cpu/Machine.h"

namespace moire::cpu {

// RowKernels.cpp
void expandEmbed(Emitter &e, mlir::tile::EmbedOp op);
void expandSelectRows(Emitter &e, mlir::tile::SelectRowsOp op);
void expandRmsNorm(Emitter &e, mlir::tile::RmsNormOp op);
void expandQuantize(Emitter &e, mlir::tile::QuantizeOp op);
void expandRound(Emitter &e, mlir::tile::RoundOp op);
void expandRope(Emitter &e, mlir::tile::RopeOp op);
void expandGate(Emitter &e, mlir::tile::GateOp op);
void expandScale(Emitter &e, mlir::tile::ScaleOp op);
void expandAdd(Emitter &e, mlir::tile::AddOp op);
void expandCopy(Emitter &e, mlir::tile::CopyOp op);
void expandTapRoute(Emitter &e, mlir::tile::TapRouteOp op);

// ContractKernels.cpp
void expandContract(Emitter &e, mlir::tile::ContractOp op);

// RouteKernels.cpp
void expandRoute(Emitter &e, mlir::tile::RouteOp op);
void expandDispatch(Emitter &e, mlir::tile::DispatchOp op);
void expandGatherRows(Emitter &e, mlir::tile::GatherRowsOp op);

// ExpertKernels.cpp
void expandGroupedContract(Emitter &e, mlir::tile::GroupedContractOp op);
void expandCombineContract(Emitter &e, mlir::tile::CombineContractOp op);

// KvKernels.cpp
void expandKvAppend(Emitter &e, mlir::tile::KvAppendOp op);

// AttentionKernels.cpp
void expandAttend(Emitter &e, mlir::tile::AttendOp op);
void expandAttendCombine(Emitter &e, mlir::tile::AttendCombineOp op);

} // namespace moire::cpu

#endif
