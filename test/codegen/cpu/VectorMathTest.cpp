// The polynomials of VectorMath.h against libm in double, over their ranges.

#include "codegen/cpu/VectorMath.h"
#include "test/codegen/cpu/Kernel.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace mlir;

namespace moire::test {
namespace {

using Emit = std::function<std::vector<Value>(cpu::Emitter &, Value)>;

// Maps rows of 16 numbers to as many results each.
std::vector<std::vector<float>> evaluate(const Emit &emit, int64_t results,
                                         const std::vector<float> &arguments,
                                         const std::string &cpuName) {
  Memory memory;
  std::vector<int64_t> buffers = {memory.shared(64)};
  for (int64_t i = 0; i < results; ++i)
    buffers.push_back(memory.shared(64));
  Kernel::Source source{[&](bool one) {
                          std::string text;
                          for (size_t i = 0; i < buffers.size(); ++i)
                            text +=
                                sharedBuffer(one, "b" + std::to_string(i), buffers[i], {16}, "f32");
                          return text;
                        },
                        [&](cpu::Emitter &e) {
                          SmallVector<Value> places;
                          for (auto alloc : e.b.getInsertionBlock()->getOps<tile::AllocOp>())
                            places.push_back(alloc.getResult());
                          e.share(tile::Split::Rows, e.dim(places[0], 0), [&](Value row) {
                            Value x = e.loadLanes(places[0], {row, e.index(0)});
                            for (auto [i, y] : llvm::enumerate(emit(e, x)))
                              e.storeLanes(y, places[i + 1], {row, e.index(0)});
                          });
                        }};
  std::vector<std::vector<float>> found;
  auto kernel = Kernel::compile(source, memory, cpuName);
  if (!kernel)
    return found;
  int64_t rows = (arguments.size() + 15) / 16;
  kernel->reserve(rows);
  std::copy(arguments.begin(), arguments.end(), kernel->at<float>(buffers[0]));
  kernel->run(rows);
  for (int64_t i = 0; i < results; ++i) {
    const float *y = kernel->at<float>(buffers[i + 1]);
    found.emplace_back(y, y + arguments.size());
  }
  return found;
}

std::vector<float> spread(float low, float high, int64_t count = 200'000) {
  std::vector<float> numbers;
  for (int64_t i = 0; i < count; ++i)
    numbers.push_back(low + (high - low) * (static_cast<float>(i) / (count - 1)));
  return numbers;
}

TEST(VectorMath, Exp) {
  std::vector<float> x = spread(-87, 88);
  x.insert(x.end(), {0.0f, -0.0f, 1e-30f, -1e-8f, 0.34657f, -0.34658f});
  for (const std::string &cpu : runnableCpus()) {
    auto y = evaluate([](cpu::Emitter &e, Value v) { return std::vector{cpu::emitExp(e, v)}; }, 1,
                      x, cpu);
    ASSERT_EQ(y.size(), 1u);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i)
      worst = std::max(worst, std::abs(y[0][i] / std::exp(double(x[i])) - 1));
    EXPECT_LT(worst, 2e-7) << cpu;
  }
}

TEST(VectorMath, ExpAtItsBounds) {
  const float infinity = INFINITY;
  auto y = evaluate([](cpu::Emitter &e, Value v) { return std::vector{cpu::emitExp(e, v)}; }, 1,
                    {0, -0.f, -1e30f, -infinity, 1e30f, infinity, NAN}, "native");
  ASSERT_EQ(y.size(), 1u);
  EXPECT_EQ(y[0][0], 1);
  EXPECT_EQ(y[0][1], 1);
  EXPECT_GT(y[0][2], 0);
  EXPECT_LT(y[0][2], 2e-38);
  EXPECT_EQ(y[0][3], y[0][2]);
  EXPECT_GT(y[0][4], 1.6e38);
  EXPECT_TRUE(std::isfinite(y[0][4]));
  EXPECT_EQ(y[0][5], y[0][4]);
  EXPECT_TRUE(std::isnan(y[0][6]));
}

TEST(VectorMath, Silu) {
  std::vector<float> x = spread(-80, 80);
  x.insert(x.end(), {0.0f, 1e-20f, -1e-20f, 1e6f, -1e6f});
  for (const std::string &cpu : runnableCpus()) {
    auto y = evaluate([](cpu::Emitter &e, Value v) { return std::vector{cpu::emitSilu(e, v)}; }, 1,
                      x, cpu);
    ASSERT_EQ(y.size(), 1u);
    for (size_t i = 0; i < x.size(); ++i) {
      double expected = x[i] / (1 + std::exp(-double(x[i])));
      // Below -88 the exponential is clamped: what is left is smaller than 1e-30.
      ASSERT_NEAR(y[0][i], expected, 4e-7 * std::abs(expected) + 1e-30) << cpu << " at " << x[i];
    }
  }
}

TEST(VectorMath, SinCos) {
  std::vector<float> x = spread(-131072, 131072), near = spread(-10, 10);
  x.insert(x.end(), near.begin(), near.end());
  for (int n = -1000; n <= 1000; ++n) // where a quadrant ends
    x.push_back(static_cast<float>(n * 0.78539816339744831));
  for (const std::string &cpu : runnableCpus()) {
    auto y = evaluate(
        [](cpu::Emitter &e, Value v) {
          auto [sine, cosine] = cpu::emitSinCos(e, v);
          return std::vector{sine, cosine};
        },
        2, x, cpu);
    ASSERT_EQ(y.size(), 2u);
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i)
      worst = std::max({worst, std::abs(y[0][i] - std::sin(double(x[i]))),
                        std::abs(y[1][i] - std::cos(double(x[i])))});
    EXPECT_LT(worst, 2e-7) << cpu;
  }
}

} // namespace
} // namespace moire::test
