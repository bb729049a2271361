// The moe dialect: what language models are made of. See README.md for why it is as it is.

#ifndef MOIRE_DIALECTS_MOE_MOE_H
#define MOIRE_DIALECTS_MOE_MOE_H

#include "dialects/FormatParser.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Linalg/IR/LinalgInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::moe {
using BlockFormat = ::moire::BlockFormat;
} // namespace mlir::moe

#include "dialects/moe/MoeDialect.h.inc"
#include "dialects/moe/MoeEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/moe/MoeAttrs.h.inc"
#define GET_OP_CLASSES
#include "dialects/moe/MoeOps.h.inc"

#endif
