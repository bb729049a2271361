/* Generated code that calls what it must not: the linker has to name both functions. */
#include "runtime/Abi.h"

float expf(float);
void *malloc(unsigned long);

static void step(const moire_step *step, int64_t thread, int64_t team) {
  float *copy = malloc(4);
  *copy = expf(step->logits[thread]);
  step->logits[thread] = *copy;
}

const moire_program program __asm__("moire_program") = {.step_one = step};
