// Where keys and values lie in the pool: the arithmetic of #tile.kv, for the kernels that write and
// read them.

#ifndef MOIRE_CODEGEN_CPU_KVPAGES_H
#define MOIRE_CODEGEN_CPU_KVPAGES_H

#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// Elements before (layer, head) of page number `pageIndex` of `slot`.
Value kvPageHead(Emitter &e, mlir::tile::KvLayoutAttr layout, Value pageTable, Value slot,
                 Value pageIndex, Value layer, Value head);

/// The scales (f32) of 16 keys or values from `position` of a page on; `base` is kvPageHead's, and
/// the layout's element i8.
Value loadKvScales(Emitter &e, mlir::tile::KvLayoutAttr layout, mlir::tile::Side side, Value pool,
                   Value base, Value position);

} // namespace moire::cpu

#endif
