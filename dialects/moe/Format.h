// Parts of assembly formats that the declarations cannot say.

#ifndef MOIRE_DIALECTS_MOE_FORMAT_H
#define MOIRE_DIALECTS_MOE_FORMAT_H

#include "mlir/IR/OpImplementation.h"

namespace mlir::moe {

/// `moe.gate`: one type where the gate is as wide as the value, else both.
ParseResult parseGateTypes(OpAsmParser &parser, Type &gate, Type &up);
void printGateTypes(OpAsmPrinter &printer, Operation *, Type gate, Type up);

/// `moe.experts`: the types of the operands in their order; that of a gate is missing where it is.
ParseResult parseExpertTypes(OpAsmParser &parser, Type &x, Type &ids, Type &weights, Type &gate,
                             Type &up, Type &down);
void printExpertTypes(OpAsmPrinter &printer, Operation *, Type x, Type ids, Type weights, Type gate,
                      Type up, Type down);

} // namespace mlir::moe

#endif
