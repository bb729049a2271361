// Weight symbols and what reads them.

#include "dialects/moe/Verify.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::moe;

// A declarative format cannot say that any of several options behind commas may be missing.
Attribute SourceAttr::parse(AsmParser &parser, Type) {
  StringAttr name;
  SmallVector<int64_t> layers;
  int64_t interleavedHeads = 0, experts = 0, firstRow = 0;
  if (parser.parseLess() || parser.parseAttribute(name))
    return {};
  while (succeeded(parser.parseOptionalComma())) {
    StringRef option;
    SMLoc loc = parser.getCurrentLocation();
    if (parser.parseKeyword(&option) || parser.parseEqual())
      return {};
    auto parseLayer = [&] { return parser.parseInteger(layers.emplace_back()); };
    if (option == "layers") {
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseLayer))
        return {};
      continue;
    }
    int64_t *number = StringSwitch<int64_t *>(option)
                          .Case("interleaved_heads", &interleavedHeads)
                          .Case("experts", &experts)
                          .Case("first_row", &firstRow)
                          .Default(nullptr);
    if (!number) {
      parser.emitError(loc) << "expected layers, interleaved_heads, experts or first_row, found "
                            << option;
      return {};
    }
    if (parser.parseInteger(*number))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), name, layers, interleavedHeads, experts, firstRow);
}

void SourceAttr::print(AsmPrinter &printer) const {
  printer << '<' << getName();
  if (!getLayers().empty())
    printer << ", layers = [" << getLayers() << ']';
  if (getInterleavedHeads() != 0)
    printer << ", interleaved_heads = " << getInterleavedHeads();
  if (getExperts() != 0)
    printer << ", experts = " << getExperts();
  if (getFirstRow() != 0)
    printer << ", first_row = " << getFirstRow();
  printer << '>';
}

SourceAttr WeightOp::getFirstSource() {
  // The steps are bounded because a malformed module may hold a cycle.
  WeightOp weight = *this;
  for (int depth = 0; weight && depth < 16; ++depth) {
    if (auto source = dyn_cast<SourceAttr>(weight.getRecipe()))
      return source;
    auto concat = dyn_cast<ConcatAttr>(weight.getRecipe());
    if (!concat || concat.getParts().empty())
      return {};
    weight = SymbolTable::lookupNearestSymbolFrom<WeightOp>(weight->getParentOp(),
                                                            concat.getParts().front());
  }
  return {};
}

// A concat's parts agree on the stack and on the experts.

int64_t WeightOp::getStack() {
  SourceAttr source = getFirstSource();
  return source ? source.getLayers().size() : 0;
}

int64_t WeightOp::getExperts() {
  SourceAttr source = getFirstSource();
  return source ? source.getExperts() : 0;
}

static LogicalResult verifyWeightEncoding(WeightOp op) {
  RankedTensorType type = op.getWeightType();
  if (!type.getEncoding())
    return success();
  BlockAttr block = BlockAttr::of(type);
  if (!block || block.isActivation())
    return op.emitOpError() << "expected a block encoding for weights, found "
                            << type.getEncoding();
  if (!type.getElementType().isF32())
    return op.emitOpError() << "expected f32 values in blocks, found " << type.getElementType();
  if (type.getRank() == 0 || type.getShape().back() % block.getWholeColumns() != 0)
    return op.emitOpError() << "expected a last dimension divisible by the block of "
                            << block.getWholeColumns() << ", found " << type;
  return success();
}

/// The experts of a source, and where the rows of its matrices begin.
static LogicalResult verifyMatrices(WeightOp op, SourceAttr source) {
  RankedTensorType type = op.getWeightType();
  int64_t expertDim = source.getLayers().empty() ? 0 : 1, experts = source.getExperts();
  // weight_c6
  if (experts < 0)
    return op.emitOpError() << "expected experts not to be negative, found " << experts;
  if (experts > 0 && (type.getRank() != expertDim + 3 || type.getDimSize(expertDim) != experts))
    return op.emitOpError() << "expected dimension " << expertDim << " of the type to count the "
                            << experts << " experts of the source, and rows and K behind it, found "
                            << type;
  if (experts == 0 && source.getName().getValue().contains("{e}"))
    return op.emitOpError() << "expected no {e} in the name of a source without experts, found "
                            << source.getName();
  // weight_c7
  if (source.getFirstRow() < 0)
    return op.emitOpError() << "expected first_row not to be negative, found "
                            << source.getFirstRow();
  if (source.getFirstRow() > 0 && type.getRank() != expertDim + (experts > 0 ? 1 : 0) + 2)
    return op.emitOpError()
           << "expected a weight of matrices, as the source has a first_row, found " << type;
  return success();
}

LogicalResult WeightOp::verify() {
  // weight_c1
  auto source = dyn_cast<SourceAttr>(getRecipe());
  if (!source && !isa<ConcatAttr>(getRecipe()))
    return emitOpError() << "expected a #moe.source or a #moe.concat as recipe, found "
                         << getRecipe();
  // weight_c4
  RankedTensorType type = getWeightType();
  if (!type.hasStaticShape())
    return emitOpError() << "expected a static shape, found " << type;
  // weight_c2
  if (source && !source.getLayers().empty()) {
    int64_t layers = source.getLayers().size();
    if (type.getRank() == 0 || type.getDimSize(0) != layers)
      return emitOpError() << "expected the first dimension of the type to count the " << layers
                           << " layers of the source, found " << type;
    if (!source.getName().getValue().contains("{i}"))
      return emitOpError() << "expected {i} in the name of a source with layers, found "
                           << source.getName();
  }
  if (source && failed(verifyMatrices(*this, source)))
    return failure();
  // weight_c5
  return verifyWeightEncoding(*this);
}

/// Fails where `weight` is made, through its parts, of one of the weights in `path`.
static LogicalResult verifyAcyclic(WeightOp weight, SmallVectorImpl<WeightOp> &path,
                                   SymbolTableCollection &symbols) {
  if (llvm::is_contained(path, weight))
    return path.front().emitOpError() << "expected parts that are other weights, found @"
                                      << weight.getSymName() << " to be a part of itself";
  auto concat = dyn_cast<ConcatAttr>(weight.getRecipe());
  if (!concat)
    return success();
  path.push_back(weight);
  for (FlatSymbolRefAttr name : concat.getParts())
    if (auto part = symbols.lookupNearestSymbolFrom<WeightOp>(weight->getParentOp(), name))
      if (failed(verifyAcyclic(part, path, symbols)))
        return failure();
  path.pop_back();
  return success();
}

LogicalResult WeightOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // weight_c3
  auto concat = dyn_cast<ConcatAttr>(getRecipe());
  if (!concat)
    return success();
  SmallVector<WeightOp> path;
  if (failed(verifyAcyclic(*this, path, symbols)))
    return failure();

  RankedTensorType type = getWeightType();
  int64_t stack = getStack(), experts = getExperts(), rowDim = getRowDim();
  if (type.getRank() <= rowDim)
    return emitOpError() << "expected a type with rows to concatenate, found " << type;
  int64_t rows = 0;
  for (FlatSymbolRefAttr name : concat.getParts()) {
    auto part = symbols.lookupNearestSymbolFrom<WeightOp>((*this)->getParentOp(), name);
    if (!part)
      return emitOpError() << "expected the part " << name << " to be a moe.weight";
    RankedTensorType found = part.getWeightType();
    if (part.getStack() != stack)
      return emitOpError() << "expected every part to be a stack of " << stack << ", found " << name
                           << " to be one of " << part.getStack();
    if (part.getExperts() != experts)
      return emitOpError() << "expected every part to have " << experts << " experts, found "
                           << name << " to have " << part.getExperts();
    SmallVector<int64_t> shape(type.getShape());
    if (found.getRank() == type.getRank())
      shape[rowDim] = found.getDimSize(rowDim);
    auto expected = RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
    if (found != expected)
      return emitOpError() << "expected the part " << name << " to be " << expected << ", found "
                           << found;
    rows += found.getDimSize(rowDim);
  }
  if (rows != type.getDimSize(rowDim))
    return emitOpError() << "expected parts with " << type.getDimSize(rowDim)
                         << " rows together, found " << rows;
  return success();
}

LogicalResult ReadOp::verifySymbolUses(SymbolTableCollection &symbols) {
  // read_c1
  auto weight = symbols.lookupNearestSymbolFrom<WeightOp>(*this, getWeightAttr());
  if (!weight)
    return emitOpError() << "expected " << getWeightAttr() << " to name a moe.weight";
  // read_c2
  RankedTensorType expected = weight.getWeightType();
  if (getSlice()) {
    if (weight.getStack() == 0)
      return emitOpError() << "expected no slice, as " << getWeightAttr() << " is not a stack";
    expected = RankedTensorType::get(expected.getShape().drop_front(), expected.getElementType(),
                                     expected.getEncoding());
  }
  if (getResult().getType() != expected)
    return emitOpError() << "expected the result to be " << expected << ", found "
                         << getResult().getType();
  return success();
}

LogicalResult TapRouteOp::verify() {
  // tap_route_c1
  for (auto [dim, what] : {std::pair(0, "the tokens of weights"), {1, "the experts of weights"}})
    if (failed(verifySize(*this, what, getIds().getType().getDimSize(dim),
                          getWeights().getType().getDimSize(dim))))
      return failure();
  return success();
}
