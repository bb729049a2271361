// moire-opt: runs passes on IR, whole MlirOptMain (plugins, reproducers, bytecode, timing).

#include "codegen/cpu/Passes.h"
#include "dialects/moe/Moe.h"
#include "dialects/moe/Transforms/Passes.h"
#include "dialects/tile/Tile.h"
#include "passes/Passes.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<mlir::moe::MoeDialect, mlir::tile::TileDialect>();

  mlir::registerAllPasses();
  mlir::moe::registerMoeTransformsPasses();
  mlir::moe::registerMoirePasses();
  mlir::moe::registerOptimizePipeline();
  moire::cpu::registerMoireCpuPasses();

  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Moire optimizer driver\n", registry));
}
