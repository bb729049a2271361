// A state of the fake program over a file of its own, for tests of the host interface.

#ifndef MOIRE_TEST_RUNTIME_HOSTFIXTURE_H
#define MOIRE_TEST_RUNTIME_HOSTFIXTURE_H

#include "runtime/moire.h"
#include "test/runtime/SectionedFile.h"

#include <gtest/gtest.h>

#include <numeric>

namespace moire {

inline std::vector<int32_t> range(int32_t first, int32_t count) {
  std::vector<int32_t> numbers(count);
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

// The whole row of logits that the fake program computes after `sequence`.
inline std::vector<float> expectedLogits(const std::vector<int32_t> &sequence) {
  std::vector<float> logits(FAKE_VOCAB);
  int32_t digest = 0;
  for (int32_t token : sequence)
    digest = fake_digest(digest, token);
  logits[FAKE_DIGEST_COLUMN] = -static_cast<float>(digest);
  logits[(sequence.back() + 1) % FAKE_VOCAB] = 1;
  return logits;
}

class HostTest : public ::testing::Test {
protected:
  HostTest() {
    SectionedFile file;
    file.add("weights", fakeWeights());
    file.seal();
    writeBytes(folder / "program", file.bytes());
    path = folder / "program";
  }
  ~HostTest() override {
    moire_state_destroy(state);
    moire_close(model);
  }

  void open() {
    ASSERT_EQ(moire_open(MOIRE_HOST_VERSION, &moire_this_program, path.c_str(), &model, message,
                         sizeof message),
              MOIRE_OK)
        << message;
  }
  void create(const moire_state_options &options) {
    if (!model)
      open();
    ASSERT_EQ(moire_state_create(model, &options, &state, message, sizeof message), MOIRE_OK)
        << message;
  }
  moire_status feed(int32_t slot, const std::vector<int32_t> &tokens, int64_t chunk = 0) {
    logits.assign(FAKE_VOCAB, 7);
    return moire_feed(state, slot, tokens.data(), static_cast<int64_t>(tokens.size()), chunk,
                      logits.data());
  }
  std::string error() const { return moire_state_error(state); }

  TemporaryFolder folder;
  std::string path;
  char message[512] = "";
  moire_model *model = nullptr;
  moire_state *state = nullptr;
  std::vector<float> logits;
};

} // namespace moire

#endif
