// What a compiled program can be asked to do: one function a mode. Each returns the exit code,
// after a complaint on standard error if that is not kDone.

#ifndef MOIRE_RUNTIME_MAIN_MODES_H
#define MOIRE_RUNTIME_MAIN_MODES_H

#include "runtime/main/Program.h"

namespace moire {

/// Continues the prompt, and writes --logits.
int runGenerate(Program &program);

/// --perplexity: exp of the mean of -log p over every token but the first. A text that is longer
/// than the context is cut into windows of the context's length, each scored by itself.
int runPerplexity(Program &program);

/// --tokenize, --detokenize: standard input to standard output, line by line.
int runTokenize(Program &program);
int runDetokenize(Program &program);

/// --bench: tokens per second of prompts and of generation, on made-up tokens.
int runBench(Program &program);

int runInfo(Program &program);
int runVerify(Program &program);
int runLicenses(Program &program);
int runVersion(Program &program);

} // namespace moire

#endif
