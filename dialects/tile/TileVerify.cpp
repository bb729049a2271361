// Verifiers. Codegen trusts them: a kernel's expansion checks no shape again.

#include "dialects/tile/Verify.h"

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tile;
using namespace mlir::tile::detail;

LogicalResult mlir::tile::detail::verifyInStep(Operation *op) {
  auto function = op->getParentOfType<FunctionOpInterface>();
  if (function) {
    ArrayRef<Type> types = function.getArgumentTypes();
    if (types.size() >= 3 && isa<LLVM::LLVMPointerType>(types[0]) && types[1].isIndex() &&
        types[2].isIndex())
      return success();
  }
  return op->emitOpError() << "expected to be in a function that starts with the arguments "
                              "(!llvm.ptr, index, index): the step, the thread, the team";
}

static bool isKvElement(Type element) {
  return element.isF32() || element.isF16() || element.isBF16() || element.isInteger(8);
}

/// What `tile.round` writes of rows `x`.
static LogicalResult verifyRounded(Operation *op, MemRefType x, Value out) {
  auto found = cast<MemRefType>(out.getType());
  if (isPairs(out))
    return verifyPairs(op, "out", found, x.getDimSize(0), x.getDimSize(1));
  if (!found.getElementType().isF32() || found.getRank() != 2)
    return op->emitOpError() << "expected rounded rows to be of f32, or of i32 (pairs), found "
                             << found;
  return verifyShape(op, "out", x.getShape(), found);
}

//===- Where data lies ------------------------------------------------------------------------===//

LogicalResult KvLayoutAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                   int64_t layers, int64_t kvHeads, int64_t headDim, int64_t page,
                                   Type element) {
  // KvLayout_c1
  if (layers <= 0 || kvHeads <= 0 || headDim <= 0)
    return emitError() << "expected positive numbers of layers, KV heads and head dim, found "
                       << layers << ", " << kvHeads << " and " << headDim;
  // KvLayout_c2
  if (page <= 0 || page % kPanel)
    return emitError() << "expected a page of a positive multiple of " << kPanel
                       << " positions, found " << page;
  // KvLayout_c3
  if (!isKvElement(element))
    return emitError() << "expected keys and values of f32, f16, bf16 or i8, found " << element;
  return success();
}

LogicalResult BlockingAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                                   int64_t direct, int64_t together, int64_t rows, int64_t block,
                                   int64_t columns, int64_t panels) {
  // Blocking_c1
  if (together <= 0 || rows <= 0 || block <= 0)
    return emitError() << "expected positive numbers of rows, found " << together << ", " << rows
                       << " and " << block;
  if (panels <= 0)
    return emitError() << "expected tiles of at least one panel, found " << panels;
  if (direct < together)
    return emitError() << "expected no fewer rows in direct tiles than the " << together
                       << " of one, found " << direct;
  // Blocking_c2
  if (columns <= 0 || columns % kBlock)
    return emitError() << "expected chunks of a positive multiple of " << kBlock
                       << " columns, found " << columns;
  return success();
}

LogicalResult SharingAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError, int64_t equal,
                                  int64_t panels, int64_t single, int64_t streams, int64_t ahead) {
  // Sharing_c2
  if (ahead < 0 || ahead % 64 != 0)
    return emitError() << "expected whole cache lines ahead, found " << ahead << " bytes";
  // Sharing_c1
  if (equal >= 0 && panels > 0 && single >= 0 && streams > 0)
    return success();
  return emitError()
         << "expected positive numbers of panels and streams, and none or some panels in "
            "equal shares and single ones, found "
         << panels << ", " << streams << ", " << equal << " and " << single;
}

LogicalResult AllocOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  // alloc_c5
  bool whole = getSpace() == Space::Team || getSpace() == Space::Kept;
  if (whole && getRows())
    return emitOpError("expected a buffer of the team to have no rows");
  if (getSpace() != Space::Shared && !getRows()) {
    // alloc_c1
    if (!type.hasStaticShape())
      return emitOpError()
             << "expected a buffer of the team, or a private one without rows, to have "
                "a static shape, found "
             << type;
  } else {
    // alloc_c2
    bool rowsAgree =
        type.getRank() > 0 && (getRows() ? type.isDynamicDim(0) : type.getDimSize(0) == 1);
    if (!rowsAgree || ShapedType::isDynamicShape(type.getShape().drop_front()))
      return emitOpError() << "expected a buffer of a row, or of a given number of rows, and "
                              "no other dynamic dimension, found "
                           << type;
  }
  // alloc_c3
  if (!type.getLayout().isIdentity() || !type.getElementType().isIntOrFloat() ||
      type.getElementTypeBitWidth() % 8)
    return emitOpError() << "expected a row-major buffer of whole bytes an element, found " << type;
  // alloc_c4
  if (getOffset() && (static_cast<int64_t>(*getOffset()) < 0 || *getOffset() % 64))
    return emitOpError() << "expected an offset that is a multiple of 64, found "
                         << static_cast<int64_t>(*getOffset());
  return success();
}

LogicalResult InputOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  Type element = type.getElementType();
  ArrayRef<int64_t> shape = type.getShape();
  int64_t rowsDimension = 0; // -1: none
  bool fits = type.getLayout().isIdentity();
  // input_c1
  switch (getField()) {
  case Input::Tokens:
  case Input::Slots:
  case Input::Positions:
  case Input::Rows:
    fits &= element.isInteger(32) && shape.size() == 1;
    break;
  case Input::Logits:
    fits &= element.isF32() && shape.size() == 2 && !type.isDynamicDim(1);
    break;
  case Input::Taps:
    fits &= element.isF32() && shape.size() == 3 && !type.isDynamicDim(2);
    rowsDimension = 1;
    break;
  case Input::RouteIds:
  case Input::RouteWeights:
    fits &= (getField() == Input::RouteIds ? element.isInteger(32) : element.isF32()) &&
            shape.size() == 3 && !type.isDynamicDim(2);
    rowsDimension = 1;
    break;
  case Input::Kv:
    fits &= isKvElement(element) && shape.size() == 1 && type.isDynamicDim(0);
    rowsDimension = -1;
    break;
  case Input::PageTable:
    fits &= element.isInteger(32) && shape.size() == 2 && type.getNumDynamicDims() == 2;
    rowsDimension = -1;
    break;
  }
  if (!fits)
    return emitOpError() << type << " is not the type of the field " << stringifyInput(getField());
  // input_c2
  bool wantsRows = rowsDimension >= 0 && type.isDynamicDim(rowsDimension);
  if (wantsRows != static_cast<bool>(getRows()))
    return emitOpError() << "expected the number of rows "
                         << (wantsRows ? "of a dynamic dimension" : "only with a dynamic dimension")
                         << " of rows, found " << type;
  return success();
}

LogicalResult WeightOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  // weight_c1
  if (type.getRank() != 1 || !type.hasStaticShape() || !type.getLayout().isIdentity() ||
      !(type.getElementType().isInteger(8) || type.getElementType().isF32()))
    return emitOpError() << "expected a static vector of i8 (panels) or f32, found " << type;
  // weight_c2
  int64_t offset = getOffset(), sliceBytes = getSliceBytes();
  if (offset < 0 || offset % 4096 || sliceBytes < 0 || sliceBytes % 64)
    return emitOpError()
           << "expected an offset at a multiple of 4096 and slices of multiples of 64 "
              "bytes, found "
           << offset << " and " << sliceBytes;
  // weight_c3
  int64_t bytes = type.getNumElements() * (type.getElementTypeBitWidth() / 8);
  if (bytes > sliceBytes)
    return emitOpError() << "expected at most the " << sliceBytes << " bytes of a slice, found "
                         << bytes;
  return success();
}

//===- Kernels on rows ------------------------------------------------------------------------===//

LogicalResult EmbedOp::verify() {
  MemRefType out = getOut().getType();
  // embed_c1
  if (failed(verifySize(*this, "the rows of out (one for each token)",
                        getTokens().getType().getDimSize(0), out.getDimSize(0))))
    return failure();
  // embed_c2
  if (failed(verifyWholeBlocks(*this, out.getDimSize(1), getFormat())))
    return failure();
  // embed_c3
  return verifyByRows(*this, getSplit());
}

LogicalResult SelectRowsOp::verify() {
  MemRefType out = getOut().getType();
  // select_rows_c1
  if (failed(verifySize(*this, "the rows of out (those wanted)", getRows().getType().getDimSize(0),
                        out.getDimSize(0))))
    return failure();
  // select_rows_c2
  if (failed(verifySize(*this, "the width of out (that of x)", getX().getType().getDimSize(1),
                        out.getDimSize(1))))
    return failure();
  // select_rows_c3
  return verifyByRows(*this, getSplit());
}

LogicalResult RmsNormOp::verify() {
  MemRefType x = getX().getType();
  int64_t width = x.getDimSize(1);
  int64_t group = getGroup().value_or(width);
  // rms_norm_c5
  if (group <= 0 || width % group || (getGroup() && (getOuts().size() != 1 || getRound())))
    return emitOpError() << "expected a group that divides the width " << width
                         << ", and then one output, not rounded, found " << group;
  // rms_norm_c1
  if (getGain().getType().getDimSize(0) < group)
    return emitOpError() << "expected a gain of at least " << group << " elements, found "
                         << getGain().getType().getDimSize(0);
  if (getRound()) {
    if (getOuts().size() != 1)
      return emitOpError("expected one buffer of rounded rows as outs");
    if (failed(verifyRounded(*this, x, getOuts()[0])))
      return failure();
  } else if (getOuts().size() == 3) {
    // rms_norm_c3
    if (failed(verifyWholeBlocks(*this, width)))
      return failure();
    // rms_norm_c2
    if (failed(verifyQuantized(*this, getOuts(), x.getDimSize(0), width)))
      return failure();
  } else {
    auto out = getOuts().size() == 1 ? cast<MemRefType>(getOuts()[0].getType()) : MemRefType();
    if (!out || !out.getElementType().isF32() || out.getRank() != 2)
      return emitOpError() << "expected rows of f32 or the three buffers of quantized rows as outs";
    if (failed(verifyShape(*this, "out", x.getShape(), out)))
      return failure();
  }
  // rms_norm_c6
  if (getFours() && getOuts().size() != 3)
    return emitOpError("expected three outputs with rows by fours");
  // rms_norm_c4
  return verifyByRows(*this, getSplit());
}

LogicalResult QuantizeOp::verify() {
  MemRefType x = getX().getType();
  // quantize_c2
  if (failed(verifyWholeBlocks(*this, x.getDimSize(1))))
    return failure();
  // quantize_c1
  if (failed(verifyQuantized(*this, {getValues(), getScales(), getSums()}, x.getDimSize(0),
                             x.getDimSize(1))))
    return failure();
  // quantize_c3
  return verifyByRows(*this, getSplit());
}

LogicalResult RoundOp::verify() {
  // round_c1
  if (failed(verifyRounded(*this, getX().getType(), getOut())))
    return failure();
  // round_c2
  return verifyByRows(*this, getSplit());
}

LogicalResult RopeOp::verify() {
  MemRefType x = getX().getType();
  int64_t headDim = getHeadDim(), rotary = getRotaryDims();
  // rope_c1
  if (failed(verifyShape(*this, "out", x.getShape(), getOut().getType())))
    return failure();
  // rope_c2
  if (failed(verifySize(*this, "the number of positions (one for each row)", x.getDimSize(0),
                        getPositions().getType().getDimSize(0))))
    return failure();
  // rope_c3
  if (headDim <= 0 || x.getDimSize(1) % headDim)
    return emitOpError() << "expected a width that is a multiple of head_dim " << headDim
                         << ", found " << x.getDimSize(1);
  // rope_c4
  if (rotary <= 0 || rotary % 2 || rotary > headDim)
    return emitOpError() << "expected an even number of rotary_dims, at most head_dim " << headDim
                         << ", found " << rotary;
  // rope_c5
  if (getFrequencies().getType().getDimSize(0) < rotary / 2)
    return emitOpError() << "expected a frequency for each of the " << rotary / 2
                         << " pairs, found " << getFrequencies().getType().getDimSize(0);
  // rope_c6
  return verifyByRows(*this, getSplit());
}

LogicalResult GateOp::verify() {
  MemRefType up = getUp().getType(), gate = getGate().getType();
  // gate_c1
  int64_t columns = gate.getDimSize(1) == 1 ? 1 : up.getDimSize(1);
  if (failed(verifyShape(*this, "the gate", {up.getDimSize(0), columns}, gate)) ||
      failed(verifyShape(*this, "out", up.getShape(), getOut().getType())))
    return failure();
  // gate_c2
  return verifyByRows(*this, getSplit());
}

LogicalResult ScaleOp::verify() {
  // scale_c1
  if (failed(verifyShape(*this, "out", getX().getType().getShape(), getOut().getType())))
    return failure();
  // scale_c2
  return verifyByRows(*this, getSplit());
}

LogicalResult AddOp::verify() {
  ArrayRef<int64_t> shape = getLhs().getType().getShape();
  // add_c1
  if (failed(verifyShape(*this, "rhs", shape, getRhs().getType())) ||
      failed(verifyShape(*this, "out", shape, getOut().getType())))
    return failure();
  // add_c2
  return verifyByRows(*this, getSplit());
}

LogicalResult CopyOp::verify() {
  MemRefType x = getX().getType();
  auto out = cast<MemRefType>(getOut().getType());
  SmallVector<int64_t> expected;
  if (getIndex())
    expected.push_back(ShapedType::kDynamic);
  llvm::append_range(expected, x.getShape());
  // copy_c1
  if (out.getRank() != static_cast<int64_t>(expected.size()))
    return emitOpError() << "expected out to have " << expected.size() << " dimensions, found "
                         << out;
  if (failed(verifyShape(*this, "out", expected, out)))
    return failure();
  // copy_c2
  return verifyByRows(*this, getSplit());
}

//===- Products -------------------------------------------------------------------------------===//

LogicalResult ContractOp::verify() {
  int64_t width = getWidth(), parts = getEpilogue() == Epilogue::GateSilu ? 2 : 1;
  // C1 to C4, C8 and C10 are those of every product.
  Product product{getX(),     getFormat(),       getInstruction(), getK(),           parts,
                  getStrip(), getBlockingAttr(), getTurns(),       getSharingAttr(), getSplit()};
  if (failed(verifyProduct(*this, product)))
    return failure();
  // contract_c5
  MemRefType out = getOut().getType();
  if (failed(verifySize(*this, "the rows of out (those of x)", product.rows(), out.getDimSize(0))))
    return failure();
  if (failed(verifyColumns(*this, out, width)))
    return failure();
  // contract_c6
  if (getBias() && getBias().getType().getDimSize(0) < roundUp(width, kPanel))
    return emitOpError() << "expected a bias of at least " << roundUp(width, kPanel)
                         << " elements (whole panels), found " << getBias().getType().getDimSize(0);
  // contract_c7
  if (parts == 2 && getBias())
    return emitOpError("expected no bias with a gate");
  if (getEpilogue() == Epilogue::Silu)
    return emitOpError("expected store, accumulate or gate_silu, found silu");
  // contract_c11
  auto agrees = [](BlockingAttr blocking, int64_t fours) {
    return blocking && blocking.getRows() % 2 == 0 && blocking.getBlock() % 4 == 0 &&
           (fours ? fours == blocking.getDirect() : blocking.getTogether() % 4 == 0);
  };
  if (getFours() && (getX().size() != 3 || !agrees(getBlockingAttr(), *getFours())))
    return emitOpError(
        "expected quantized rows, and a blocking that takes them by fours, with rows by fours");
  // contract_c9
  return verifySplit(*this, getSplit(), {Split::Panels, Split::Whole});
}
