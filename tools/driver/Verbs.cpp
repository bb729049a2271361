#include "tools/driver/Verbs.h"
#include "tools/driver/Arguments.h"

namespace moire::driver {

static const Verb verbs[] = {
    {"compile", runCompile}, {"run", runRun},   {"bench", runBench}, {"inspect", runInspect},
    {"explain", runExplain}, {"diff", runDiff}, {"cache", runCache},
};

const Verb *findVerb(llvm::StringRef name) {
  for (const Verb &verb : verbs)
    if (verb.name == name)
      return &verb;
  return nullptr;
}

std::string unknownVerb(llvm::StringRef name) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const Verb &verb : verbs)
    names.push_back(verb.name);
  return "there is no '" + name.str() + "'" + nearestHint(name, names) +
         "; moire --help lists what there is";
}

std::string helpText() {
  return R"(Example: moire run SmolLM2-135M-Instruct.Q4_1.gguf -p "Give three primary colors."

Moire compiles language models into programs: one executable a model, with the weights inside.

  moire compile MODEL -o PROGRAM   compiles a model
  moire run MODEL -p "TEXT"        compiles it if need be, and runs it
  moire bench MODEL | PROGRAM      tokens per second, as a table
  moire inspect FILE               says what a model or a compiled program is
  moire explain MODEL              how it will be computed, what that costs, and why
  moire diff A B -p "TEXT"         where two programs part, layer by layer
  moire cache list | clean         the programs that `run` and `bench` keep

MODEL is a GGUF file or a Hugging Face folder (config.json and safetensors).
`moire VERB --help` lists the options of a verb; `moire --version` says what this is.

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 wrong input, 4 not supported, 5 out of memory or
disk, 70 an error in Moire itself.
)";
}

} // namespace moire::driver
