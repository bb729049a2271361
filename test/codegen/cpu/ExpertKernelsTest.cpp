// The products of experts, bit for bit against plain products: every expert's product of every row
// is computed by tile.contract too, and the results of the chosen ones are picked and added up
// here.

#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/Weights.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <set>

namespace moire::test {
namespace {

struct Shape {
  PanelFormat format;
  std::string instruction; // "vfmadd": rows of f32
  const char *epilogue;    // of the first product
  int64_t d, f, experts, choices;
  bool accumulate;
  Blocking blocking = kUsualBlocking;
  Sharing sharing = kUsualSharing;
};

int64_t padded(int64_t width) { return (width + 15) / 16 * 16; }

// How tokens are spread over the experts.
enum class Spread { Random, OneExpert, Last };

class Region {
public:
  explicit Region(const Shape &shape)
      : shape(shape), pairs(shape.instruction == "vdpbf16ps"),
        quantized(!pairs && shape.instruction != "vfmadd"), fp(padded(shape.f)),
        dp(padded(shape.d)), parts(std::string(shape.epilogue) == "gate_silu" ? 2 : 1) {
    Random random(shape.d * 31 + shape.f * 7 + shape.experts);
    std::vector<uint8_t> up, down;
    for (int64_t e = 0; e < shape.experts; ++e) {
      Matrix a = randomMatrix(shape.format, shape.f, shape.d, random);
      Matrix c = randomMatrix(shape.format, shape.f, shape.d, random);
      appendExpert(up, parts == 2 ? packPanels({&a, &c}) : packPanels({&a}));
      Matrix w = randomMatrix(shape.format, shape.d, shape.f, random);
      appendExpert(down, packPanels({&w}));
    }
    upBytes = up.size() / shape.experts, downBytes = down.size() / shape.experts;
    upAt = memory.weight(up.data(), up.size());
    downAt = memory.weight(down.data(), down.size());
    int64_t k = shape.choices;
    xAt = memory.shared(4 * shape.d), idsAt = memory.shared(4 * k);
    weightsAt = memory.shared(4 * k), orderAt = memory.shared(4 * k);
    offsetsAt = memory.shared(4 * (shape.experts + 1));
    hiddenAt = memory.shared(4 * k * fp), outAt = memory.shared(4 * dp);
    xPartsAt = place(1, shape.d), hiddenPartsAt = place(k, shape.f);
    xPairsAt = memory.shared(2 * dp), hiddenPairsAt = memory.shared(2 * k * fp);
    for (int64_t e = 0; e < shape.experts; ++e) {
      upOf.push_back(memory.shared(4 * fp));
      downOf.push_back(memory.shared(4 * k * dp));
    }
    stripAt = memory.scratch(kStripSpace);
    partialAt = 0;
    turnsAt = {memory.team(8), memory.team(8)};
    memory.scratchBytesPerToken = 4 * k * kTogether;
  }

  std::unique_ptr<Kernel> compile(const std::string &cpu) {
    return Kernel::compile({[this](bool one) { return text(one); }}, memory, cpu);
  }

  /// Runs a step and compares; returns what came out.
  std::vector<float> run(Kernel &kernel, int64_t tokens, int team, Spread spread,
                         bool one = false) {
    kernel.reserve(tokens + 1);
    prepare(kernel, tokens, spread);
    kernel.run(tokens, team, one);
    for (int64_t t = 0; t < tokens; ++t)
      check(kernel, t, one);
    float *out = kernel.at<float>(outAt);
    return {out, out + tokens * dp};
  }

private:
  static constexpr int64_t kTogether = 32; // columns of partial results: two panels

  static void appendExpert(std::vector<uint8_t> &all, const std::vector<uint8_t> &panels) {
    all.insert(all.end(), panels.begin(), panels.end());
    all.resize((all.size() + 4095) / 4096 * 4096);
  }

  std::array<int64_t, 3> place(int64_t rows, int64_t k) {
    return {memory.shared(rows * k), memory.shared(8 * rows * (k / 32)),
            memory.shared(4 * rows * (k / 16))};
  }

  static std::string number(int64_t value) { return std::to_string(value); }

  // A buffer of `choices` rows a token, named `name`, as rows.
  std::string joined(bool one, const std::string &name, int64_t at,
                     std::initializer_list<int64_t> rest, const std::string &element) const {
    std::vector<int64_t> full = {shape.choices};
    full.insert(full.end(), rest);
    std::string from = one ? "memref<1" : "memref<?", to = one ? "memref<" : "memref<?";
    for (int64_t size : full)
      from += "x" + number(size);
    if (one)
      to += number(shape.choices);
    std::string dims = "[0, 1]";
    int64_t i = 2;
    for (int64_t size : rest) {
      to += "x" + number(size);
      dims += ", [" + number(i++) + "]";
    }
    return "%" + name + "_3 = tile.alloc shared" + (one ? "" : "(%n)") + " at " + number(at) +
           " : " + from + "x" + element + ">\n%" + name + " = memref.collapse_shape %" + name +
           "_3 [" + dims + "] : " + from + "x" + element + "> into " + to + "x" + element + ">\n";
  }

  std::string joinedType(bool one, std::initializer_list<int64_t> rest,
                         const std::string &element) const {
    std::string type = one ? "memref<" + number(shape.choices) : "memref<?";
    for (int64_t size : rest)
      type += "x" + number(size);
    return type + "x" + element + ">";
  }

  // Operands and types of rows to multiply.
  struct Rows {
    std::string names, types;
  };

  std::string product(const std::string &op, const Rows &rows, const std::string &weight,
                      int64_t bytes, bool one, int64_t stripParts, int64_t k,
                      const std::string &rest, const std::string &restTypes,
                      const std::string &attributes) const {
    std::string names = rows.names + " weight " + weight;
    std::string types = rows.types + " weight memref<" + number(bytes) + "xi8>";
    if (int64_t strip = one ? 0 : stripBytes(stripParts, k)) {
      names += " strip %strip" + number(strip);
      types += " strip memref<" + number(strip) + "xi8>";
    }
    std::string sharing;
    if (op != "contract") {
      names += " turns %" + op + "_turns";
      sharing = shape.sharing.text() + ", ";
    }
    return "tile." + op + " panels \"" + shape.instruction + "\" " + nameOf(shape.format) + " " +
           names + rest + " {" + attributes + sharing + (one ? "" : shape.blocking.text() + ", ") +
           "k = " + number(k) + " : i64} : " + types + restTypes + "\n";
  }

  int64_t stripBytes(int64_t stripParts, int64_t k) const {
    using mlir::tile::RowKind;
    RowKind kind = quantized ? RowKind::Quantized : pairs ? RowKind::Pairs : RowKind::Floats;
    return shape.blocking.stripBytes(shape.format, kind, k, stripParts);
  }

  std::string text(bool one) const {
    int64_t k = shape.choices, d = shape.d, f = shape.f;
    std::string s = sharedBuffer(one, "x", xAt, {d}, "f32") +
                    sharedBuffer(one, "ids", idsAt, {k}, "i32") +
                    sharedBuffer(one, "weights", weightsAt, {k}, "f32") +
                    sharedBuffer(one, "y", outAt, {dp}, "f32") +
                    joined(one, "order", one ? idsAt : orderAt, {}, "i32") +
                    joined(one, "hidden_padded", hiddenAt, {fp}, "f32") +
                    turnsBuffer("grouped_contract_turns", turnsAt[0]) +
                    turnsBuffer("combine_contract_turns", turnsAt[1]) +
                    weightVector("up", upAt, upBytes * shape.experts, "i8") +
                    weightVector("down", downAt, downBytes * shape.experts, "i8");
    std::string hiddenType = joinedType(one, {fp}, "f32");
    Rows x{"%x", rowsOf(one, {d}, "f32")}, hidden{"%hidden", hiddenType};
    // The hidden rows without their padding.
    if (f == fp) {
      hidden.names = "%hidden_padded";
    } else {
      std::string count = one ? number(k) : "%count";
      hidden.types = "memref<" + (one ? number(k) : std::string("?")) + "x" + number(f) +
                     "xf32, strided<[" + number(fp) + ", 1]>>";
      if (!one)
        s += "%k = arith.constant " + number(k) + " : index\n%count = arith.muli %n, %k : index\n";
      s += "%hidden = memref.subview %hidden_padded[0, 0] [" + count + ", " + number(f) +
           "] [1, 1] : " + hiddenType + " to " + hidden.types + "\n";
    }
    std::string quantizeHidden;
    if (quantized) {
      Rows plain = hidden;
      s += sharedBuffer(one, "xv", xPartsAt[0], {d}, "i8") +
           sharedBuffer(one, "xs", xPartsAt[1], {2, d / 32}, "f32") +
           sharedBuffer(one, "xn", xPartsAt[2], {d / 16}, "i32") +
           joined(one, "hv", hiddenPartsAt[0], {f}, "i8") +
           joined(one, "hs", hiddenPartsAt[1], {2, f / 32}, "f32") +
           joined(one, "hn", hiddenPartsAt[2], {f / 16}, "i32");
      std::string from = x.types;
      x = {"%xv, %xs, %xn", rowsOf(one, {d}, "i8") + ", " + rowsOf(one, {2, d / 32}, "f32") + ", " +
                                rowsOf(one, {d / 16}, "i32")};
      hidden = {"%hv, %hs, %hn", joinedType(one, {f}, "i8") + ", " +
                                     joinedType(one, {2, f / 32}, "f32") + ", " +
                                     joinedType(one, {f / 16}, "i32")};
      s += "tile.quantize rows %x -> " + x.names + " : " + from + " -> " + x.types + "\n";
      quantizeHidden = "tile.barrier\ntile.quantize rows " + plain.names + " -> " + hidden.names +
                       " : " + plain.types + " -> " + hidden.types + "\n";
    }
    if (pairs) {
      Rows plain = hidden;
      std::string from = x.types;
      s += sharedBuffer(one, "xw", xPairsAt, {dp / 2}, "i32") +
           joined(one, "hw", hiddenPairsAt, {fp / 2}, "i32");
      x = {"%xw", rowsOf(one, {dp / 2}, "i32")};
      hidden = {"%hw", joinedType(one, {fp / 2}, "i32")};
      s += "tile.round rows %x -> %xw : " + from + " -> " + x.types + "\n";
      quantizeHidden = "tile.barrier\ntile.round rows " + plain.names + " -> %hw : " + plain.types +
                       " -> " + hidden.types + "\n";
    }
    std::set<int64_t> strips;
    if (!one)
      strips = {stripBytes(parts, d), stripBytes(1, f)};
    for (int64_t bytes : strips)
      if (bytes)
        s += privateBuffer("strip" + number(bytes), stripAt, number(bytes) + "xi8");
    std::string of = " of %order", ofTypes = " of " + joinedType(one, {}, "i32");
    std::string partial, partialTypes;
    if (!one) {
      std::string offsets = "memref<1x" + number(shape.experts + 1) + "xi32>";
      std::string type = "memref<?x" + number(k) + "x" + number(kTogether) + "xf32>";
      s += "%offsets = tile.alloc shared at " + number(offsetsAt) + " : " + offsets +
           "\n%partial = tile.alloc private(%n) at " + number(partialAt) + " : " + type +
           "\ntile.dispatch first %ids -> %order, %offsets : " + rowsOf(one, {k}, "i32") + " -> " +
           joinedType(one, {}, "i32") + ", " + offsets + "\n";
      of += ", %offsets", ofTypes += ", " + offsets;
      partial = " partial %partial", partialTypes = " partial " + type;
    }
    s += "tile.barrier\n" +
         product("grouped_contract", x, "%up", upBytes * shape.experts, one, parts, d,
                 of + " -> " + shape.epilogue + " %hidden_padded", ofTypes + " -> " + hiddenType,
                 "choices = " + number(k) + " : i64, expert_bytes = " + number(upBytes) +
                     " : i64, width = " + number(f) + " : i64, ");
    s += quantizeHidden + "tile.barrier\n" +
         product("combine_contract", hidden, "%down", downBytes * shape.experts, one, 1, f,
                 of + " by %weights" + partial + " -> " +
                     (shape.accumulate ? "accumulate" : "store") + " %y",
                 ofTypes + " by " + rowsOf(one, {k}, "f32") + partialTypes + " -> " +
                     rowsOf(one, {dp}, "f32"),
                 "expert_bytes = " + number(downBytes) + " : i64, width = " + number(d) +
                     " : i64, ");
    // The same, every expert times every row.
    const char *plainEpilogue = parts == 2 ? "gate_silu" : "store";
    for (int64_t e = 0; e < shape.experts; ++e) {
      std::string n = number(e);
      s += weightVector("up" + n, upAt + e * upBytes, upBytes, "i8") +
           weightVector("down" + n, downAt + e * downBytes, downBytes, "i8") +
           sharedBuffer(one, "u" + n, upOf[e], {fp}, "f32") +
           joined(one, "d" + n, downOf[e], {dp}, "f32") +
           product("contract", x, "%up" + n, upBytes, one, parts, d,
                   std::string(" -> ") + plainEpilogue + " %u" + n,
                   " -> " + rowsOf(one, {fp}, "f32"), "width = " + number(f) + " : i64, ") +
           product("contract", hidden, "%down" + n, downBytes, one, 1, f, " -> store %d" + n,
                   " -> " + joinedType(one, {dp}, "f32"), "width = " + number(d) + " : i64, ");
    }
    return s;
  }

  int32_t expertOf(int64_t t, int64_t j, Spread spread) const {
    std::vector<int32_t> ids(shape.experts);
    std::iota(ids.begin(), ids.end(), 0);
    if (spread == Spread::OneExpert)
      return j;
    if (spread == Spread::Last)
      return shape.experts - 1 - j;
    Random random(t * 97 + 5);
    for (int64_t i = shape.experts - 1; i > 0; --i)
      std::swap(ids[i], ids[random.integer(0, i)]);
    return ids[j];
  }

  float before(int64_t t, int64_t n) const {
    Random random(t * 1000 + n);
    return random.uniform(-2, 2);
  }

  void prepare(Kernel &kernel, int64_t tokens, Spread spread) {
    for (int64_t t = 0; t < tokens; ++t) {
      Random random(t);
      for (int64_t i = 0; i < shape.d; ++i)
        kernel.at<float>(xAt)[t * shape.d + i] = random.uniform(-1, 1);
      for (int64_t j = 0; j < shape.choices; ++j) {
        kernel.at<int32_t>(idsAt)[t * shape.choices + j] = expertOf(t, j, spread);
        kernel.at<float>(weightsAt)[t * shape.choices + j] = random.uniform(0, 1);
      }
      for (int64_t n = 0; n < dp; ++n)
        kernel.at<float>(outAt)[t * dp + n] = before(t, n);
    }
  }

  void check(Kernel &kernel, int64_t t, bool one) {
    int64_t k = shape.choices;
    std::vector<float> sums(shape.d);
    for (int64_t j = 0; j < k; ++j) {
      int64_t e = kernel.at<int32_t>(idsAt)[t * k + j], place = j;
      if (!one) {
        const int32_t *order = kernel.at<int32_t>(orderAt);
        const int32_t *offsets = kernel.at<int32_t>(offsetsAt);
        place = std::find(order + offsets[e], order + offsets[e + 1], t * k + j) - order;
        ASSERT_LT(place, offsets[e + 1]) << "token " << t << " is not with its expert " << e;
      }
      for (int64_t i = 0; i < shape.f; ++i) {
        float y = kernel.at<float>(upOf[e])[t * fp + i];
        float found = kernel.at<float>(hiddenAt)[place * fp + i];
        if (std::string(shape.epilogue) == "silu") {
          ASSERT_NEAR(found, y / (1 + std::exp(-y)), 1e-6 * (1 + std::abs(y)));
          continue;
        }
        ASSERT_EQ(found, y) << "token " << t << " choice " << j << " column " << i;
      }
      float weight = kernel.at<float>(weightsAt)[t * k + j];
      for (int64_t n = 0; n < shape.d; ++n)
        sums[n] = std::fma(weight, kernel.at<float>(downOf[e])[place * dp + n], sums[n]);
    }
    for (int64_t n = 0; n < shape.d; ++n) {
      float expected = shape.accumulate ? before(t, n) + sums[n] : sums[n];
      ASSERT_EQ(kernel.at<float>(outAt)[t * dp + n], expected) << "token " << t << " column " << n;
    }
  }

  Shape shape;
  bool pairs, quantized;
  int64_t fp, dp, parts;
  Memory memory;
  int64_t upBytes, downBytes, upAt, downAt, xAt, idsAt, weightsAt, orderAt, offsetsAt, hiddenAt,
      outAt, stripAt, partialAt, xPairsAt, hiddenPairsAt;
  std::array<int64_t, 2> turnsAt;
  std::array<int64_t, 3> xPartsAt, hiddenPartsAt;
  std::vector<int64_t> upOf, downOf;
};

void checkEverywhere(const Shape &shape) {
  for (const std::string &cpu : runnableCpus()) {
    SCOPED_TRACE(std::string(nameOf(shape.format)) + " " + shape.instruction + " " +
                 shape.epilogue + " d " + std::to_string(shape.d) + " f " +
                 std::to_string(shape.f) + " " + cpu);
    Region region(shape);
    auto kernel = region.compile(cpu);
    ASSERT_TRUE(kernel);
    for (Spread spread : {Spread::Random, Spread::OneExpert, Spread::Last}) {
      std::vector<float> all = region.run(*kernel, 21, 1, spread);
      if (testing::Test::HasFatalFailure())
        return;
      // Neither other tokens nor the team change a token's numbers.
      for (auto [tokens, team] : {std::pair(1, 1), {1, 3}, {2, 2}, {5, 5}, {21, 2}, {21, 7}}) {
        std::vector<float> some = region.run(*kernel, tokens, team, spread);
        ASSERT_TRUE(std::equal(some.begin(), some.end(), all.begin()))
            << tokens << " tokens, a team of " << team;
      }
      for (int team : {1, 3}) {
        std::vector<float> one = region.run(*kernel, 1, team, spread, /*one=*/true);
        ASSERT_TRUE(std::equal(one.begin(), one.end(), all.begin()))
            << "one token, a team of " << team;
      }
    }
  }
}

TEST(ExpertKernels, FloatActivations) {
  checkEverywhere({PanelFormat::BF16, "vfmadd", "gate_silu", 40, 20, 5, 2, true});
  checkEverywhere({PanelFormat::F32, "vfmadd", "silu", 7, 33, 3, 3, false});
  checkEverywhere({PanelFormat::Q4_1, "vfmadd", "gate_silu", 64, 32, 9, 4, true});
  checkEverywhere({PanelFormat::F16, "vfmadd", "gate_silu", 80, 1, 2, 1, false});
  checkEverywhere({PanelFormat::BF16Pairs, "vdpbf16ps", "gate_silu", 41, 20, 5, 2, true});
  checkEverywhere({PanelFormat::BF16, "vfmadd", "gate_silu", 40, 70, 5, 2, true, {1, 1, 2, 5, 32}});
}

TEST(ExpertKernels, Int8Activations) {
  for (const std::string &instruction : instructions(4))
    checkEverywhere(
        {PanelFormat::Q4_0, instruction, "gate_silu", 64, 96, 6, 3, true, {1, 1, 2, 5, 32}});
  for (const std::string &instruction : instructions(6))
    checkEverywhere({PanelFormat::Q6_K, instruction, "gate_silu", 256, 256, 3, 2, true});
  for (const std::string &instruction : instructions(8))
    checkEverywhere({PanelFormat::Q8_0, instruction, "gate_silu", 96, 32, 4, 2, true});
}

} // namespace
} // namespace moire::test
