#include "tools/driver/Remarks.h"

#include "dialects/moe/Remarks.h"

#include "llvm/ADT/StringExtras.h"

namespace moire::driver {

/// "fuse-qkv" for "FuseQkv".
static std::string kebab(llvm::StringRef name) {
  std::string text;
  for (char c : name) {
    if (llvm::isUpper(c) && !text.empty())
      text += '-';
    text += llvm::toLower(c);
  }
  return text;
}

static void note(NotedRemark remark, std::vector<NotedRemark> &remarks) {
  auto known = llvm::find_if(remarks, [&](const NotedRemark &other) {
    return other.done == remark.done && other.pass == remark.pass &&
           other.function == remark.function && other.text == remark.text;
  });
  if (known == remarks.end())
    return remarks.push_back(std::move(remark));
  for (std::string &weight : remark.weights)
    if (!llvm::is_contained(known->weights, weight))
      known->weights.push_back(std::move(weight));
  known->one |= remark.one;
  known->many |= remark.many;
}

namespace {
class Streamer : public mlir::remark::detail::MLIRRemarkStreamerBase {
public:
  explicit Streamer(std::vector<NotedRemark> &remarks) : remarks(remarks) {}

  void streamOptimizationRemark(const mlir::remark::detail::Remark &remark) override {
    llvm::StringRef function = remark.getFunction();
    NotedRemark noted;
    noted.done = remark.getRemarkType() == llvm::remarks::Type::Passed;
    noted.pass = kebab(remark.getRemarkName());
    noted.one = function.consume_back(".one");
    noted.many = function.consume_back(".many");
    // That of no function is given a name for readers of reports.
    noted.function = function.starts_with("<") ? "" : function.str();
    for (const mlir::remark::detail::Remark::Arg &argument : remark.getArgs()) {
      if (argument.key != mlir::moe::kAboutWeights) {
        noted.text += argument.val;
        continue;
      }
      llvm::SmallVector<llvm::StringRef> names;
      llvm::StringRef(argument.val).split(names, ", ", -1, /*KeepEmpty=*/false);
      for (llvm::StringRef name : names)
        noted.weights.push_back(name.str());
    }
    note(std::move(noted), remarks);
  }

private:
  std::vector<NotedRemark> &remarks;
};
} // namespace

void noteRemarks(mlir::MLIRContext &context, std::vector<NotedRemark> &remarks) {
  mlir::remark::RemarkCategories all;
  all.passed = all.missed = ".*";
  bool enabled = mlir::succeeded(mlir::remark::enableOptimizationRemarks(
      context, std::make_unique<Streamer>(remarks),
      std::make_unique<mlir::remark::RemarkEmittingPolicyAll>(), all));
  assert(enabled && "there is nothing that a context without remarks could refuse");
  (void)enabled;
  // Those on weights as a whole are diagnostics, which a compilation shows.
  context.getDiagEngine().registerHandler([&remarks](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Remark)
      return mlir::failure();
    NotedRemark noted;
    noted.pass = "plan-weights";
    noted.text = diagnostic.str();
    note(std::move(noted), remarks);
    return mlir::success();
  });
}

} // namespace moire::driver
