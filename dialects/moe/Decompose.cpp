// The vocabulary of the decompositions.

#include "dialects/moe/Decompose.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::moe;

Value Decomposer::plain(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return as(value, RankedTensorType::get(type.getShape(), type.getElementType()));
}

Value Decomposer::as(Value value, Type type) {
  return value.getType() == type ? value : tensor::CastOp::create(b, loc, type, value);
}

Value Decomposer::toFloat(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getElementType().isF32())
    return value;
  SmallVector<int64_t> dims = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  return each(value, empty(value, dims), [&](ValueRange args) -> Value {
    return arith::ExtFOp::create(b, loc, b.getF32Type(), args[0]);
  });
}

Value Decomposer::empty(Value value, ArrayRef<int64_t> dims, ArrayRef<int64_t> widths) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim : dims)
    sizes.push_back(tensor::getMixedSize(b, loc, value, dim));
  for (int64_t width : widths)
    sizes.push_back(b.getIndexAttr(width));
  return tensor::EmptyOp::create(b, loc, sizes, b.getF32Type());
}

Value Decomposer::filled(float fill, Value value, ArrayRef<int64_t> dims,
                         ArrayRef<int64_t> widths) {
  Value destination = empty(value, dims, widths);
  return linalg::FillOp::create(b, loc, constant(fill), destination).getResult(0);
}

Value Decomposer::loop(ValueRange inputs, ArrayRef<AffineMap> maps, Value destination,
                       unsigned reductions, Body body) {
  unsigned loops = maps.front().getNumDims();
  SmallVector<utils::IteratorType> iterators(loops, utils::IteratorType::parallel);
  for (unsigned i = loops - reductions; i < loops; ++i)
    iterators[i] = utils::IteratorType::reduction;
  auto op = linalg::GenericOp::create(b, loc, destination.getType(), inputs, destination, maps,
                                      iterators, [&](OpBuilder &, Location, ValueRange args) {
                                        Value value = body(args);
                                        linalg::YieldOp::create(b, loc, value);
                                      });
  return op.getResult(0);
}

Value Decomposer::each(ValueRange inputs, Value destination, Body body) {
  unsigned rank = cast<RankedTensorType>(destination.getType()).getRank();
  SmallVector<AffineMap> maps(inputs.size() + 1, b.getMultiDimIdentityMap(rank));
  return loop(inputs, maps, destination, 0, body);
}

AffineMap Decomposer::map(unsigned loops, ArrayRef<unsigned> dims) {
  return AffineMap::getMultiDimMapWithTargets(loops, dims, b.getContext());
}

Value Decomposer::index(int64_t dim) { return linalg::IndexOp::create(b, loc, dim); }

Value Decomposer::constantIndex(int64_t value) {
  return arith::ConstantIndexOp::create(b, loc, value);
}

Value Decomposer::constant(float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value Decomposer::element(Value tensor, ValueRange indices) {
  return tensor::ExtractOp::create(b, loc, tensor, indices);
}

Value Decomposer::id(Value ids, Value t) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), element(ids, t));
}

Value Decomposer::size(Value tensor, int64_t dim) {
  return tensor::DimOp::create(b, loc, tensor, dim);
}

Value Decomposer::slice(Value tensor, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                        ArrayRef<int64_t> shape) {
  auto type =
      RankedTensorType::get(shape, cast<RankedTensorType>(tensor.getType()).getElementType());
  SmallVector<OpFoldResult> strides(offsets.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(b, loc, type, tensor, offsets, sizes, strides);
}

Value Decomposer::columns(Value x, int64_t from, int64_t width) {
  return slice(x, {b.getIndexAttr(0), b.getIndexAttr(from)},
               {tensor::getMixedSize(b, loc, x, 0), b.getIndexAttr(width)},
               {cast<RankedTensorType>(x.getType()).getDimSize(0), width});
}

/// Rows in two dimensions are one.
static SmallVector<ReassociationIndices> rowsInParts() { return {{0}, {1, 2}}; }

Value Decomposer::splitRows(Value x, int64_t parts) {
  auto type = cast<RankedTensorType>(x.getType());
  int64_t size = type.getDimSize(1) / parts;
  SmallVector<OpFoldResult> sizes = {tensor::getMixedSize(b, loc, x, 0), b.getIndexAttr(parts),
                                     b.getIndexAttr(size)};
  auto split = RankedTensorType::get({type.getDimSize(0), parts, size}, type.getElementType());
  return tensor::ExpandShapeOp::create(b, loc, split, x, rowsInParts(), sizes);
}

Value Decomposer::joinRows(Value x) {
  return tensor::CollapseShapeOp::create(b, loc, x, rowsInParts());
}

Value Decomposer::fold(Value count, Value destination,
                       llvm::function_ref<Value(Value i, Value destination)> body) {
  auto loop = scf::ForOp::create(b, loc, constantIndex(0), count, constantIndex(1), destination,
                                 [&](OpBuilder &, Location, Value i, ValueRange carried) {
                                   scf::YieldOp::create(b, loc, body(i, carried[0]));
                                 });
  return loop.getResult(0);
}
