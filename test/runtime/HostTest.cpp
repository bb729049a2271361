// The host interface over the fake program: what generated code sees, and what hosts get back.

#include "test/runtime/HostFixture.h"

extern "C" int32_t hostVersionSeenFromC(void);

namespace moire {
namespace {

TEST_F(HostTest, VersionsAgree) {
  EXPECT_EQ(moire_host_version(), MOIRE_HOST_VERSION);
  EXPECT_EQ(hostVersionSeenFromC(), MOIRE_HOST_VERSION);
}

TEST_F(HostTest, OpenChecksItsArguments) {
  EXPECT_EQ(moire_open(MOIRE_HOST_VERSION, &moire_this_program, path.c_str(), nullptr, message,
                       sizeof message),
            MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_open(MOIRE_HOST_VERSION, nullptr, path.c_str(), &model, message, sizeof message),
            MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_open(MOIRE_HOST_VERSION + 1, &moire_this_program, path.c_str(), &model, message,
                       sizeof message),
            MOIRE_ERROR_UNSUPPORTED);
  EXPECT_NE(std::string(message).find("version"), std::string::npos);
  EXPECT_EQ(moire_open(MOIRE_HOST_VERSION, &moire_this_program, "/nonexistent", &model, nullptr, 0),
            MOIRE_ERROR_FILE);
  EXPECT_FALSE(model);
  moire_close(nullptr);
}

TEST_F(HostTest, MessagesAreCutToTheBuffer) {
  char small[8];
  memset(small, 'x', sizeof small);
  EXPECT_EQ(moire_open(MOIRE_HOST_VERSION, &moire_this_program, "/nonexistent", &model, small, 6),
            MOIRE_ERROR_FILE);
  EXPECT_STREQ(small, "/none");
  EXPECT_EQ(small[6], 'x');
}

TEST_F(HostTest, Info) {
  open();
  moire_info info;
  ASSERT_EQ(moire_get_info(model, &info), MOIRE_OK);
  EXPECT_EQ(info.vocab, FAKE_VOCAB);
  EXPECT_EQ(info.context, FAKE_CONTEXT);
  EXPECT_EQ(info.kv_bytes_per_token, FAKE_PAGE_BYTES / FAKE_PAGE_POSITIONS);
  EXPECT_EQ(moire_get_info(model, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_get_info(nullptr, &info), MOIRE_ERROR_ARGUMENT);
}

TEST_F(HostTest, SectionsAreListedAndVerified) {
  open();
  moire_section_info section;
  ASSERT_EQ(moire_get_section(model, 0, &section), MOIRE_OK);
  EXPECT_STREQ(section.name, "weights");
  EXPECT_EQ(section.bytes, uint64_t(FAKE_WEIGHT_BYTES));
  EXPECT_EQ(moire_get_section(model, 1, &section), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_get_section(model, -1, &section), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_verify_section(model, 0), MOIRE_OK);
  EXPECT_EQ(moire_verify_section(model, 1), MOIRE_ERROR_ARGUMENT);
}

TEST_F(HostTest, DamagedSectionIsFound) {
  std::string bytes = readBytes(path);
  bytes[40] ^= 1;
  writeBytes(path, bytes);
  open();
  EXPECT_EQ(moire_verify_section(model, 0), MOIRE_ERROR_FILE);
}

TEST_F(HostTest, DefaultsAreFilledIn) {
  create({});
  moire_state_options options;
  ASSERT_EQ(moire_state_get_options(state, &options), MOIRE_OK);
  EXPECT_EQ(options.slots, 1);
  EXPECT_GE(options.threads, 1);
  EXPECT_EQ(options.context, FAKE_CONTEXT);
  EXPECT_EQ(options.max_tokens, FAKE_CONTEXT);
  EXPECT_EQ(options.kv_pages, FAKE_CONTEXT / FAKE_PAGE_POSITIONS);
  EXPECT_EQ(error(), "");
}

TEST_F(HostTest, CreateRefusesImpossibleOptions) {
  open();
  auto refuse = [&](moire_state_options options, const char *why) {
    EXPECT_EQ(moire_state_create(model, &options, &state, message, sizeof message),
              MOIRE_ERROR_ARGUMENT);
    EXPECT_NE(std::string(message).find(why), std::string::npos) << message;
    EXPECT_FALSE(state);
  };
  refuse({.slots = -1}, "slots is -1");
  refuse({.slots = 1 << 20}, "slots");
  refuse({.threads = 1025}, "threads");
  refuse({.context = FAKE_CONTEXT + 1}, "context");
  refuse({.max_tokens = FAKE_CONTEXT + 1}, "max_tokens");
  refuse({.kv_pages = FAKE_CONTEXT}, "kv_pages");
  EXPECT_EQ(moire_state_create(nullptr, nullptr, &state, nullptr, 0), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_state_create(model, nullptr, nullptr, nullptr, 0), MOIRE_ERROR_ARGUMENT);
}

TEST_F(HostTest, StateOutlivesTheModelsHandle) {
  create({.threads = 2});
  moire_close(model);
  model = nullptr;
  ASSERT_EQ(feed(0, range(1, 9)), MOIRE_OK);
  EXPECT_EQ(logits, expectedLogits(range(1, 9)));
}

TEST_F(HostTest, AnyChunkAndTeamGivesTheSameLogits) {
  const std::vector<int32_t> prompt = range(3, 37);
  open();
  for (int32_t threads : {1, 2, 3, 5})
    for (int64_t chunk : {0, 1, 4, 7, 36, 37, 1000}) {
      create({.threads = threads});
      ASSERT_EQ(feed(0, prompt, chunk), MOIRE_OK) << error();
      EXPECT_EQ(logits, expectedLogits(prompt)) << threads << " threads, pieces of " << chunk;
      EXPECT_EQ(moire_slot_length(state, 0), 37);
      moire_state_destroy(state);
      state = nullptr;
    }
}

TEST_F(HostTest, StepIsBoundedByMaxTokens) {
  create({.threads = 1, .max_tokens = 5});
  ASSERT_EQ(feed(0, range(0, 23), 9), MOIRE_OK) << "feed cuts";
  EXPECT_EQ(logits, expectedLogits(range(0, 23)));
  const std::vector<int32_t> tokens = range(0, 6);
  moire_batch batch = {};
  batch.tokens = tokens.data();
  batch.token_count = 6;
  EXPECT_EQ(moire_step_run(state, &batch), MOIRE_ERROR_ARGUMENT);
  EXPECT_NE(error().find("1 .. 5"), std::string::npos) << error();
}

TEST_F(HostTest, SeveralSequencesInOneStepWithChosenRows) {
  create({.slots = 3, .threads = 2});
  ASSERT_EQ(feed(2, {50, 51}), MOIRE_OK);
  // Slots interleaved; slot 2 goes on where it stood.
  const std::vector<int32_t> tokens = {10, 52, 20, 11, 21, 53}, slots = {0, 2, 1, 0, 1, 2},
                             positions = {0, 2, 0, 1, 1, 3}, rows = {5, 0, 3};
  // From an aligned buffer and from one that is not: the results are the same.
  for (int64_t shift : {0, 1}) {
    std::vector<float> memory(3 * FAKE_VOCAB + 32);
    float *aligned =
        memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64) % 64 / sizeof(float);
    float *out = aligned + shift;
    moire_batch batch = {};
    batch.tokens = tokens.data();
    batch.slots = slots.data();
    batch.positions = positions.data();
    batch.token_count = 6;
    batch.rows = rows.data();
    batch.row_count = 3;
    batch.logits = out;
    ASSERT_EQ(moire_step_run(state, &batch), MOIRE_OK) << error();
    auto row = [&](int64_t i) {
      return std::vector<float>(out + i * FAKE_VOCAB, out + (i + 1) * FAKE_VOCAB);
    };
    EXPECT_EQ(row(0), expectedLogits({50, 51, 52, 53}));
    EXPECT_EQ(row(1), expectedLogits({10}));
    EXPECT_EQ(row(2), expectedLogits({10, 11}));
    moire_slot_reset(state, 0);
    moire_slot_reset(state, 1);
    moire_slot_truncate(state, 2, 2);
  }
}

TEST_F(HostTest, HiddenStates) {
  create({.threads = 2});
  const std::vector<int32_t> tokens = {5, 9};
  std::vector<float> taps((FAKE_LAYERS + 1) * 2 * FAKE_HIDDEN + 1);
  moire_batch batch = {};
  batch.tokens = tokens.data();
  batch.token_count = 2;
  batch.taps = taps.data() + 1; // not aligned
  ASSERT_EQ(moire_step_run(state, &batch), MOIRE_OK) << error();
  for (int64_t layer = 0; layer <= FAKE_LAYERS; ++layer)
    for (int64_t t = 0; t < 2; ++t)
      for (int64_t i = 0; i < FAKE_HIDDEN; ++i)
        EXPECT_EQ(batch.taps[(layer * 2 + t) * FAKE_HIDDEN + i], fake_hidden(tokens[t], layer, i));
}

TEST_F(HostTest, ChoiceOfExperts) {
  create({.threads = 2});
  moire_info info;
  ASSERT_EQ(moire_get_info(model, &info), MOIRE_OK);
  ASSERT_EQ(info.route_width, FAKE_ROUTE_WIDTH);
  const std::vector<int32_t> tokens = {5, 9};
  const size_t count = size_t{FAKE_LAYERS} * 2 * FAKE_ROUTE_WIDTH;
  std::vector<int32_t> ids(count + 1);
  std::vector<float> weights(count + 1);
  for (bool wantWeights : {false, true}) {
    moire_batch batch = {};
    batch.tokens = tokens.data();
    batch.token_count = 2;
    batch.route_ids = ids.data() + 1; // not aligned
    batch.route_weights = wantWeights ? weights.data() + 1 : nullptr;
    ASSERT_EQ(moire_step_run(state, &batch), MOIRE_OK) << error();
  }
  for (int64_t t = 0; t < 2; ++t)
    for (int64_t i = 0; i < FAKE_ROUTE_WIDTH; ++i) {
      const int64_t place = 1 + (2 + t) * FAKE_ROUTE_WIDTH + i; // of layer 1
      EXPECT_EQ(ids[place], fake_expert(tokens[t], i));
      EXPECT_EQ(weights[place], fake_expert_weight(tokens[t], i));
    }
}

TEST_F(HostTest, ObservedSteps) {
  static moire_program profiled = moire_this_program; // outlives the fixture's state
  profiled.stamps = FAKE_STAMPS_OF_A_STEP;
  ASSERT_EQ(
      moire_open(MOIRE_HOST_VERSION, &profiled, path.c_str(), &model, message, sizeof message),
      MOIRE_OK)
      << message;
  moire_info info;
  ASSERT_EQ(moire_get_info(model, &info), MOIRE_OK);
  EXPECT_EQ(info.profiled, 1);
  create({.slots = 2, .threads = 2});
  // What an observer saw, checked while it may look at it.
  struct Seen {
    std::vector<int64_t> tokens, rows;
    std::vector<int32_t> positions;
  } seen;
  auto observe = [](void *context, const moire_observation *step) {
    auto *seen = static_cast<Seen *>(context);
    seen->tokens.push_back(step->token_count);
    seen->rows.push_back(step->row_count);
    seen->positions.assign(step->positions, step->positions + step->token_count);
    EXPECT_EQ(step->threads, 2);
    ASSERT_EQ(step->stamp_count, FAKE_STAMPS_OF_A_STEP);
    for (int64_t thread = 0; thread < step->threads; ++thread) {
      uint64_t before = step->begin;
      for (int32_t i = 0; i < FAKE_STAMPS_OF_A_STEP; ++i) {
        const moire_stamp &stamp = step->stamps[thread][i];
        EXPECT_EQ(stamp.region, i);
        EXPECT_EQ(stamp.experts, step->token_count);
        EXPECT_GE(stamp.cycles, before);
        before = stamp.cycles;
      }
      EXPECT_GE(step->end, before);
    }
  };
  ASSERT_EQ(moire_state_observe(state, observe, &seen), MOIRE_OK);
  ASSERT_EQ(feed(0, {1, 2, 3}), MOIRE_OK);
  ASSERT_EQ(feed(0, {4}), MOIRE_OK);
  EXPECT_EQ(seen.tokens, (std::vector<int64_t>{3, 1}));
  EXPECT_EQ(seen.rows, (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(seen.positions, std::vector<int32_t>{3});
  ASSERT_EQ(moire_state_observe(state, nullptr, nullptr), MOIRE_OK);
  ASSERT_EQ(feed(0, {5}), MOIRE_OK);
  EXPECT_EQ(seen.tokens.size(), 2u);
  EXPECT_EQ(moire_state_observe(nullptr, observe, &seen), MOIRE_ERROR_ARGUMENT);
}

TEST_F(HostTest, OnlyProfiledProgramsAreObserved) {
  create({.threads = 1});
  auto observe = [](void *, const moire_observation *) {};
  EXPECT_EQ(moire_state_observe(state, observe, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_NE(error().find("compiled without --profile"), std::string::npos) << error();
}

// Every wrong batch is refused and leaves the slots alone.
class WrongBatch : public HostTest {
protected:
  void SetUp() override {
    create({.slots = 2, .threads = 1, .max_tokens = 8});
    ASSERT_EQ(feed(0, range(1, 6)), MOIRE_OK);
    batch.tokens = tokens.data();
    batch.slots = slots.data();
    batch.positions = positions.data();
    batch.token_count = 3;
    batch.rows = rows.data();
    batch.row_count = 2;
    out.resize(3 * FAKE_VOCAB);
    batch.logits = out.data();
  }
  void expectRefusal(moire_status status, const char *why) {
    EXPECT_EQ(moire_step_run(state, &batch), status);
    EXPECT_NE(error().find(why), std::string::npos) << error();
    EXPECT_EQ(moire_slot_length(state, 0), 6);
    EXPECT_EQ(moire_slot_length(state, 1), 0);
    ASSERT_EQ(feed(0, {9}), MOIRE_OK);
    EXPECT_EQ(logits, expectedLogits({1, 2, 3, 4, 5, 6, 9}));
  }

  std::vector<int32_t> tokens = {7, 8, 9}, slots = {0, 1, 0}, positions = {6, 0, 7}, rows = {0, 2};
  std::vector<float> out;
  moire_batch batch = {};
};

TEST_F(WrongBatch, RightOneRuns) { ASSERT_EQ(moire_step_run(state, &batch), MOIRE_OK) << error(); }
TEST_F(WrongBatch, NoTokens) {
  batch.token_count = 0;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "a step of 0 tokens");
}
TEST_F(WrongBatch, NullTokens) {
  batch.tokens = nullptr;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "tokens is NULL");
}
TEST_F(WrongBatch, TokenOutsideOfTheVocabulary) {
  tokens[1] = FAKE_VOCAB;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "tokens[1] is 261");
}
TEST_F(WrongBatch, NegativeToken) {
  tokens[2] = -1;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "tokens[2] is -1");
}
TEST_F(WrongBatch, SlotThatDoesNotExist) {
  slots[1] = 2;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "slot 2 does not exist");
}
TEST_F(WrongBatch, PositionWithAGap) {
  positions[2] = 8;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "positions[2] is 8, but slot 0 continues at 7");
}
TEST_F(WrongBatch, RepeatedPosition) {
  positions[2] = 6;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "positions[2]");
}
TEST_F(WrongBatch, RowOutsideOfTheStep) {
  rows[1] = 3;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "rows[1] is 3");
}
TEST_F(WrongBatch, MoreRowsThanTokens) {
  batch.row_count = 4;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "4 rows");
}
TEST_F(WrongBatch, RowsWithoutAPlaceForLogits) {
  batch.logits = nullptr;
  expectRefusal(MOIRE_ERROR_ARGUMENT, "NULL");
}

TEST_F(HostTest, NullHandlesAreErrors) {
  moire_batch batch = {};
  EXPECT_EQ(moire_step_run(nullptr, &batch), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_feed(nullptr, 0, nullptr, 0, 0, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_length(nullptr, 0), -1);
  EXPECT_EQ(moire_slot_fork(nullptr, 0, 1), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_slot_reset(nullptr, 0), MOIRE_ERROR_ARGUMENT);
  moire_state_destroy(nullptr);
  create({});
  EXPECT_EQ(moire_step_run(state, nullptr), MOIRE_ERROR_ARGUMENT);
}

TEST_F(HostTest, ContextIsALimit) {
  create({.threads = 1, .context = 10});
  ASSERT_EQ(feed(0, range(0, 9)), MOIRE_OK);
  EXPECT_EQ(feed(0, {1, 2}), MOIRE_ERROR_CAPACITY);
  EXPECT_EQ(moire_slot_length(state, 0), 9) << "feed checks the room first";
  ASSERT_EQ(feed(0, {9}), MOIRE_OK);
  EXPECT_EQ(feed(0, {10}), MOIRE_ERROR_CAPACITY);
  EXPECT_NE(error().find("10"), std::string::npos) << error();
}

TEST_F(HostTest, FeedChecksItsArguments) {
  create({.threads = 1});
  const int32_t token = 1;
  EXPECT_EQ(moire_feed(state, 1, &token, 1, 0, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_feed(state, 0, nullptr, 1, 0, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_feed(state, 0, &token, 0, 0, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_feed(state, 0, &token, 1, -1, nullptr), MOIRE_ERROR_ARGUMENT);
  EXPECT_EQ(moire_feed(state, 0, &token, 1, 0, nullptr), MOIRE_OK);
}

} // namespace
} // namespace moire
