// moire-lsp-server: diagnostics, completion and navigation for .mlir files in an editor.

#include "dialects/moe/Moe.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::moe::MoeDialect>();
  return mlir::asMainReturnCode(mlir::MlirLspServerMain(argc, argv, registry));
}
