// The dialect itself: registration, attributes, the size of a buffer.

#include "dialects/tile/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::tile;

#include "dialects/tile/TileDialect.cpp.inc"
#include "dialects/tile/TileEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/tile/TileAttrs.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/tile/TileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

int64_t AllocOp::getPlannedBytes() {
  auto type = cast<MemRefType>(getResult().getType());
  int64_t elements = 1;
  for (auto [i, size] : llvm::enumerate(type.getShape()))
    if (!(i == 0 && (getSpace() == Space::Shared || getRows())))
      elements *= size;
  return (elements * (type.getElementTypeBitWidth() / 8) + 63) / 64 * 64;
}
