#include "ImportHelper.h"
using namespace moire;
TEST(Import, Print) {
  for (const char *name :
       {"llama-gqa", "llama-gqa/model-f16.gguf", "qwen2", "qwen2/model-f16.gguf", "llama-tied-odd",
        "llama3-rope", "llama-linear-rope", "mistral-window", "aquila2", "fox1"}) {
    std::string text = importText(openModel(goldenPath(name)));
    llvm::outs() << name << "\n" << text << "\n";
  }
}
