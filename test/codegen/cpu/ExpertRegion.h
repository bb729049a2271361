// One region of experts as kernels, and beside it every expert's plain product with every row.

#ifndef MOIRE_TEST_CODEGEN_CPU_EXPERTREGION_H
#define MOIRE_TEST_CODEGEN_CPU_EXPERTREGION_H

#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/Weights.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <optional>
#include <set>

namespace moire::test {

struct Shape {
  PanelFormat format;
  std::string instruction; // "vfmadd": rows of f32
  const char *epilogue;    // of the first product
  int64_t d, f, experts, choices;
  bool accumulate;
  Blocking blocking = kUsualBlocking;
  Sharing sharing = kUsualSharing;
  // Rows by fours in steps of many: those of tokens where they are more than this.
  std::optional<int64_t> fours = {};

  /// An expert with more assignments begins at a whole four.
  int64_t dispatchFours() const { return std::max<int64_t>(blocking.direct - 3, 0); }
  /// Places for each token's choices and what repeats them.
  int64_t room() const {
    int64_t least = dispatchFours() + 1;
    return fours ? (choices * (least + 3) + least - 1) / least : choices;
  }
};

// How tokens are spread over the experts.
enum class Spread { Random, First, EverySecond };

class Region {
public:
  explicit Region(const Shape &shape)
      : shape(shape), pairs(shape.instruction == "vdpbf16ps"),
        quantized(!pairs && shape.instruction != "vfmadd"), fp(wholePanels(shape.f)),
        dp(wholePanels(shape.d)), parts(std::string(shape.epilogue) == "gate_silu" ? 2 : 1) {
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
    int64_t k = shape.room();
    xAt = memory.shared(4 * shape.d), idsAt = memory.shared(4 * shape.choices);
    weightsAt = memory.shared(4 * shape.choices), orderAt = memory.shared(4 * k);
    offsetsAt = memory.shared(4 * (shape.experts + 1));
    hiddenAt = memory.shared(4 * k * fp), outAt = memory.shared(4 * dp);
    xPartsAt = place(1, shape.d), hiddenPartsAt = place(k, shape.f);
    if (shape.fours)
      xFoursAt = place(1, shape.d), gatheredAt = place(k, shape.d),
      hiddenFoursAt = place(k, shape.f);
    xPairsAt = memory.shared(2 * dp), hiddenPairsAt = memory.shared(2 * k * fp);
    for (int64_t e = 0; e < shape.experts; ++e) {
      upOf.push_back(memory.shared(4 * fp));
      downOf.push_back(memory.shared(4 * k * dp));
    }
    stripAt = memory.scratch(kStripSpace);
    partialAt = 0;
    turnsAt = {memory.team(8), memory.team(8)};
    memory.scratchBytesPerToken = 4 * shape.choices * kTogether;
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
    return {memory.shared(rows * k), memory.shared(12 * rows * (k / 32)),
            memory.shared(4 * rows * (k / 16))};
  }

  static std::string number(int64_t value) { return std::to_string(value); }

  // How many rows buffers have for each token and for its choices.
  int64_t roomOf(bool one) const { return one ? shape.choices : shape.room(); }

  // A buffer of such rows, named `name`.
  std::string joined(bool one, const std::string &name, int64_t at,
                     std::initializer_list<int64_t> rest, const std::string &element) const {
    std::vector<int64_t> full = {roomOf(one)};
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
      sharing = (shape.fours && !one ? "fours, " : "") + shape.sharing.text() + ", ";
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

  // Three buffers of quantized rows of `width` columns: one a token, or one for each place.
  Rows quantizedRows(bool one, std::string &s, const std::string &name, std::array<int64_t, 3> at,
                     int64_t width, bool places) const {
    Rows rows;
    auto add = [&](size_t part, std::initializer_list<int64_t> rest, const std::string &element) {
      const std::string buffer = name + "vsn"[part], comma = part ? ", " : "";
      s += places ? joined(one, buffer, at[part], rest, element)
                  : sharedBuffer(one, buffer, at[part], rest, element);
      rows.names += comma + "%" + buffer;
      rows.types += comma + (places ? joinedType(one, rest, element) : rowsOf(one, rest, element));
    };
    add(0, {width}, "i8");
    add(1, {3, width / 32}, "f32");
    add(2, {width / 16}, "i32");
    return rows;
  }

  // Sorts the assignments; %count: how many places there are.
  std::string dispatch(const std::string &offsets) const {
    std::string s = "%offsets = tile.alloc shared at " + number(offsetsAt) + " : " + offsets +
                    "\ntile.dispatch first %ids -> %order, %offsets" +
                    (shape.fours ? " {fours = " + number(shape.dispatchFours()) + " : i64}" : "") +
                    " : " + rowsOf(false, {shape.choices}, "i32") + " -> " +
                    joinedType(false, {}, "i32") + ", " + offsets + "\n";
    if (!shape.fours)
      return s + "%k = arith.constant " + number(shape.choices) +
             " : index\n%count = arith.muli %n, %k : index\n";
    return s + "tile.barrier\n%first = arith.constant 0 : index\n%last = arith.constant " +
           number(shape.experts) +
           " : index\n%end = memref.load %offsets[%first, %last] : " + offsets +
           "\n%count = arith.index_cast %end : i32 to index\n";
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
    std::string offsets = "memref<1x" + number(shape.experts + 1) + "xi32>";
    if (!one)
      s += dispatch(offsets);
    // The hidden rows without their padding.
    const bool fours = shape.fours && !one;
    if (f == fp && !fours) {
      hidden.names = "%hidden_padded";
    } else {
      std::string count = one ? number(k) : "%count";
      hidden.types = "memref<" + (one ? number(k) : std::string("?")) + "x" + number(f) +
                     "xf32, strided<[" + number(fp) + ", 1]>>";
      s += "%hidden = memref.subview %hidden_padded[0, 0] [" + count + ", " + number(f) +
           "] [1, 1] : " + hiddenType + " to " + hidden.types + "\n";
    }
    std::string quantizeHidden;
    Rows expertX, expertHidden; // what experts multiply, if not what is multiplied here
    if (quantized) {
      auto quantize = [](const Rows &from, const Rows &to, const std::string &attributes = {}) {
        return "tile.quantize rows " + from.names + " -> " + to.names + attributes + " : " +
               from.types + " -> " + to.types + "\n";
      };
      Rows plainX = x, plainHidden = hidden;
      x = quantizedRows(one, s, "x", xPartsAt, d, /*places=*/false);
      hidden = quantizedRows(one, s, "h", hiddenPartsAt, f, /*places=*/true);
      s += quantize(plainX, x);
      quantizeHidden = "tile.barrier\n" + quantize(plainHidden, hidden);
      if (fours) {
        std::string attribute = "fours = " + number(*shape.fours) + " : i64}";
        Rows byFours = quantizedRows(one, s, "xf", xFoursAt, d, /*places=*/false);
        expertX = quantizedRows(one, s, "g", gatheredAt, d, /*places=*/true);
        expertHidden = quantizedRows(one, s, "hf", hiddenFoursAt, f, /*places=*/true);
        std::string type = joinedType(one, {}, "i32"), places = "memref<?xi32, strided<[1]>>";
        s += quantize(plainX, byFours, " {" + attribute) +
             "tile.barrier\n%places = memref.subview %order[0] [%count] [1] : " + type + " to " +
             places + "\ntile.gather_rows rows " + byFours.names + " of %places -> " +
             expertX.names + " {choices = " + number(k) + " : i64, " + attribute + " : " +
             byFours.types + " of " + places + " -> " + expertX.types + "\n";
        quantizeHidden += quantize(plainHidden, expertHidden, " {fours = 0 : i64}");
      }
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
      std::string type = "memref<?x" + number(k) + "x" + number(kTogether) + "xf32>";
      s += "%partial = tile.alloc private(%n) at " + number(partialAt) + " : " + type + "\n";
      of += ", %offsets", ofTypes += ", " + offsets;
      partial = " partial %partial", partialTypes = " partial " + type;
    }
    s +=
        "tile.barrier\n" +
        product("grouped_contract", fours ? expertX : x, "%up", upBytes * shape.experts, one, parts,
                d, of + " -> " + shape.epilogue + " %hidden_padded", ofTypes + " -> " + hiddenType,
                "choices = " + number(k) + " : i64, expert_bytes = " + number(upBytes) +
                    " : i64, width = " + number(f) + " : i64, ");
    s += quantizeHidden + "tile.barrier\n" +
         product("combine_contract", fours ? expertHidden : hidden, "%down",
                 downBytes * shape.experts, one, 1, f,
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
    if (spread == Spread::First)
      return j;
    if (spread == Spread::EverySecond) // the last ones where there are too few
      return 2 * shape.choices <= shape.experts ? 2 * j + 1 : shape.experts - 1 - j;
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
  std::array<int64_t, 3> xPartsAt, hiddenPartsAt, xFoursAt, gatheredAt, hiddenFoursAt;
  std::vector<int64_t> upOf, downOf;
};

} // namespace moire::test

#endif
