// Verifiers. Codegen trusts them: a kernel's expansion checks no shape again.

#include "dialects/tile/Tile.h"

#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::tile;

// Columns of a panel and of a block (codegen/artifact/Packing.h).
static constexpr int64_t kPanel = 16, kBlock = 32;

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

//===- Shared checks --------------------------------------------------------------------------===//

static bool isBlocked(Format format) {
  return format == Format::Q4_0 || format == Format::Q4_1 || format == Format::Q8_0;
}

static int64_t roundUp(int64_t value, int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

/// Fails with "expected WHAT to be EXPECTED, found FOUND" unless the sizes agree. A dynamic size
/// agrees with any.
static LogicalResult verifySize(Operation *op, const Twine &what, int64_t expected, int64_t found) {
  if (expected == found || ShapedType::isDynamic(expected) || ShapedType::isDynamic(found))
    return success();
  return op->emitOpError() << "expected " << what << " to be " << expected << ", found " << found;
}

static LogicalResult verifyShape(Operation *op, StringRef what, ArrayRef<int64_t> expected,
                                 MemRefType found) {
  for (auto [i, sizes] : llvm::enumerate(llvm::zip(expected, found.getShape())))
    if (failed(verifySize(op, "dimension " + Twine(i) + " of " + what, std::get<0>(sizes),
                          std::get<1>(sizes))))
      return failure();
  return success();
}

static LogicalResult verifySplit(Operation *op, Split split, ArrayRef<Split> allowed) {
  if (llvm::is_contained(allowed, split))
    return success();
  std::string names;
  for (Split s : allowed)
    names += (names.empty() ? "" : " or ") + stringifySplit(s).str();
  return op->emitOpError() << "expected the work to be split by " << names << ", found "
                           << stringifySplit(split);
}

static LogicalResult verifyByRows(Operation *op, Split split) {
  return verifySplit(op, split, {Split::Rows, Split::Whole});
}

static LogicalResult verifyWholeBlocks(Operation *op, int64_t width) {
  if (width % kBlock == 0)
    return success();
  return op->emitOpError() << "expected columns divisible by the block of " << kBlock << ", found "
                           << width;
}

/// The three buffers of `rows` quantized rows of `k` columns.
static LogicalResult verifyQuantized(Operation *op, ValueRange buffers, int64_t rows, int64_t k) {
  struct Part {
    StringRef name;
    Type element;
    SmallVector<int64_t> shape;
  };
  Builder b(op->getContext());
  const Part parts[] = {{"values", b.getI8Type(), {rows, k}},
                        {"scales", b.getF32Type(), {rows, 2, k / kBlock}},
                        {"sums", b.getI32Type(), {rows, k / kBlock}}};
  for (auto [part, buffer] : llvm::zip(parts, buffers)) {
    auto type = cast<MemRefType>(buffer.getType());
    if (type.getElementType() != part.element ||
        type.getRank() != static_cast<int64_t>(part.shape.size()))
      return op->emitOpError() << "expected the " << part.name << " to be of " << part.element
                               << " with " << part.shape.size() << " dimensions, found " << type;
    if (failed(verifyShape(op, part.name, part.shape, type)))
      return failure();
  }
  return success();
}

static LogicalResult verifySlotsAndPositions(Operation *op, int64_t rows, MemRefType slots,
                                             MemRefType positions) {
  if (failed(verifySize(op, "the number of slots (one for each row)", rows, slots.getDimSize(0))))
    return failure();
  return verifySize(op, "the number of positions (one for each row)", rows,
                    positions.getDimSize(0));
}

static LogicalResult verifyPool(Operation *op, KvLayoutAttr layout, MemRefType kv) {
  if (layout.getElement() == kv.getElementType())
    return success();
  return op->emitOpError() << "expected a pool of the layout's " << layout.getElement()
                           << ", found " << kv;
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
  if (!element.isF16() && !element.isF32())
    return emitError() << "expected keys and values of f16 or f32, found " << element;
  return success();
}

LogicalResult AllocOp::verify() {
  auto type = cast<MemRefType>(getResult().getType());
  if (getSpace() == Space::Private) {
    // alloc_c1
    if (!type.hasStaticShape() || getRows())
      return emitOpError() << "expected a private buffer to have a static shape and no rows, found "
                           << type;
  } else {
    // alloc_c2
    bool rowsAgree =
        type.getRank() > 0 && (getRows() ? type.isDynamicDim(0) : type.getDimSize(0) == 1);
    if (!rowsAgree || ShapedType::isDynamicShape(type.getShape().drop_front()))
      return emitOpError()
             << "expected a shared buffer of a row, or of a given number of rows, and "
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
  case Input::Kv:
    fits &= (element.isF16() || element.isF32()) && shape.size() == 1 && type.isDynamicDim(0);
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
  if (isBlocked(getFormat()) && failed(verifyWholeBlocks(*this, out.getDimSize(1))))
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
  // rms_norm_c1
  if (getGain().getType().getDimSize(0) < width)
    return emitOpError() << "expected a gain of at least " << width << " elements, found "
                         << getGain().getType().getDimSize(0);
  if (getOuts().size() == 3) {
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
  ArrayRef<int64_t> shape = getGate().getType().getShape();
  // gate_c1
  if (failed(verifyShape(*this, "up", shape, getUp().getType())) ||
      failed(verifyShape(*this, "out", shape, getOut().getType())))
    return failure();
  // gate_c2
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
  bool quantized = getX().size() == 3, blocked = isBlocked(getFormat());
  int64_t width = getWidth(), k = getK();
  if (getX().empty())
    return emitOpError("expected rows to multiply");
  auto first = cast<MemRefType>(getX()[0].getType());
  int64_t rows = first.getRank() ? first.getDimSize(0) : 0;
  // contract_c3
  if (blocked && failed(verifyWholeBlocks(*this, k)))
    return failure();
  // contract_c1
  if (quantized) {
    if (failed(verifyQuantized(*this, getX(), rows, k)))
      return failure();
  } else {
    if (getX().size() != 1 || !first.getElementType().isF32() || first.getRank() != 2)
      return emitOpError("expected x to be rows of f32 or the three buffers of quantized rows");
    if (failed(verifySize(*this, "the width of x", k, first.getDimSize(1))))
      return failure();
  }
  // contract_c2
  if (quantized && !blocked)
    return emitOpError() << "expected weights of a block format for quantized rows, found "
                         << stringifyFormat(getFormat());
  // contract_c4
  if (quantized == (getInstruction() == "vfmadd"))
    return emitOpError() << "expected "
                         << (quantized ? "an integer instruction for quantized rows"
                                       : "the instruction vfmadd for rows of f32")
                         << ", found " << getInstruction();
  // contract_c5
  MemRefType out = getOut().getType();
  if (failed(verifySize(*this, "the rows of out (those of x)", rows, out.getDimSize(0))))
    return failure();
  if (width <= 0 || out.getDimSize(1) < width)
    return emitOpError() << "expected out to have at least " << width << " columns, found "
                         << out.getDimSize(1);
  // contract_c6
  if (getBias() && getBias().getType().getDimSize(0) < roundUp(width, kPanel))
    return emitOpError() << "expected a bias of at least " << roundUp(width, kPanel)
                         << " elements (whole panels), found " << getBias().getType().getDimSize(0);
  // contract_c7
  bool gated = getEpilogue() == Epilogue::GateSilu;
  if (gated && getBias())
    return emitOpError("expected no bias with a gate");
  // contract_c8
  if (getStrip()) {
    int64_t parts = gated ? 2 : 1;
    Builder b(getContext());
    MemRefType expected;
    if (quantized && getFormat() != Format::Q8_0)
      expected = MemRefType::get({parts * kPanel * k}, b.getI8Type());
    else if (!quantized && getFormat() != Format::F32)
      expected = MemRefType::get({parts * k, kPanel}, b.getF32Type());
    if (!expected)
      return emitOpError() << "expected no strip: these panels are read as they are";
    if (getStrip().getType() != expected)
      return emitOpError() << "expected a strip of " << expected << ", found "
                           << getStrip().getType();
  }
  // contract_c9
  return verifySplit(*this, getSplit(), {Split::Panels, Split::Whole});
}

//===- Keys and values ------------------------------------------------------------------------===//

LogicalResult KvAppendOp::verify() {
  KvLayoutAttr layout = getLayout();
  MemRefType values = getValues().getType();
  // kv_append_c1
  if (failed(verifySize(*this, "the width of the values (KV heads times head dim)",
                        layout.getKvHeads() * layout.getHeadDim(), values.getDimSize(1))))
    return failure();
  // kv_append_c2
  if (failed(verifyPool(*this, layout, getKv().getType())))
    return failure();
  // kv_append_c3
  if (failed(verifySlotsAndPositions(*this, values.getDimSize(0), getSlots().getType(),
                                     getPositions().getType())))
    return failure();
  // kv_append_c4
  return verifySplit(*this, getSplit(), {Split::Rows, Split::Heads, Split::Whole});
}

LogicalResult AttendOp::verify() {
  KvLayoutAttr layout = getLayout();
  MemRefType queries = getQueries().getType(), scratch = getScratch().getType();
  int64_t kvWidth = layout.getKvHeads() * layout.getHeadDim();
  // attend_c1
  if (queries.getDimSize(1) == 0 || queries.getDimSize(1) % kvWidth)
    return emitOpError() << "expected a width of the queries that is a multiple of " << kvWidth
                         << " (KV heads times head dim), found " << queries.getDimSize(1);
  // attend_c2
  if (failed(verifyShape(*this, "out", queries.getShape(), getOut().getType())))
    return failure();
  // attend_c3
  if (failed(verifyPool(*this, layout, getKv().getType())))
    return failure();
  // attend_c4
  if (failed(verifySlotsAndPositions(*this, queries.getDimSize(0), getSlots().getType(),
                                     getPositions().getType())))
    return failure();
  // attend_c5
  int64_t columns = layout.getPage() + layout.getValueStride();
  if (!scratch.hasStaticShape() || scratch.getDimSize(1) != columns)
    return emitOpError() << "expected a static scratch of " << columns
                         << " columns (page, head dim rounded up to 16), found " << scratch;
  // attend_c6
  if (getWindow() && static_cast<int64_t>(*getWindow()) <= 0)
    return emitOpError() << "expected a positive window, found "
                         << static_cast<int64_t>(*getWindow());
  // attend_c7
  if (getSplit() == Split::Heads && queries.getDimSize(0) != 1)
    return emitOpError() << "expected a single row where heads are split, found " << queries;
  return verifySplit(*this, getSplit(), {Split::Heads, Split::Tiles});
}
