#include "test/codegen/cpu/AttentionSequences.h"

#include "runtime/cpu/FloatMode.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <utility>

namespace moire::test {

namespace {

constexpr int64_t kLayers = 2, kLayer = 1, kSlots = 3, kPagesPerSlot = 12;
// Query rows of a block; segments that there is room for.
constexpr int64_t kBlock = 20, kSegments = kPagesPerSlot;

// As VectorMath.h's.
float plainExp(float x) {
  x = x < -87.0f ? -87.0f : x;
  const float n = std::nearbyintf(x * 1.4426950408889634f);
  float r = std::fma(n, -0.693359375f, x);
  r = std::fma(n, 2.12194440e-4f, r);
  float p = float(1.0 / 5040);
  for (double c : {1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2, 1.0, 1.0})
    p = std::fma(p, r, float(c));
  return p * std::bit_cast<float>((static_cast<int32_t>(n) + 127) << 23);
}

// A softmax that is under way, and the sums of values that go with it.
struct Softmax {
  explicit Softmax(int64_t headDim) : values(headDim) {}
  float max = -1.0e30f, sum = 0;
  std::vector<float> values;
};

// The seen positions of a page join: scores[i] and values[i] belong to position first + i of it.
void joinPage(Softmax &softmax, const std::vector<float> &scores, const std::vector<Entry> &values,
              int64_t first, bool scaled) {
  float max = softmax.max;
  for (float score : scores)
    max = std::max(max, score);
  const float factor = plainExp(softmax.max - max);
  float lanes[16] = {};
  for (float &sum : softmax.values)
    sum *= factor;
  for (size_t i = 0; i < scores.size(); ++i) {
    const float p = plainExp(scores[i] - max);
    lanes[(first + i) % 16] += p;
    const float weight = scaled ? p * values[i].scale : p;
    for (size_t d = 0; d < softmax.values.size(); ++d)
      softmax.values[d] = std::fma(values[i].numbers[d], weight, softmax.values[d]);
  }
  for (int64_t half = 8; half; half /= 2)
    for (int64_t lane = 0; lane < half; ++lane)
      lanes[lane] += lanes[lane + half];
  softmax.sum = std::fma(softmax.sum, factor, lanes[0]);
  softmax.max = max;
}

void joinSegment(Softmax &all, const Softmax &segment) {
  const float max = std::max(all.max, segment.max);
  const float before = plainExp(all.max - max), factor = plainExp(segment.max - max);
  const float sum = all.sum * before;
  all.sum = std::fma(segment.sum, factor, sum);
  for (size_t d = 0; d < all.values.size(); ++d) {
    const float value = all.values[d] * before;
    all.values[d] = std::fma(segment.values[d], factor, value);
  }
  all.max = max;
}

} // namespace

Sequences::Sequences(AttentionShape shape) : shape(shape) {
  queryWidth = shape.kvHeads * shape.group * shape.headDim;
  kvWidth = shape.kvHeads * shape.headDim;
  queries = memory.shared(4 * queryWidth);
  keys = memory.shared(4 * kvWidth);
  values = memory.shared(4 * kvWidth);
  out = memory.shared(4 * queryWidth);
  stride = (shape.headDim + 15) / 16 * 16;
  columns = shape.page + 3 * stride + 16;
  scratch = memory.scratch(4 * std::max(kBlock, shape.group) * columns);
  turns = memory.team(8);
  parts = memory.team(4 * kSegments * shape.kvHeads * shape.group * (stride + 16));
  KvHeadLayout layout(shape.format, shape.headDim, shape.page);
  pool.resize(kLayers * shape.kvHeads * layout.bytes * kSlots * kPagesPerSlot + 64);
  scale = 1 / std::sqrt(double(shape.headDim));
}

std::unique_ptr<Kernel> Sequences::compile(const std::string &cpu, int64_t vectors) {
  return Kernel::compile({[&](bool one) { return text(one, vectors); }}, memory, cpu);
}

void Sequences::clear() {
  std::fill(pool.begin(), pool.end(), 0xff); // NaN in every format, and as a scale
  Random random(5);
  pageTable.resize(kSlots * kPagesPerSlot);
  for (size_t i = 0; i < pageTable.size(); ++i)
    pageTable[i] = i;
  for (size_t i = pageTable.size(); i-- > 1;)
    std::swap(pageTable[i], pageTable[random.integer(0, i)]);
}

void Sequences::step(Kernel &kernel, const std::vector<Token> &tokens, int team, bool one,
                     std::vector<float> &results) {
  kernel.reserve(tokens.size());
  std::vector<int32_t> slots, positions;
  for (size_t t = 0; t < tokens.size(); ++t) {
    const Token &token = tokens[t];
    slots.push_back(token.slot);
    positions.push_back(token.position);
    for (int64_t i = 0; i < queryWidth; ++i)
      kernel.at<float>(queries)[t * queryWidth + i] = number(token, 0, i);
    for (int64_t i = 0; i < kvWidth; ++i) {
      kernel.at<float>(keys)[t * kvWidth + i] = token == poisoned ? poison : number(token, 1, i);
      kernel.at<float>(values)[t * kvWidth + i] = token == poisoned ? poison : number(token, 2, i);
    }
  }
  moire_step host{};
  host.slots = slots.data();
  host.positions = positions.data();
  host.page_table = pageTable.data();
  host.pages_per_slot = kPagesPerSlot;
  auto address = reinterpret_cast<uintptr_t>(pool.data());
  host.kv = pool.data() + (64 - address % 64) % 64;
  kernel.run(tokens.size(), team, one, host);
  const float *rows = kernel.at<float>(out);
  results.insert(results.end(), rows, rows + tokens.size() * queryWidth);
}

void Sequences::check(const Token &token, const float *found) const {
  for (int64_t head = 0; head < shape.kvHeads * shape.group; ++head) {
    int64_t kvHead = head / shape.group, first = 0;
    if (shape.window)
      first = std::max<int64_t>(0, token.position - shape.window + 1);
    std::vector<double> scores;
    std::vector<std::vector<float>> seen; // values
    double max = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t p = first; p <= token.position; ++p) {
      Token other{token.slot, int32_t(p)};
      const std::vector<float> key = stored(other, 1, kvHead);
      seen.push_back(stored(other, 2, kvHead));
      double dot = 0;
      for (int64_t d = 0; d < shape.headDim; ++d)
        dot += double(number(token, 0, head * shape.headDim + d)) * key[d];
      scores.push_back(dot * scale);
      max = std::max(max, scores.back());
    }
    for (double &score : scores)
      sum += score = std::exp(score - max);
    for (int64_t d = 0; d < shape.headDim; ++d) {
      double expected = 0;
      for (size_t p = 0; p < seen.size(); ++p)
        expected += scores[p] / sum * seen[p][d];
      ASSERT_NEAR(found[head * shape.headDim + d], expected, 1e-5)
          << "slot " << token.slot << " position " << token.position << " head " << head << " d "
          << d;
    }
  }
}

std::vector<float> Sequences::plainRow(const Token &token) const {
  FloatModeScope mode; // as the runtime's team
  const bool scaled = shape.format == KvFormat::Int8;
  const int64_t positions = shape.page * shape.segment;
  int64_t first = 0;
  if (shape.window)
    first = std::max<int64_t>(0, token.position - shape.window + 1);
  std::vector<float> row;
  for (int64_t head = 0; head < shape.kvHeads * shape.group; ++head) {
    Softmax all(shape.headDim), segment(shape.headDim);
    for (int64_t from = first, to; from <= token.position; from = to) {
      to = std::min<int64_t>(from / shape.page * shape.page + shape.page, token.position + 1);
      std::vector<float> scores;
      std::vector<Entry> values;
      for (int64_t p = from; p < to; ++p) {
        const Token other{token.slot, int32_t(p)};
        const Entry key = entry(other, 1, head / shape.group);
        values.push_back(entry(other, 2, head / shape.group));
        float dot = 0;
        for (int64_t d = 0; d < shape.headDim; ++d)
          dot = std::fma(key.numbers[d], number(token, 0, head * shape.headDim + d), dot);
        const float factor = scaled ? key.scale * float(scale) : float(scale);
        scores.push_back(dot * factor);
      }
      joinPage(segment, scores, values, from % shape.page, scaled);
      if (to % positions && to <= token.position)
        continue;
      joinSegment(all, segment);
      segment = Softmax(shape.headDim);
    }
    for (float value : all.values)
      row.push_back(value / all.sum);
  }
  return row;
}

float Sequences::number(const Token &token, int what, int64_t i) const {
  Random random((token.slot * 100000 + token.position) * 4 + what + 1000003 * i);
  return random.uniform(-2, 2);
}

std::vector<float> Sequences::stored(const Token &token, int what, int64_t kvHead) const {
  std::vector<float> row;
  for (int64_t d = 0; d < shape.headDim; ++d)
    row.push_back(number(token, what, kvHead * shape.headDim + d));
  return read(shape.format, store(shape.format, row));
}

Entry Sequences::entry(const Token &token, int what, int64_t kvHead) const {
  std::vector<float> row;
  for (int64_t d = 0; d < shape.headDim; ++d)
    row.push_back(number(token, what, kvHead * shape.headDim + d));
  StoredRow kept = store(shape.format, row);
  const float scale = std::exchange(kept.scale, 1.0f);
  return {read(shape.format, kept), scale};
}

std::string Sequences::text(bool one, int64_t vectors) const {
  std::string ids = rowsOf(one, {}, "i32"), element = elementOf(shape.format);
  std::string n = one ? "" : "(%n)", rows = rowsOf(one, {queryWidth}, "f32");
  std::string kvRows = rowsOf(one, {kvWidth}, "f32"), pools = "memref<?x" + element + ">";
  std::string layout = " <layers = " + std::to_string(kLayers) +
                       ", kv_heads = " + std::to_string(shape.kvHeads) +
                       ", head_dim = " + std::to_string(shape.headDim) +
                       ", page = " + std::to_string(shape.page) + ", element = " + element + ">";
  std::string scratchType =
      std::to_string(one ? shape.group : kBlock) + "x" + std::to_string(columns) + "xf32";
  std::string partsType = "memref<" + std::to_string(kSegments) + "x" +
                          std::to_string(shape.kvHeads * shape.group) + "x" +
                          std::to_string(stride + 16) + "xf32>";
  std::string segment = "segment = " + std::to_string(shape.segment * shape.page) + " : i64";
  std::string window = shape.window ? ", window = " + std::to_string(shape.window) + " : i64" : "";
  std::string places = "%kv, %table, %slots, %positions[%layer]";
  std::string placeTypes = pools + ", memref<?x?xi32>, " + ids + ", " + ids;
  std::string text =
      sharedBuffer(one, "q", queries, {queryWidth}, "f32") +
      sharedBuffer(one, "k", keys, {kvWidth}, "f32") +
      sharedBuffer(one, "v", values, {kvWidth}, "f32") +
      sharedBuffer(one, "y", out, {queryWidth}, "f32") +
      privateBuffer("scratch", scratch, scratchType) + "%kv = tile.input kv : " + pools +
      "\n%table = tile.input page_table : memref<?x?xi32>\n" + "%slots = tile.input slots" + n +
      " : " + ids + "\n%positions = tile.input positions" + n + " : " + ids +
      "\n%layer = arith.constant " + std::to_string(kLayer) + " : index\n";
  if (one)
    text += "%parts = tile.alloc team at " + std::to_string(parts) + " : " + partsType + "\n";
  else
    text += turnsBuffer("turns", turns);
  std::string split = one ? "segments" : "rows";
  for (auto [side, rowsName] : {std::pair("keys", "%k"), {"values", "%v"}})
    text += "tile.kv_append " + split + " " + side + " " + rowsName + ", " + places + layout +
            (one ? " {" + segment + "}" : "") + " : " + kvRows + ", " + placeTypes + "\n";
  if (!one || shape.window)
    text += "tile.barrier\n"; // as InsertBarriers.cpp has it
  char scaleText[32];
  std::snprintf(scaleText, sizeof scaleText, "%.17e", scale);
  text += "tile.attend " + std::string(one ? "segments" : "tiles") + " %q, " + places +
          " scratch %scratch " + (one ? "-> %parts" : "turns %turns -> %y") + layout +
          " {scale = " + scaleText + " : f64, " + segment +
          ", vectors = " + std::to_string(vectors) + " : i64" + window + "} : " + rows + ", " +
          placeTypes + ", memref<" + scratchType + "> -> " + (one ? partsType : rows) + "\n";
  if (!one)
    return text;
  return text + "tile.barrier\ntile.attend_combine whole %parts, %positions -> %y {head_dim = " +
         std::to_string(shape.headDim) + " : i64, " + segment + window + "} : " + partsType + ", " +
         ids + " -> " + rows;
}

} // namespace moire::test
