// lower: vectors, loops, buffers and our own remaining operations become LLVM dialect.

#include "codegen/cpu/Phases.h"

#include "runtime/Abi.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"

#include <cstddef>

using namespace mlir;

namespace moire::cpu {
namespace {

// Makes addresses and descriptors out of the step's fields.
template <typename Op> class StepPattern : public ConvertOpToLLVMPattern<Op> {
public:
  StepPattern(const LLVMTypeConverter &converter, const Plan &plan)
      : ConvertOpToLLVMPattern<Op>(converter), plan(plan) {}

protected:
  using Builder = ConversionPatternRewriter;

  Value i64(Builder &b, Location loc, int64_t value) const {
    return LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(value));
  }

  // The function's argument: the converted one, since the function may be converted already.
  static Value argument(Operation *op, unsigned number) {
    Operation *function = op->getParentOp();
    while (!isa<FunctionOpInterface>(function))
      function = function->getParentOp();
    return cast<FunctionOpInterface>(function).getFunctionBody().front().getArgument(number);
  }

  Value field(Builder &b, Operation *op, size_t offset, Type type) const {
    Location loc = op->getLoc();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value address = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), argument(op, 0),
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
    return LLVM::LoadOp::create(b, loc, type, address);
  }

  Value offsetBy(Builder &b, Location loc, Value pointer, Value bytes) const {
    return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                               ArrayRef<LLVM::GEPArg>{bytes});
  }

  // A descriptor for row-major data at `address`; `rows` is the size of the dynamic dimension
  // before the last static ones.
  Value descriptor(Builder &b, Location loc, MemRefType type, Value address, Value rows) const {
    const LLVMTypeConverter &converter = *this->getTypeConverter();
    auto result = MemRefDescriptor::poison(b, loc, converter.convertType(type));
    result.setAllocatedPtr(b, loc, address);
    result.setAlignedPtr(b, loc, address);
    result.setConstantOffset(b, loc, 0);
    Value stride = i64(b, loc, 1);
    for (int64_t i = type.getRank() - 1; i >= 0; --i) {
      Value size = type.isDynamicDim(i) ? rows : i64(b, loc, type.getDimSize(i));
      result.setSize(b, loc, i, size);
      result.setStride(b, loc, i, stride);
      if (i > 0)
        stride = LLVM::MulOp::create(b, loc, stride, size);
    }
    return result;
  }

  const Plan &plan;
};

struct CountLowering : StepPattern<tile::CountOp> {
  using StepPattern::StepPattern;
  LogicalResult matchAndRewrite(tile::CountOp op, OpAdaptor, Builder &b) const override {
    size_t offset = op.getOf() == tile::Count::Tokens ? offsetof(moire_step, token_count)
                                                      : offsetof(moire_step, row_count);
    b.replaceOp(op, field(b, op, offset, b.getI64Type()));
    return success();
  }
};

struct AllocLowering : StepPattern<tile::AllocOp> {
  using StepPattern::StepPattern;
  LogicalResult matchAndRewrite(tile::AllocOp op, OpAdaptor adaptor, Builder &b) const override {
    Location loc = op.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    bool isPrivate = op.getSpace() == tile::Space::Private;
    Value base = field(
        b, op, isPrivate ? offsetof(moire_step, scratch) : offsetof(moire_step, arena), pointer);
    auto perToken = [&](int64_t bytes) -> Value {
      Value tokens = field(b, op, offsetof(moire_step, max_tokens), b.getI64Type());
      return LLVM::MulOp::create(b, loc, tokens, i64(b, loc, bytes));
    };
    auto add = [&](Value x, Value y) -> Value { return LLVM::AddOp::create(b, loc, x, y); };
    int64_t offset = *op.getOffset();
    Value bytes;
    if (op.getSpace() == tile::Space::Team || op.getSpace() == tile::Space::Kept) {
      bytes = i64(b, loc, offset);
    } else if (!isPrivate) {
      // Behind the team's buffers of a fixed size.
      bytes = add(i64(b, loc, plan.arenaBytes), perToken(offset));
    } else {
      // A thread's buffers of a fixed size, then those with rows.
      Value fixed = i64(b, loc, plan.scratchBytes);
      Value ofThread =
          plan.scratchBytesPerToken ? add(fixed, perToken(plan.scratchBytesPerToken)) : fixed;
      bytes = LLVM::MulOp::create(b, loc, argument(op, 1), ofThread);
      bytes = add(bytes, op.getRows() ? add(fixed, perToken(offset)) : i64(b, loc, offset));
    }
    auto type = cast<MemRefType>(op.getResult().getType());
    b.replaceOp(op, descriptor(b, loc, type, offsetBy(b, loc, base, bytes), adaptor.getRows()));
    return success();
  }
};

struct InputLowering : StepPattern<tile::InputOp> {
  using StepPattern::StepPattern;
  LogicalResult matchAndRewrite(tile::InputOp op, OpAdaptor adaptor, Builder &b) const override {
    static constexpr size_t offsets[] = {
        offsetof(moire_step, tokens),     offsetof(moire_step, slots),
        offsetof(moire_step, positions),  offsetof(moire_step, rows),
        offsetof(moire_step, logits),     offsetof(moire_step, kv),
        offsetof(moire_step, page_table), offsetof(moire_step, taps),
        offsetof(moire_step, route_ids),  offsetof(moire_step, route_weights)};
    Location loc = op.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value address = field(b, op, offsets[static_cast<size_t>(op.getField())], pointer);
    Value rows = adaptor.getRows();
    if (op.getField() == tile::Input::PageTable)
      rows = field(b, op, offsetof(moire_step, pages_per_slot), b.getI64Type());
    if (!rows)
      rows = i64(b, loc, 0); // the extent of the KV pool, which nobody asks for
    auto type = cast<MemRefType>(op.getResult().getType());
    b.replaceOp(op, descriptor(b, loc, type, address, rows));
    return success();
  }
};

struct WeightLowering : StepPattern<tile::WeightOp> {
  using StepPattern::StepPattern;
  LogicalResult matchAndRewrite(tile::WeightOp op, OpAdaptor adaptor, Builder &b) const override {
    Location loc = op.getLoc();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value base = field(b, op, offsetof(moire_step, weights), pointer);
    Value bytes = i64(b, loc, op.getOffset());
    if (Value slice = adaptor.getSlice())
      bytes = LLVM::AddOp::create(
          b, loc, bytes, LLVM::MulOp::create(b, loc, slice, i64(b, loc, op.getSliceBytes())));
    auto type = cast<MemRefType>(op.getResult().getType());
    b.replaceOp(op, descriptor(b, loc, type, offsetBy(b, loc, base, bytes), Value()));
    return success();
  }
};

struct BarrierLowering : StepPattern<tile::BarrierOp> {
  using StepPattern::StepPattern;
  LogicalResult matchAndRewrite(tile::BarrierOp op, OpAdaptor, Builder &b) const override {
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    Value barrier = field(b, op, offsetof(moire_step, barrier), pointer);
    LLVM::CallOp::create(b, op.getLoc(), TypeRange(), "moire_barrier",
                         ValueRange{barrier, argument(op, 1)});
    b.eraseOp(op);
    return success();
  }
};

struct StampLowering : StepPattern<tile::StampOp> {
  using StepPattern::StepPattern;
  LogicalResult matchAndRewrite(tile::StampOp op, OpAdaptor adaptor, Builder &b) const override {
    Location loc = op.getLoc();
    Type number = b.getI64Type();
    auto pointer = LLVM::LLVMPointerType::get(b.getContext());
    // rdtscp and not rdtsc: it waits for what comes before it.
    auto stamp = LLVM::LLVMStructType::getLiteral(b.getContext(), {number, b.getI32Type()});
    Value read = LLVM::CallIntrinsicOp::create(b, loc, stamp, b.getStringAttr("llvm.x86.rdtscp"),
                                               ValueRange())
                     .getResult(0);
    Value cycles = LLVM::ExtractValueOp::create(b, loc, read, 0);

    auto add = [&](Value x, Value y) -> Value { return LLVM::AddOp::create(b, loc, x, y); };
    auto mul = [&](Value x, int64_t y) -> Value {
      return LLVM::MulOp::create(b, loc, x, i64(b, loc, y));
    };
    Value thread = argument(op, 1);
    Value countAt = offsetBy(b, loc, field(b, op, offsetof(moire_step, stamp_counts), pointer),
                             mul(thread, MOIRE_STAMP_COUNT_STRIDE * sizeof(int64_t)));
    Value count = LLVM::LoadOp::create(b, loc, number, countAt);
    Value place = mul(add(mul(thread, plan.stamps), count), sizeof(moire_stamp));
    Value at = offsetBy(b, loc, field(b, op, offsetof(moire_step, stamps), pointer), place);
    auto store = [&](Value value, size_t offset) {
      LLVM::StoreOp::create(b, loc, value, offsetBy(b, loc, at, i64(b, loc, offset)));
    };
    auto i32 = [&](Value wide) -> Value {
      return LLVM::TruncOp::create(b, loc, b.getI32Type(), wide);
    };
    Value experts = adaptor.getExperts() ? adaptor.getExperts() : i64(b, loc, 0);
    store(cycles, offsetof(moire_stamp, cycles));
    store(i32(i64(b, loc, op.getRegion())), offsetof(moire_stamp, region));
    store(i32(experts), offsetof(moire_stamp, experts));
    LLVM::StoreOp::create(b, loc, add(count, i64(b, loc, 1)), countAt);
    b.eraseOp(op);
    return success();
  }
};

void declareBarrier(ModuleOp module) {
  OpBuilder b(module.getBodyRegion());
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()),
                                  {LLVM::LLVMPointerType::get(b.getContext()), b.getI64Type()});
  LLVM::LLVMFuncOp::create(b, module.getLoc(), "moire_barrier", type);
}

struct ConvertPass : PassWrapper<ConvertPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(ConvertPass)
  explicit ConvertPass(const Plan &plan) : plan(plan) {}

  StringRef getName() const override { return "moire-lower-to-llvm"; }

  void runOnOperation() override {
    MLIRContext &context = getContext();
    declareBarrier(getOperation());
    LowerToLLVMOptions options(&context);
    LLVMTypeConverter converter(&context, options);
    RewritePatternSet patterns(&context);
    patterns.add<CountLowering, AllocLowering, InputLowering, WeightLowering, BarrierLowering,
                 StampLowering>(converter, plan);
    populateFuncToLLVMConversionPatterns(converter, patterns);
    arith::populateArithToLLVMConversionPatterns(converter, patterns);
    cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
    populateMathToLLVMConversionPatterns(converter, patterns);
    populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
    index::populateIndexToLLVMConversionPatterns(converter, patterns);
    vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
    vector::populateVectorMaskOpLoweringPatterns(patterns);
    populateVectorToLLVMConversionPatterns(converter, patterns);
    LLVMConversionTarget target(context);
    target.addLegalOp<ModuleOp>();
    if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }

  const Plan &plan;
};

} // namespace

LogicalResult lowerToLlvm(ModuleOp module, const Plan &plan) {
  PassManager pm(module.getContext());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.addPass(createSCFToControlFlowPass());
  // Sizes of joined dimensions come out as affine maps.
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(std::make_unique<ConvertPass>(plan));
  return pm.run(module);
}

} // namespace moire::cpu
