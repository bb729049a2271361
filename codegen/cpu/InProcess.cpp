#include "codegen/cpu/InProcess.h"

#include "codegen/cpu/Phases.h"

#include "llvm/ExecutionEngine/Orc/LLJIT.h"

namespace moire::cpu {

LoadedSteps::LoadedSteps() = default;
LoadedSteps::LoadedSteps(LoadedSteps &&) = default;
LoadedSteps::~LoadedSteps() = default;

llvm::Expected<LoadedSteps> LoadedSteps::load(std::span<const char> object,
                                              void (*barrier)(void *barrier, int64_t thread)) {
  auto created = llvm::orc::LLJITBuilder().create();
  if (!created)
    return created.takeError();
  LoadedSteps steps;
  steps.engine = std::move(*created);
  llvm::orc::LLJIT &engine = *steps.engine;
  if (llvm::Error error = engine.getMainJITDylib().define(llvm::orc::absoluteSymbols(
          {{engine.mangleAndIntern("moire_barrier"),
            {llvm::orc::ExecutorAddr::fromPtr(barrier), llvm::JITSymbolFlags::Exported}}})))
    return std::move(error);
  if (llvm::Error error = engine.addObjectFile(
          llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()))))
    return std::move(error);
  for (auto [name, place] : {std::pair(kStepOne, &steps.one), {kStepMany, &steps.many}}) {
    auto found = engine.lookup(name);
    if (!found)
      return found.takeError();
    *place = found->toPtr<moire_step_fn>();
  }
  return steps;
}

} // namespace moire::cpu
