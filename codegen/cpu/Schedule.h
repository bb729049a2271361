// The state of scheduling one function: which buffers its tensors became.

#ifndef MOIRE_CODEGEN_CPU_SCHEDULE_H
#define MOIRE_CODEGEN_CPU_SCHEDULE_H

#include "codegen/cpu/Phases.h"
#include "dialects/moe/Remarks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

namespace moire::cpu {

/// Where a tensor of rows lies: a buffer whose rows are padded to 16 columns, or a range of its
/// columns; three buffers if it is quantized, one of words if it holds pairs of bf16.
struct RowBuffer {
  llvm::SmallVector<mlir::Value, 3> buffers;
  int64_t column = 0, width = 0;
  mlir::tile::Count count = mlir::tile::Count::Tokens;
  bool shared = true;
  mlir::IntegerAttr fours = {}; // as of tile.quantize, or null
  bool isWhole() const { return buffers.size() == 1 && column == 0; }
};

/// Rewrites one function (a variant) from tensors to buffers. The old operations are left for the
/// caller to erase.
class Scheduler {
public:
  Scheduler(mlir::func::FuncOp from, const Machine &machine, Plan &plan);

  /// Builds the scheduled function beside the old one and returns it, or null after an error.
  mlir::func::FuncOp run();

private:
  // Schedule.cpp: structure
  mlir::LogicalResult scheduleBlock(mlir::Block &block);
  mlir::LogicalResult scheduleOp(mlir::Operation &op);
  mlir::LogicalResult scheduleLoop(mlir::scf::ForOp loop);
  mlir::LogicalResult scheduleCall(mlir::func::CallOp call);
  mlir::LogicalResult scheduleSlice(mlir::tensor::ExtractSliceOp slice);
  mlir::LogicalResult finishRows(mlir::Value value, mlir::Value destination);

  // ScheduleOps.cpp: one function an operation
  void scheduleEmbed(mlir::moe::EmbedOp op);
  void scheduleSelectRows(mlir::moe::SelectRowsOp op);
  void scheduleNorm(mlir::moe::RmsNormOp op);
  void scheduleQuantize(mlir::moe::QuantizeRowsOp op);
  /// Rounds rows of f32 to the buffers of `to`, as its encoding asks.
  void roundRows(mlir::Value x, mlir::Value to);
  void scheduleRope(mlir::moe::RopeOp op);
  void scheduleGate(mlir::moe::GateOp op);
  void scheduleAdd(mlir::arith::AddFOp op);
  void scheduleKvAppend(mlir::moe::KvAppendOp op);
  void scheduleAttention(mlir::moe::AttentionOp op);
  void scheduleTap(mlir::moe::TapOp op);
  void scheduleTapRoute(mlir::moe::TapRouteOp op);
  void scheduleLinear(mlir::moe::LinearOp op);
  void scheduleGatedLinear(mlir::moe::GatedLinearOp op);
  void scheduleScale(mlir::moe::ScaleOp op);
  void scheduleContract(mlir::Value x, mlir::Value weight, mlir::Value bias,
                        mlir::tile::Epilogue epilogue, int64_t width, mlir::Value out);

  // ScheduleExperts.cpp
  class ExpertRegion;
  void scheduleRoute(mlir::moe::RouteOp op);
  mlir::LogicalResult scheduleExperts(mlir::moe::ExpertsOp op);
  mlir::Value joinRows(mlir::Value buffer);

  /// How rows are multiplied with a packed weight.
  struct ProductPlan {
    PanelFormat format;
    llvm::StringRef instruction;
    mlir::tile::BlockingAttr blocking; // of many rows, or null
    mlir::Value strip;                 // what the blocking needs, or null
    mlir::Value turns;
    mlir::tile::SharingAttr sharing;
  };
  /// For the rows in `x` (one buffer, or three if quantized); `parts` as in Contraction.h. Threads
  /// share `panels` panels of as many parts, of each of `matrices` (those of a token's experts).
  ProductPlan planProduct(const PackedWeight &packed, llvm::ArrayRef<mlir::Value> x, int64_t parts,
                          int64_t panels, int64_t matrices = 1);
  /// Says so if `rows` are rounded to bf16 and the machine has no use for it.
  void remarkOnWidening(mlir::Type rows, const PackedWeight &packed);

  // Buffers
  mlir::Value rowCount(mlir::tile::Count count);
  /// A new buffer for rows of `width` columns.
  RowBuffer allocRows(int64_t width, mlir::tile::Count count, bool shared);
  RowBuffer allocQuantized(mlir::tile::QuantizedRows form, mlir::tile::Count count, bool shared);
  /// Quantized rows for which a panel is not unpacked, at most.
  int64_t rowsDirect() const;
  /// In steps of more rows than this quantized ones lie by fours.
  mlir::IntegerAttr rowsBeforeFours();
  /// Whether those of experts do: with tiles of four rows nothing is gained, and experts of few
  /// rows would have some more.
  bool expertsGoByFours() const;
  /// For the rows of `result`, as their encoding and their readers ask.
  RowBuffer allocEncoded(mlir::Value result, mlir::tile::Count count, bool shared);
  mlir::Value alloc(mlir::tile::Space space, llvm::ArrayRef<int64_t> shape, mlir::Type element,
                    mlir::tile::Count count);
  mlir::Value input(mlir::tile::Input field, llvm::ArrayRef<int64_t> shape, mlir::Type element,
                    mlir::tile::Count count);
  mlir::Value ids(mlir::tile::Input field, mlir::tile::Count count);
  mlir::Value weight(mlir::Value read);
  const PackedWeight &packedOf(mlir::Value read);
  /// Positions of a segment of attention.
  int64_t segment() const;
  /// A new counter of turns.
  mlir::Value counter();
  /// A private buffer.
  mlir::Value scratchBuffer(mlir::MemRefType type);
  mlir::Value vectorWeight(const PackedWeight &packed, mlir::Value slice);
  /// The exact columns of a value, as kernels read and write them.
  mlir::Value view(const RowBuffer &rows);
  /// view for f32 rows, the buffers themselves for quantized ones and pairs.
  llvm::SmallVector<mlir::Value, 3> operands(mlir::Value tensor);
  /// The buffer of `stream` for `consumer` to overwrite: its own if nothing reads it later, else a
  /// copy.
  RowBuffer overwritable(mlir::Value stream, mlir::Operation *consumer);
  /// Whether `writer` may overwrite the stream: nothing but `except` reads it from there on.
  static bool isFree(mlir::Value stream, mlir::Operation *writer, mlir::Operation *except);
  /// Where the rows of `result` go: the logits straight to the host, others into a new buffer that
  /// all threads see.
  RowBuffer sharedRows(mlir::Value result, mlir::tile::Count count);
  /// stream + product: a product that may be accumulated into the buffer of the stream.
  struct Residual {
    mlir::arith::AddFOp sum;
    mlir::Value stream;
    explicit operator bool() const { return bool(stream); }
  };
  /// The residual that `product`, with that weight, is for, if it may go there.
  Residual residualOf(mlir::Operation *product, mlir::Value weight);

  // Remarks on what was done, or could not be; about a weight, if there is one.
  mlir::remark::RemarkOpts remarkOptions();
  void passed(llvm::StringRef what, llvm::StringRef symbol = {});
  void missed(const llvm::Twine &why, llvm::StringRef symbol = {});

  mlir::tile::Split rowSplit() { return one ? mlir::tile::Split::Whole : mlir::tile::Split::Rows; }

  mlir::func::FuncOp from;
  const Machine &machine;
  Plan &plan;
  bool one;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::func::FuncOp to;
  llvm::DenseMap<mlir::Value, RowBuffer> rows;          // tensors of rows
  llvm::DenseMap<mlir::Value, mlir::tile::Side> states; // key and value states
  llvm::DenseMap<mlir::Value, mlir::tile::Input> idInputs;
  mlir::IRMapping scalars;                // index values
  llvm::DenseSet<mlir::Operation *> done; // fused into an earlier one
};

} // namespace moire::cpu

#endif
