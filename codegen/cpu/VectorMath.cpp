#include "codegen/cpu/VectorMath.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace moire::cpu {

// Horner's scheme, highest coefficient first.
static Value polynomial(Emitter &e, Value x, ArrayRef<double> coefficients) {
  Value sum = e.constant(x.getType(), coefficients.front());
  for (double c : coefficients.drop_front())
    sum = e.fma(sum, x, e.constant(x.getType(), c));
  return sum;
}

static Type withElement(Emitter &e, Type type, Type element) {
  auto vector = dyn_cast<VectorType>(type);
  return vector ? Type(e.vec(vector.getNumElements(), element)) : element;
}

Value emitExp(Emitter &e, Value x) {
  Type type = x.getType();
  Type i32 = withElement(e, type, e.b.getI32Type());
  // Not max(min(x)): a NaN must stay one.
  auto select = [&](arith::CmpFPredicate predicate, Value bound) {
    Value outside = arith::CmpFOp::create(e.b, e.loc, predicate, x, bound);
    return arith::SelectOp::create(e.b, e.loc, outside, bound, x).getResult();
  };
  x = select(arith::CmpFPredicate::OLT, e.constant(type, -87.0));
  x = select(arith::CmpFPredicate::OGT, e.constant(type, 88.0));
  // x = n ln 2 + r, |r| <= ln 2 / 2; ln 2 in two parts so that n ln 2 is exact enough.
  Value n = math::RoundEvenOp::create(e.b, e.loc, e.mul(x, e.constant(type, 1.4426950408889634)));
  Value r = e.fma(n, e.constant(type, -0.693359375), x);
  r = e.fma(n, e.constant(type, 2.12194440e-4), r);
  // Taylor's series up to r^7 / 7!, whose remainder is below 2^-28 on this interval.
  Value p =
      polynomial(e, r, {1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1.0, 1.0});
  // 2^n, made in the exponent field.
  Value exponent = e.add(arith::FPToSIOp::create(e.b, e.loc, i32, n), e.constant(i32, 127));
  Value power = arith::ShLIOp::create(e.b, e.loc, exponent, e.constant(i32, 23));
  return e.mul(p, arith::BitcastOp::create(e.b, e.loc, type, power));
}

Value emitSigmoid(Emitter &e, Value x) {
  Value one = e.constant(x.getType(), 1.0), minus = arith::NegFOp::create(e.b, e.loc, x);
  return e.div(one, e.add(one, emitExp(e, minus)));
}

Value emitSilu(Emitter &e, Value x) {
  Value minus = arith::NegFOp::create(e.b, e.loc, x);
  return e.div(x, e.add(e.constant(x.getType(), 1.0), emitExp(e, minus)));
}

std::pair<Value, Value> emitSinCos(Emitter &e, Value x) {
  Type type = x.getType();
  Type i32 = withElement(e, type, e.b.getI32Type());
  // x = n pi/2 + r, |r| <= pi/4; pi/2 in three parts (Cody and Waite).
  Value n = math::RoundEvenOp::create(e.b, e.loc, e.mul(x, e.constant(type, 0.6366197723675814)));
  Value r = e.fma(n, e.constant(type, -1.5707963705062866), x);
  r = e.fma(n, e.constant(type, 4.371138828673793e-8), r);
  r = e.fma(n, e.constant(type, 1.7151245100058819e-15), r);
  Value square = e.mul(r, r);
  // Taylor's series: the first terms left out are below 1e-9.
  Value sinR =
      e.mul(r, polynomial(e, square, {1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6, 1.0}));
  Value cosR =
      polynomial(e, square, {-1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -1.0 / 2, 1.0});
  // Quadrant n mod 4: odd ones swap sine and cosine, bit 1 of n (n + 1 for the cosine) is the sign.
  Value quadrant = arith::FPToSIOp::create(e.b, e.loc, i32, n);
  auto bit = [&](Value v, int64_t mask) {
    return arith::AndIOp::create(e.b, e.loc, v, e.constant(i32, mask)).getResult();
  };
  Value odd = arith::CmpIOp::create(e.b, e.loc, arith::CmpIPredicate::ne, bit(quadrant, 1),
                                    e.constant(i32, 0));
  auto signedBy = [&](Value value, Value counter) {
    Value sign = arith::ShLIOp::create(e.b, e.loc, bit(counter, 2), e.constant(i32, 30));
    Value bits = arith::BitcastOp::create(e.b, e.loc, i32, value);
    Value flipped = arith::XOrIOp::create(e.b, e.loc, bits, sign);
    return arith::BitcastOp::create(e.b, e.loc, type, flipped).getResult();
  };
  Value sine = arith::SelectOp::create(e.b, e.loc, odd, cosR, sinR);
  Value cosine = arith::SelectOp::create(e.b, e.loc, odd, sinR, cosR);
  return {signedBy(sine, quadrant), signedBy(cosine, e.add(quadrant, e.constant(i32, 1)))};
}

} // namespace moire::cpu
