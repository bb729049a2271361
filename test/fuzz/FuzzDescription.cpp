// fuzz_description -max_total_time=60 corpus/description frontends/models

#include "frontends/native/Model.h"
#include "frontends/native/Parser.h"
#include "test/frontends/native/Samples.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const moire::Container containers[] = {moire::sampleLlama(), moire::sampleGguf(),
                                                moire::sampleMixtral(), moire::sampleMixtralGguf()};
  moire::ReadError error;
  auto description = moire::parseDescription(
      "fuzz.moire", std::string(reinterpret_cast<const char *>(data), size), error);
  if (!description)
    return 0;
  for (const moire::Container &container : containers) {
    moire::Model model;
    if (description->findWeights(container.kind))
      moire::applyDescription(*description, container, moire::Weights::Needed, model, error);
  }
  return 0;
}
