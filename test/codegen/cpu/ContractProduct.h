// A product with panels to be run, with operands made up for it, and what it has to yield: near a
// product in double, and bit for bit in the order that is the contract (K ascending; int8: an exact
// sum for the columns of a scale, then the scale, then the minimum).
//
// Every third row of activations is of 127 and -127, every sixth of one of them for 32 columns;
// every fourth row of weights is of the largest and smallest quants, every eighth of the largest: a
// machine instruction that saturates, or sums that wrap, would be seen.

#ifndef MOIRE_TEST_CODEGEN_CPU_CONTRACTPRODUCT_H
#define MOIRE_TEST_CODEGEN_CPU_CONTRACTPRODUCT_H

#include "runtime/cpu/FloatMode.h"
#include "test/codegen/cpu/Kernel.h"
#include "test/codegen/cpu/Weights.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace moire::test {

enum class Epilogue { Store, Bias, Accumulate, Gate };

struct Shape {
  PanelFormat format;
  Epilogue epilogue;
  int64_t k, width;
  bool exactOut; // the host's rows, without padding
  Blocking blocking = kUsualBlocking;
  int64_t blockColumns = 32; // of quantized rows
  Sharing sharing = kUsualSharing;
};

inline std::string describe(const Shape &shape) {
  const char *epilogues[] = {"store", "bias", "accumulate", "gate"};
  return std::string(nameOf(shape.format)) + " " + epilogues[int(shape.epilogue)] + " k " +
         std::to_string(shape.k) + " width " + std::to_string(shape.width) + " blocks of " +
         std::to_string(shape.blockColumns);
}

inline int64_t padded(int64_t width) { return (width + 15) / 16 * 16; }

// One product, its operands and what it yields.
class Product {
public:
  /// `fours`: quantized rows of a step of many lie so.
  Product(Shape shape, std::string instruction, bool fours = false)
      : shape(shape), instruction(std::move(instruction)), fours(fours),
        quantized(panelInfo(shape.format).isBlocked() && this->instruction != "vfmadd"),
        pairs(this->instruction == "vdpbf16ps"), random(shape.k * 64 + shape.width),
        weight(randomMatrix(shape.format, shape.width, shape.k, random)),
        up(randomMatrix(shape.format, shape.width, shape.k, random)) {
    outWidth = shape.exactOut ? shape.width : padded(shape.width);
    panels = shape.epilogue == Epilogue::Gate ? packPanels({&weight, &up}) : packPanels({&weight});
    panelsAt = memory.weight(panels.data(), panels.size());
    bias.assign(padded(shape.width), 0);
    for (int64_t j = 0; j < shape.width; ++j)
      bias[j] = random.uniform(-1, 1);
    biasAt = memory.weight(bias.data(), 4 * bias.size());
    if (quantized) {
      valuesAt = memory.shared(shape.k);
      scalesAt = memory.shared(12 * blocks());
      sumsAt = memory.shared(4 * sums());
    } else {
      xAt = memory.shared(4 * (pairs ? padded(shape.k) / 2 : shape.k));
    }
    outAt = memory.shared(4 * outWidth);
    stripAt = memory.scratch(kStripSpace);
    turnsAt = memory.team(8);
  }

  std::unique_ptr<Kernel> compile(const std::string &cpu, int optLevel = 1) {
    return Kernel::compile({[this](bool one) { return text(one); }}, memory, cpu, optLevel);
  }

  /// The results of a step of `tokens` rows: always the same for the same row.
  std::vector<float> run(Kernel &kernel, int64_t tokens, int team, bool one = false) {
    kernel.reserve(tokens + 1); // what lies behind the last row is looked at
    prepare(kernel, tokens, fours && !one && tokens > rowsBeforeFours());
    float *out = kernel.at<float>(outAt);
    std::vector<float> behind(out + tokens * outWidth, out + (tokens + 1) * outWidth);
    kernel.run(tokens, team, one);
    EXPECT_EQ(behind, std::vector<float>(out + tokens * outWidth, out + (tokens + 1) * outWidth));
    std::vector<float> result;
    for (int64_t t = 0; t < tokens; ++t)
      result.insert(result.end(), out + t * outWidth, out + t * outWidth + shape.width);
    return result;
  }

  void check(const std::vector<float> &found) const {
    for (size_t i = 0; i < found.size(); ++i) {
      int64_t t = i / shape.width, n = i % shape.width;
      double magnitude = 0, exact = inDouble(weight, t, n, magnitude);
      float ordered = inOrder(weight, t, n);
      if (shape.epilogue == Epilogue::Gate) {
        double gate = exact, gateMagnitude = magnitude, upMagnitude = 0;
        double value = inDouble(up, t, n, upMagnitude);
        exact = gate / (1 + std::exp(-gate)) * value;
        magnitude = (gateMagnitude + 1) * (upMagnitude + 1);
        ASSERT_NEAR(found[i], exact, 4e-6 * magnitude) << "row " << t << " output " << n;
        continue;
      }
      float rest = shape.epilogue == Epilogue::Store ? 0 : bias[n];
      if (shape.epilogue == Epilogue::Bias)
        ordered += rest;
      if (shape.epilogue == Epilogue::Accumulate)
        ordered = before(t, n) + ordered, rest = before(t, n);
      ASSERT_NEAR(found[i], exact + rest, 4e-6 * (magnitude + 1)) << "row " << t << " output " << n;
      ASSERT_EQ(found[i], ordered) << "row " << t << " output " << n;
    }
  }

private:
  /// Blocks of a quantized row, and its sums: of 16 columns, or of a wider block.
  int64_t blocks() const { return (shape.k + shape.blockColumns - 1) / shape.blockColumns; }
  int64_t sums() const { return shape.blockColumns == 32 ? shape.k / 16 : blocks(); }

  /// From the first row on where tiles of packed panels are whole fours.
  int64_t rowsBeforeFours() const {
    return shape.blocking.together % 4 ? shape.blocking.direct : 0;
  }
  std::string foursText() const {
    return ", fours = " + std::to_string(rowsBeforeFours()) + " : i64";
  }

  std::string text(bool one) const {
    int64_t k = shape.k, parts = shape.epilogue == Epilogue::Gate ? 2 : 1;
    std::string text = weightVector("w", panelsAt, panels.size(), "i8");
    std::string operands, types, out = rowsOf(one, {outWidth}, "f32");
    if (quantized) {
      text += sharedBuffer(one, "v", valuesAt, {k}, "i8") +
              sharedBuffer(one, "s", scalesAt, {3, blocks()}, "f32") +
              sharedBuffer(one, "m", sumsAt, {sums()}, "i32");
      operands = "%v, %s, %m";
      types = rowsOf(one, {k}, "i8") + ", " + rowsOf(one, {3, blocks()}, "f32") + ", " +
              rowsOf(one, {sums()}, "i32");
    } else if (pairs) {
      text += sharedBuffer(one, "x", xAt, {padded(k) / 2}, "i32");
      operands = "%x";
      types = rowsOf(one, {padded(k) / 2}, "i32");
    } else {
      text += sharedBuffer(one, "x", xAt, {k}, "f32");
      operands = "%x";
      types = rowsOf(one, {k}, "f32");
    }
    operands += " weight %w";
    types += " weight memref<" + std::to_string(panels.size()) + "xi8>";
    if (shape.epilogue == Epilogue::Bias) {
      text += weightVector("b", biasAt, bias.size(), "f32");
      operands += " bias %b";
      types += " bias memref<" + std::to_string(bias.size()) + "xf32>";
    }
    if (!one) {
      using mlir::tile::RowKind;
      RowKind kind = quantized ? RowKind::Quantized : pairs ? RowKind::Pairs : RowKind::Floats;
      if (int64_t bytes = shape.blocking.stripBytes(shape.format, kind, k, parts)) {
        std::string strip = std::to_string(bytes) + "xi8";
        text += privateBuffer("strip", stripAt, strip);
        operands += " strip %strip";
        types += " strip memref<" + strip + ">";
      }
    }
    text += sharedBuffer(one, "y", outAt, {outWidth}, "f32") + turnsBuffer("turns", turnsAt);
    operands += " turns %turns";
    const char *epilogues[] = {"store", "store", "accumulate", "gate_silu"};
    return text + "tile.contract panels \"" + instruction + "\" " + nameOf(shape.format) + " " +
           operands + " -> " + epilogues[int(shape.epilogue)] + " %y {" +
           (one ? "" : shape.blocking.text() + ", ") + shape.sharing.text() +
           ", width = " + std::to_string(shape.width) + " : i64, k = " + std::to_string(k) +
           " : i64" + (fours && !one ? foursText() : "") + "} : " + types + " -> " + out;
  }

  // Activations: row t depends on t only.
  float activation(int64_t t, int64_t k) const {
    Random row(t * 1000 + k);
    float value = row.uniform(-1, 1);
    // The products of every third row with every fourth row of bf16 weights are denormal.
    if (bf16 && t % 3 == 2)
      value *= 1e-19f;
    return bf16 ? roundToBf16(value) : value;
  }
  // Columns 2p and 2p + 1 as one word; the second is 0 behind the row.
  uint32_t pair(int64_t t, int64_t p) const {
    auto bits = [&](int64_t k) {
      return k < shape.k ? std::bit_cast<uint32_t>(activation(t, k)) : 0;
    };
    return bits(2 * p) | bits(2 * p + 1) >> 16;
  }
  int quant(int64_t t, int64_t k) const {
    Random row(t * 1000 + (t % 6 == 5 ? k / 32 : k));
    return t % 3 == 2 ? (row.integer(0, 1) ? 127 : -127) : row.integer(-127, 127);
  }
  float rowScale(int64_t t, int64_t block) const {
    Random row(t * 100 + block + 7);
    return row.uniform(0.001f, 0.01f);
  }
  int sum(int64_t t, int64_t first, int64_t columns) const {
    int total = 0;
    for (int64_t i = first; i < std::min(first + columns, shape.k); ++i)
      total += quant(t, i);
    return total;
  }
  float before(int64_t t, int64_t n) const {
    Random row(t * 100 + n + 3);
    return row.uniform(-2, 2);
  }

  void prepare(Kernel &kernel, int64_t tokens, bool fours) {
    const int64_t k = shape.k, columns = shape.blockColumns, count = blocks();
    // Where runs of `each` elements lie, of rows of `width` elements.
    auto at = [&](int64_t t, int64_t width, int64_t i, int64_t each) {
      return fours ? t / 4 * 4 * width + i / each * 4 * each + t % 4 * each + i % each
                   : t * width + i;
    };
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t p = 0; pairs && p < padded(k) / 2; ++p)
        kernel.at<uint32_t>(xAt)[t * padded(k) / 2 + p] = pair(t, p);
      for (int64_t i = 0; !pairs && i < k; ++i)
        if (quantized)
          kernel.at<int8_t>(valuesAt)[at(t, k, i, 4)] = quant(t, i);
        else
          kernel.at<float>(xAt)[t * k + i] = activation(t, i);
      for (int64_t b = 0; quantized && b < count; ++b) {
        const float scaledSum = rowScale(t, b) * float(sum(t, columns * b, columns));
        const float numbers[] = {rowScale(t, b), scaledSum, -8 * scaledSum};
        // A block's three follow each other where rows lie by fours.
        for (int64_t i = 0; i < 3; ++i)
          kernel.at<float>(scalesAt)[at(t, 3 * count, fours ? 3 * b + i : i * count + b, 1)] =
              numbers[i];
      }
      for (int64_t b = 0; quantized && b < count; ++b) {
        int64_t words = sums() / count, end = std::min(columns * (b + 1), k);
        auto quants = [&](int64_t i) { return quant(t, i); };
        int32_t *word = kernel.at<int32_t>(sumsAt);
        word[at(t, sums(), words * b, 1)] = sumWord(columns, columns * b, end, quants);
        if (words == 2)
          word[at(t, sums(), words * b + 1, 1)] = sumWord(columns, columns * b + 16, end, quants);
      }
    }
    for (int64_t t = 0; t <= tokens; ++t)
      for (int64_t n = 0; n < outWidth; ++n)
        kernel.at<float>(outAt)[t * outWidth + n] = before(t, n);
  }

  double inDouble(const Matrix &w, int64_t t, int64_t n, double &magnitude) const {
    double total = 0;
    for (int64_t k = 0; k < shape.k; ++k) {
      double x =
          quantized ? double(rowScale(t, k / shape.blockColumns)) * quant(t, k) : activation(t, k);
      double exact = !w.info().isBlocked()
                         ? w.at(n, k)
                         : double(w.scale(n, k)) * w.quants[n * w.k + k] + w.minimum(n, k);
      total += x * exact;
      magnitude += std::abs(x * exact);
    }
    return total;
  }

  float inOrder(const Matrix &w, int64_t t, int64_t n) const {
    FloatModeScope mode; // as the team that multiplies
    float total = 0;
    if (!quantized) {
      for (int64_t k = 0; k < shape.k; ++k)
        total = std::fma(w.at(n, k), activation(t, k), total);
      return total;
    }
    const int64_t columns = std::min(w.info().columns, shape.blockColumns);
    for (int64_t first = 0; first < shape.k; first += columns) {
      int dot = 0;
      for (int64_t k = first; k < std::min(first + columns, shape.k); ++k)
        dot += w.quants[n * w.k + k] * quant(t, k);
      float x = rowScale(t, first / shape.blockColumns);
      if (w.info().zero == 8) { // 8 times the sum is subtracted behind the scale
        int activations = sum(t, first, columns);
        float less = -8 * (x * static_cast<float>(activations));
        float y = std::fma(static_cast<float>(dot + 8 * activations), x, less);
        total = std::fma(w.scale(n, first), y, total);
        continue;
      }
      total = std::fma(w.scale(n, first) * x, static_cast<float>(dot), total);
      if (w.info().minima)
        total =
            std::fma(w.minimum(n, first), x * static_cast<float>(sum(t, first, columns)), total);
    }
    return total;
  }

  Shape shape;
  std::string instruction;
  bool fours, quantized, pairs;
  bool bf16 = shape.format == PanelFormat::BF16 || shape.format == PanelFormat::BF16Pairs;
  Random random;
  Matrix weight, up;
  std::vector<uint8_t> panels;
  std::vector<float> bias;
  Memory memory;
  int64_t outWidth, panelsAt, biasAt, stripAt, turnsAt, outAt;
  int64_t xAt = 0, valuesAt = 0, scalesAt = 0, sumsAt = 0;
};

} // namespace moire::test

#endif
