// SmolLM2-135M-Instruct reads a text: perplexity with float32 and with 8-bit activations, how far
// the two distributions are from each other, and the text beside others. Skipped where the model
// has not been fetched.

#include "runtime/Json.h"
#include "test/e2e/CompiledModel.h"
#include "test/runtime/SectionedFile.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>

#include <unistd.h>

namespace moire {
using test::CompiledModel;
using test::outputOf;

namespace {

constexpr int64_t kPiece = 128; // positions whose logits are held at a time

std::string cachedModel() {
  const char *cache = getenv("MOIRE_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
             *home = getenv("HOME");
  std::string folder = cache         ? cache
                       : xdg && *xdg ? std::string(xdg) + "/moire"
                                     : std::string(home ? home : "") + "/.cache/moire";
  return folder + "/models/SmolLM2-135M-Instruct.Q4_1.gguf";
}

/// The ids that the program's own tokenizer makes of a text.
std::vector<int32_t> idsOf(const std::string &text, const CompiledModel &compiled,
                           const TemporaryFolder &folder) {
  writeBytes(folder / "text.json", JsonWriter().string(text).text + "\n");
  std::string error;
  const std::string line =
      outputOf(compiled.program() + " --tokenize < " + (folder / "text.json"), error);
  JsonValue list;
  std::vector<int32_t> ids;
  if (parseJson(line, list, error))
    for (const JsonValue &item : list.items)
      ids.push_back(static_cast<int32_t>(item.integer));
  return ids;
}

/// log(sum(exp(row))).
double logSumExp(const float *row, int64_t count) {
  float largest = row[0];
  for (int64_t i = 1; i < count; ++i)
    largest = std::max(largest, row[i]);
  double sum = 0;
  for (int64_t i = 0; i < count; ++i)
    sum += exp(static_cast<double>(row[i]) - largest);
  return largest + log(sum);
}

/// A compiled program, its state and the logits of its last step.
class Reader {
public:
  Reader(const std::string &options, int32_t slots, int32_t threads, const TemporaryFolder &folder,
         const std::string &name)
      : compiled(cachedModel(), options, folder / ".", name) {
    if (compiled.error().empty())
      state = compiled.createState(slots, threads, 0, kPiece);
  }
  ~Reader() { moire_state_destroy(state); }

  /// Reads `count` tokens; `slots` may be null. Computes the logits of all of them.
  bool read(const int32_t *tokens, const int32_t *slots, int64_t count) {
    logits.resize(count * compiled.info().vocab);
    std::vector<int32_t> rows(count);
    for (int64_t i = 0; i < count; ++i)
      rows[i] = static_cast<int32_t>(i);
    moire_batch batch = {};
    batch.tokens = tokens;
    batch.slots = slots;
    batch.token_count = batch.row_count = count;
    batch.rows = rows.data();
    batch.logits = logits.data();
    return moire_step_run(state, &batch) == MOIRE_OK;
  }

  const float *row(int64_t i) const { return &logits[i * compiled.info().vocab]; }

  CompiledModel compiled;
  moire_state *state = nullptr;
  std::vector<float> logits; // [count, vocab]
};

class SmolLM2Test : public ::testing::Test {
protected:
  void SetUp() override {
    text = readBytes(GOLDEN_REAL "/text.txt");
    ASSERT_FALSE(text.empty());
    if (access(cachedModel().c_str(), R_OK) != 0)
      GTEST_SKIP() << cachedModel() << " is not there; scripts/fetch-model smollm2 fetches it";
  }

  TemporaryFolder folder;
  std::string text;
};

TEST_F(SmolLM2Test, PerplexityAndDivergence) {
  Reader exact("--activations=f32", 1, 2, folder, "f32"), rounded("", 1, 2, folder, "int8");
  ASSERT_TRUE(exact.state) << exact.compiled.error();
  ASSERT_TRUE(rounded.state) << rounded.compiled.error();
  const std::vector<int32_t> ids = idsOf(text, exact.compiled, folder);
  ASSERT_EQ(ids.size(), 1566u);

  const int64_t vocab = exact.compiled.info().vocab;
  double exactLoss = 0, roundedLoss = 0, divergence = 0;
  const auto count = static_cast<int64_t>(ids.size());
  for (int64_t done = 0; done < count; done += kPiece) {
    const int64_t piece = std::min(kPiece, count - done);
    ASSERT_TRUE(exact.read(&ids[done], nullptr, piece)) << moire_state_error(exact.state);
    ASSERT_TRUE(rounded.read(&ids[done], nullptr, piece)) << moire_state_error(rounded.state);
    for (int64_t i = 0; i < piece; ++i) {
      const float *p = exact.row(i), *q = rounded.row(i);
      const double pSum = logSumExp(p, vocab), qSum = logSumExp(q, vocab);
      for (int64_t v = 0; v < vocab; ++v) {
        const double logP = p[v] - pSum;
        divergence += exp(logP) * (logP - (q[v] - qSum));
      }
      if (done + i + 1 < count) {
        exactLoss += pSum - p[ids[done + i + 1]];
        roundedLoss += qSum - q[ids[done + i + 1]];
      }
    }
  }
  const double predicted = static_cast<double>(count - 1);
  const double exactPerplexity = exp(exactLoss / predicted);
  const double roundedPerplexity = exp(roundedLoss / predicted);
  divergence /= static_cast<double>(count);
  printf("perplexity %.4f with float32, %.4f with 8-bit activations; divergence %.6f\n",
         exactPerplexity, roundedPerplexity, divergence);
  EXPECT_NEAR(exactPerplexity, 15.475, 0.01);
  EXPECT_LE(roundedPerplexity, 15.52);
  EXPECT_LE(divergence, 0.0026);
  EXPECT_GT(divergence, 1e-5) << "are activations rounded at all?";
}

TEST_F(SmolLM2Test, AloneOrBesideOthers) {
  // Three sequences, each with its own start in the text and its own pace.
  constexpr int32_t kSlots = 3;
  constexpr int64_t kLength = 100, kStarts[kSlots] = {0, 300, 700}, kPaces[kSlots] = {1, 5, 17};
  Reader reader("", kSlots, 3, folder, "int8");
  ASSERT_TRUE(reader.state) << reader.compiled.error();
  const std::vector<int32_t> ids = idsOf(text, reader.compiled, folder);
  ASSERT_EQ(ids.size(), 1566u);
  const size_t rowBytes = reader.compiled.info().vocab * sizeof(float);

  ASSERT_TRUE(reader.read(&ids[kStarts[0]], nullptr, kLength)) << moire_state_error(reader.state);
  const std::vector<float> alone = reader.logits; // of slot 0
  ASSERT_EQ(moire_slot_reset(reader.state, 0), MOIRE_OK);
  int64_t done[kSlots] = {};
  std::vector<int32_t> tokens, slots;
  while (done[0] < kLength) {
    tokens.clear();
    slots.clear();
    int64_t place = 0; // of slot 0, somewhere among the others
    for (int32_t slot : {1, 0, 2}) {
      if (slot == 0)
        place = static_cast<int64_t>(tokens.size());
      for (int64_t i = 0; i < kPaces[slot] && done[slot] < 4 * kLength; ++i, ++done[slot]) {
        tokens.push_back(ids[kStarts[slot] + done[slot]]);
        slots.push_back(slot);
      }
    }
    ASSERT_TRUE(reader.read(tokens.data(), slots.data(), static_cast<int64_t>(tokens.size())))
        << moire_state_error(reader.state);
    const float *expected = &alone[(done[0] - 1) * reader.compiled.info().vocab];
    ASSERT_EQ(memcmp(reader.row(place), expected, rowBytes), 0) << "position " << done[0] - 1;
  }
}

} // namespace
} // namespace moire
