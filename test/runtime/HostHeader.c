/* moire.h as a C host sees it: alone, and beside Abi.h. */
#include "runtime/moire.h"

#include "runtime/Abi.h"

int32_t hostVersionSeenFromC(void) {
  moire_state_options options = {.slots = 1};
  moire_batch batch = {.token_count = options.slots};
  return batch.token_count == 1 ? moire_host_version() : -1;
}
