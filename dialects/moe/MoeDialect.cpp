// The dialect itself: registration, attributes.

#include "dialects/moe/Format.h"
#include "dialects/moe/Moe.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::moe;

#include "dialects/moe/MoeDialect.cpp.inc"
#include "dialects/moe/MoeEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/moe/MoeAttrs.cpp.inc"

void MoeDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/moe/MoeAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/moe/MoeOps.cpp.inc"
      >();
}

BlockAttr BlockAttr::of(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<BlockAttr>(tensor.getEncoding()) : BlockAttr();
}

LogicalResult BlockAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                BlockFormat format, int64_t columns) {
  if (columns == kColumns)
    return success();
  if (format != BlockFormat::Int8)
    return emitError() << "expected a number of columns with int8 only, found "
                       << StringRef(::moire::blockInfo(format).name);
  if (columns == 64 || columns == 128 || columns == 256)
    return success();
  return emitError() << "expected blocks of 32, 64, 128 or 256 columns, found " << columns;
}

bool Int8RowsAttr::encodes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isF32() &&
         isa_and_nonnull<Int8RowsAttr>(tensor.getEncoding());
}

RowsAttr RowsAttr::of(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<RowsAttr>(tensor.getEncoding()) : RowsAttr();
}

LogicalResult RowsAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Type element) {
  if (element.isBF16())
    return success();
  return emitError() << "expected rows of bf16, found " << element;
}

#define GET_OP_CLASSES
#include "dialects/moe/MoeOps.cpp.inc"
