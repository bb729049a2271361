// Polynomials for f32 scalars and vectors: no libm call, the same bits on every target (only
// correctly rounded operations and fused multiply-adds in a fixed order).

#ifndef MOIRE_CODEGEN_CPU_VECTORMATH_H
#define MOIRE_CODEGEN_CPU_VECTORMATH_H

#include "codegen/cpu/Emitter.h"

namespace moire::cpu {

/// e^x. Arguments are clamped to [-87, 88]; exp(0) is exactly 1. Relative error below 2e-7.
Value emitExp(Emitter &e, Value x);

/// 1 / (1 + e^-x).
Value emitSigmoid(Emitter &e, Value x);

/// x / (1 + e^-x).
Value emitSilu(Emitter &e, Value x);

/// sin and cos of x, |x| up to 2^17; absolute error below 2e-7 plus that of x itself.
std::pair<Value, Value> emitSinCos(Emitter &e, Value x);

} // namespace moire::cpu

#endif
