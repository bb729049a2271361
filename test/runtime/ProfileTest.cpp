#include "runtime/Profile.h"

#include "runtime/Json.h"

#include <gtest/gtest.h>

namespace moire {
namespace {

constexpr double kGigahertz = 1e9; // so that a cycle is a nanosecond

// A step of two layers: start; in each layer a barrier, a product, and an attention; then the head.
enum Number : int32_t { Start, Barrier, Product, Attention, Experts, LastBarrier, Head };

std::vector<ProfiledRegion> regions() {
  std::vector<ProfiledRegion> list(7);
  list[Start] = {.name = "start", .function = "forward", .wait = true};
  list[Barrier] = {.name = "barrier", .function = "layer", .wait = true};
  list[Product] = {.name = "product",
                   .function = "layer",
                   .arithmetic = "int8",
                   .bytes = 1000,
                   .rowProducts = 50};
  list[Attention] = {.name = "attention",
                     .function = "layer",
                     .arithmetic = "f32",
                     .positionBytes = 100,
                     .positionProducts = 7};
  list[Experts] = {.name = "experts", .function = "layer", .arithmetic = "int8", .expertBytes = 10};
  list[LastBarrier] = {.name = "barrier", .function = "forward", .wait = true};
  list[Head] = {.name = "head",
                .function = "forward",
                .arithmetic = "int8",
                .rowBytes = 3,
                .rowProducts = 11,
                .ofLogits = 1};
  return list;
}

// What two threads note during a step, in the order of their regions.
struct Step {
  std::vector<moire_stamp> threads[2];
  std::vector<int32_t> slots = {0}, positions = {0};
  uint64_t begin = 1000, end = 0;
  int64_t rows = 1;

  void stamp(int32_t region, uint64_t first, uint64_t second, int32_t experts = 0) {
    threads[0].push_back({begin + first, region, experts});
    threads[1].push_back({begin + second, region, experts});
  }

  void addTo(Profile &profile) const {
    const moire_stamp *stamps[] = {threads[0].data(), threads[1].data()};
    moire_observation observation = {};
    observation.threads = 2;
    observation.stamps = stamps;
    observation.stamp_count = static_cast<int64_t>(threads[0].size());
    observation.begin = begin;
    observation.end = end;
    observation.token_count = static_cast<int64_t>(slots.size());
    observation.row_count = rows;
    observation.slots = slots.data();
    observation.positions = positions.data();
    profile.add(observation);
  }
};

Step twoLayers() {
  Step step;
  step.stamp(Start, 5, 30);
  step.stamp(Barrier, 35, 36);
  step.stamp(Product, 100, 136); // the second thread takes 100, and is the last
  step.stamp(Attention, 110, 140);
  step.stamp(Barrier, 150, 151);
  step.stamp(Product, 190, 171); // the first one: 40
  step.stamp(Attention, 200, 180);
  step.stamp(LastBarrier, 205, 206);
  step.stamp(Head, 216, 226);
  step.end = step.begin + 230;
  return step;
}

const RegionCost &find(const StepCost &step, std::string_view name) {
  for (const RegionCost &region : step.regions)
    if (region.name == name)
      return region;
  static const RegionCost none;
  ADD_FAILURE() << "no region " << name;
  return none;
}

double nanoseconds(double seconds) { return seconds * 1e9; }

TEST(Profile, CriticalPathIsThatOfTheLastThread) {
  Profile profile(regions());
  twoLayers().addTo(profile);
  std::vector<StepCost> costs = profile.costs(kGigahertz);
  ASSERT_EQ(costs.size(), 1u);
  const StepCost &step = costs[0];
  EXPECT_EQ(step.name, "1 token");
  EXPECT_EQ(step.steps, 1);
  EXPECT_EQ(step.threads, 2);
  EXPECT_NEAR(nanoseconds(step.time), 230, 1e-6);
  // The second thread is the last one in the first layer and behind it, the first in the second.
  EXPECT_NEAR(nanoseconds(find(step, "product").time), 100 + 40, 1e-6);
  EXPECT_NEAR(nanoseconds(find(step, "attention").time), 4 + 10, 1e-6);
  EXPECT_NEAR(nanoseconds(find(step, "head").time), 20, 1e-6);
  EXPECT_NEAR(nanoseconds(find(step, "start").time), 30, 1e-6);
  EXPECT_NEAR(nanoseconds(find(step, "barrier").time), 6 + 10 + 6, 1e-6);
  EXPECT_NEAR(nanoseconds(find(step, "end").time), 4, 1e-6);
  // Each thread's own time: waiting is a part of the barrier.
  EXPECT_NEAR(nanoseconds(find(step, "product").threadTime), (65 + 100 + 40 + 20) / 2.0, 1e-6);
  EXPECT_NEAR(nanoseconds(find(step, "barrier").threadTime), (30 + 6 + 40 + 11 + 5 + 26) / 2.0,
              1e-6);
  EXPECT_EQ(find(step, "product").calls, 2);
  EXPECT_EQ(find(step, "barrier").calls, 3); // in two functions
  EXPECT_EQ(step.regions.front().name, "product");
}

TEST(Profile, AllTimeBelongsToARegion) {
  Profile profile(regions());
  twoLayers().addTo(profile);
  Step second = twoLayers();
  second.begin += 5000; // of the counter: where a step begins does not matter
  second.end += 5040;
  second.addTo(profile);
  for (const StepCost &step : profile.costs(2.5e9)) {
    EXPECT_EQ(step.steps, 2);
    double critical = 0, ofThreads = 0;
    for (const RegionCost &region : step.regions) {
      critical += region.time;
      ofThreads += region.threadTime;
    }
    EXPECT_NEAR(critical, step.time, 1e-15);
    EXPECT_NEAR(ofThreads, step.time, 1e-15);
  }
}

TEST(Profile, StepsAreCountedByName) {
  Profile profile(regions());
  twoLayers().addTo(profile);
  profile.begin("");
  twoLayers().addTo(profile);
  profile.begin("tg2");
  twoLayers().addTo(profile);
  twoLayers().addTo(profile);
  std::vector<StepCost> costs = profile.costs(kGigahertz);
  ASSERT_EQ(costs.size(), 2u);
  EXPECT_EQ(costs[0].name, "1 token");
  EXPECT_EQ(costs[0].steps, 1);
  EXPECT_EQ(costs[1].name, "tg2");
  EXPECT_EQ(costs[1].steps, 2);
  EXPECT_EQ(costs[1].tokens, 2);
}

TEST(Profile, WorkFollowsRowsPositionsAndExperts) {
  std::vector<ProfiledRegion> windowed = regions();
  windowed.push_back(windowed[Attention]);
  windowed.back().name = "windowed";
  windowed.back().window = 3;
  windowed.push_back(windowed[Attention]);
  windowed.back().name = "segments";
  windowed.back().segment = 4;
  windowed.push_back(windowed.back());
  windowed.back().name = "windowed segments";
  windowed.back().window = 3;
  Profile profile(windowed);
  Step step;
  // Slot 4 continues at 10 with two tokens, slot 1 begins with one.
  step.slots = {4, 1, 4};
  step.positions = {10, 0, 11};
  step.rows = 2;
  step.stamp(Start, 0, 0);
  step.stamp(Product, 1, 1);
  step.stamp(Attention, 2, 2);
  step.stamp(7, 3, 3);
  step.stamp(8, 4, 4);
  step.stamp(9, 5, 5);
  step.stamp(Experts, 6, 6, 6);
  step.stamp(Head, 7, 7);
  step.end = step.begin + 8;
  step.addTo(profile);
  std::vector<StepCost> costs = profile.costs(kGigahertz);
  ASSERT_EQ(costs.size(), 1u);
  const StepCost &cost = costs[0];
  EXPECT_EQ(cost.name, "3 tokens");
  EXPECT_EQ(find(cost, "product").bytes, 1000);
  EXPECT_EQ(find(cost, "product").products, 3 * 50);
  EXPECT_EQ(find(cost, "attention").products, 7 * (11 + 1 + 12));
  EXPECT_EQ(find(cost, "attention").bytes, 100 * (12 + 1)); // once for a sequence
  EXPECT_EQ(find(cost, "windowed").products, 7 * (3 + 1 + 3));
  EXPECT_EQ(find(cost, "windowed").bytes, 100 * (4 + 1)); // 8 .. 11, and 0
  EXPECT_EQ(find(cost, "segments").products, 7 * (3 + 1 + 3));
  EXPECT_EQ(find(cost, "segments").bytes, 100 * (3 + 1));
  EXPECT_EQ(find(cost, "windowed segments").products,
            7 * (1 + 1 + 1)); // that of 8 .. 11, and 0 .. 3
  EXPECT_EQ(find(cost, "windowed segments").bytes, 100 * (1 + 1));
  EXPECT_EQ(find(cost, "experts").bytes, 6 * 10);
  EXPECT_EQ(find(cost, "head").bytes, 2 * 3);
  EXPECT_EQ(find(cost, "head").products, 2 * 11);
}

TEST(Profile, LeavesOutWhatDoesNotFit) {
  Profile profile(regions());
  Step unknown = twoLayers();
  unknown.threads[1][3].region = 7;
  unknown.addTo(profile);
  Step different = twoLayers();
  different.threads[1][3].region = Head;
  different.addTo(profile);
  Step empty;
  empty.addTo(profile);
  EXPECT_TRUE(profile.costs(kGigahertz).empty());
  EXPECT_EQ(profile.table(kGigahertz), "");
}

TEST(Profile, ShareOfTheLimitThatBindsMore) {
  RegionCost region;
  region.time = 2;
  region.bytes = 100;
  region.products = 1000;
  region.arithmetic = "int8";
  ProfileLimits limits;
  EXPECT_EQ(region.shareOfLimit(limits), 0);
  limits.bytes = 100;
  EXPECT_EQ(region.shareOfLimit(limits), 0.5);
  limits.int8 = 625;
  limits.f32 = 10;
  EXPECT_EQ(region.shareOfLimit(limits), 0.8);
}

TEST(Profile, TableHasALineARegion) {
  Profile profile(regions());
  profile.begin("tg1");
  twoLayers().addTo(profile);
  std::string table = profile.table(kGigahertz);
  EXPECT_NE(table.find("tg1: 1 step, 1 token, 2 threads\n"), table.npos);
  // 2 calls of 1,000 bytes and 50 multiply-adds in 140 ns of 230.
  EXPECT_NE(
      table.find("| product          |      2 |        0.1 |  60.9% |        0.1 |     0.002 |  "
                 "14.3 |      0.00 |    1.4 |\n"),
      table.npos)
      << table;
  EXPECT_EQ(table.find("of limit"), table.npos);
  ProfileLimits limits;
  limits.bytes = 20e9;
  table = profile.table(kGigahertz, [&](int64_t) { return limits; });
  EXPECT_NE(table.find(" |    1.4 |    71.4% |\n"), table.npos) << table;
}

TEST(Profile, TraceIsJsonOfNestedEvents) {
  Profile profile(regions());
  profile.begin("tg\"1");
  for (size_t i = 0; i < Profile::kTracedSteps + 2; ++i) {
    Step step = twoLayers();
    step.begin += 1000 * i;
    step.end += 1000 * i;
    for (std::vector<moire_stamp> &stamps : step.threads)
      for (moire_stamp &stamp : stamps)
        stamp.cycles += 1000 * i;
    step.addTo(profile);
  }
  JsonValue trace;
  std::string error;
  ASSERT_TRUE(parseJson(profile.trace(kGigahertz), trace, error)) << error;
  const JsonValue *events = trace.find("traceEvents");
  ASSERT_TRUE(events);
  // The process's name; for each thread of a kept step itself, its stamps, the end, two layers.
  ASSERT_EQ(events->items.size(), 1 + Profile::kTracedSteps * 2 * (1 + 9 + 1 + 2));
  EXPECT_EQ(events->items[0].find("args")->find("name")->string, "tg\"1");
  double first = 1e9;
  int64_t layers = 0;
  double begin = 0, end = 0; // of the layer
  for (size_t i = 1; i < events->items.size(); ++i) {
    const JsonValue &event = events->items[i];
    EXPECT_EQ(event.find("ph")->string, "X");
    double from = event.find("ts")->real, to = from + event.find("dur")->real;
    first = std::min(first, from);
    const JsonValue *layer = event.find("args")->find("layer");
    EXPECT_EQ(bool(layer), event.find("name")->string == "layer" ||
                               event.find("name")->string == "product" ||
                               event.find("name")->string == "attention" ||
                               (layer && event.find("name")->string == "barrier"));
    if (!layer)
      continue;
    if (event.find("name")->string == "layer") {
      EXPECT_EQ(layer->integer, layers++ % 2);
      begin = from;
      end = to;
    } else {
      EXPECT_EQ(layer->integer, (layers - 1) % 2);
      EXPECT_GE(from, begin - 1e-9);
      EXPECT_LE(to, end + 1e-9);
    }
  }
  EXPECT_EQ(layers, static_cast<int64_t>(Profile::kTracedSteps) * 2 * 2);
  EXPECT_NEAR(first, 0, 1e-9); // microseconds since the first step that was kept
}

} // namespace
} // namespace moire
