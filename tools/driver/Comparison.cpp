#include "tools/driver/Comparison.h"

#include "frontends/weights/Dequantize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace moire::driver {

//===- Reading --------------------------------------------------------------------------------===//

namespace {
class TraceReader {
public:
  TraceReader(const std::map<std::string, TensorEntry> &tensors, std::string prefix,
              std::string &error)
      : tensors(tensors), prefix(std::move(prefix)), error(error) {}

  const TensorEntry *find(const std::string &name) const {
    auto found = tensors.find(prefix + name);
    return found == tensors.end() ? nullptr : &found->second;
  }

  bool rows(const std::string &name, Rows &rows) {
    const TensorEntry *tensor = find(name);
    if (!tensor || tensor->shape.size() != 2 || !isWeightType(tensor->type))
      return fail(name, "a matrix of floats");
    if (!tensor->shape[0] || !tensor->shape[1])
      return isEmpty(name);
    rows = {tensor->shape[0], tensor->shape[1], {}};
    rows.values.resize(rows.count * rows.width);
    dequantizeRows(*tensor, 0, rows.count, rows.values);
    return true;
  }

  bool route(int64_t layer, Route &route) {
    const std::string name = "route." + std::to_string(layer);
    const TensorEntry *experts = find(name + ".experts"), *margin = find(name + ".margin");
    if (experts->shape.size() != 2 || experts->type != StorageType::I32)
      return fail(name + ".experts", "a matrix of 32-bit integers");
    if (!experts->shape[0] || !experts->shape[1])
      return isEmpty(name + ".experts");
    route.tokens = experts->shape[0], route.k = experts->shape[1];
    route.experts.resize(route.tokens * route.k);
    std::memcpy(route.experts.data(), experts->data().data(), experts->bytes);
    if (!margin)
      return true;
    if (margin->shape != std::vector<int64_t>{route.tokens} || margin->type != StorageType::F32)
      return fail(name + ".margin", "a float for each token");
    route.margins.resize(route.tokens);
    std::memcpy(route.margins.data(), margin->data().data(), margin->bytes);
    return true;
  }

private:
  bool fail(const std::string &name, const char *expected) {
    error = (find(name) ? "the tensor " : "there is no tensor ") + prefix + name +
            (find(name) ? " is not " + std::string(expected) : "");
    return false;
  }

  bool isEmpty(const std::string &name) {
    error = "the tensor " + prefix + name + " is empty";
    return false;
  }

  const std::map<std::string, TensorEntry> &tensors;
  std::string prefix;
  std::string &error;
};
} // namespace

int64_t Trace::tokens() const {
  if (!hidden.empty())
    return hidden.front().count;
  if (!routes.empty())
    return routes.begin()->second.tokens;
  return tail ? 0 : logits.count;
}

bool readTrace(const std::map<std::string, TensorEntry> &tensors, const std::string &prefix,
               Trace &trace, std::string &error) {
  TraceReader reader(tensors, prefix, error);
  trace.tail = reader.find("logits_tail");
  if (!reader.rows(trace.tail ? "logits_tail" : "logits", trace.logits))
    return false;
  for (int64_t i = 0; reader.find("hidden." + std::to_string(i)); ++i)
    if (!reader.rows("hidden." + std::to_string(i), trace.hidden.emplace_back()))
      return false;
  // Not every layer has a router, so their numbers are read off the names.
  const std::string begin = prefix + "route.", end = ".experts";
  for (const auto &[name, tensor] : tensors) {
    if (!name.starts_with(begin) || !name.ends_with(end) || name.size() > begin.size() + 16)
      continue;
    int64_t layer = 0;
    const std::string digits = name.substr(begin.size(), name.size() - begin.size() - end.size());
    if (digits.empty() || digits.size() > 6 ||
        digits.find_first_not_of("0123456789") != std::string::npos)
      continue;
    layer = std::stoll(digits);
    if (!reader.route(layer, trace.routes[layer]))
      return false;
  }
  return true;
}

//===- Comparing ------------------------------------------------------------------------------===//

static double distance(float x, float y) {
  if (x == y || (std::isnan(x) && std::isnan(y)))
    return 0;
  const double difference = std::fabs(double(x) - y);
  return std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference;
}

namespace {
class Comparer {
public:
  Comparer(const Trace &a, const Trace &b, double tolerance, Comparison &to, std::string &error)
      : a(a), b(b), tolerance(tolerance), to(to), error(error) {}

  bool run() {
    if (a.tokens() && b.tokens() && a.tokens() != b.tokens())
      return fail("prompts of " + std::to_string(a.tokens()) + " and of " +
                  std::to_string(b.tokens()) + " tokens");
    judged = to.tokens =
        std::max({a.tokens(), b.tokens(), std::min(a.logits.count, b.logits.count)});
    if (!a.hidden.empty() && !b.hidden.empty()) {
      if (a.hidden.size() != b.hidden.size())
        return fail("models of " + std::to_string(a.hidden.size() - 1) + " and of " +
                    std::to_string(b.hidden.size() - 1) + " layers");
      to.embedding.emplace();
      if (!compareRows("hidden.0", a.hidden[0], b.hidden[0], "the embedding", *to.embedding))
        return false;
    }
    const size_t layers = std::max({a.hidden.size(), b.hidden.size(), size_t{1}}) - 1;
    to.layers.resize(std::max(layers, routedLayers()));
    for (size_t i = 0; i < to.layers.size(); ++i)
      if (!compareLayer(i, to.layers[i]))
        return false;
    return compareLogits();
  }

private:
  bool fail(const std::string &why) {
    error = "these cannot be compared: " + why;
    return false;
  }

  void part(const std::string &where) {
    if (to.parting.empty())
      to.parting = where;
  }

  size_t routedLayers() const {
    size_t end = 0;
    for (const Trace *trace : {&a, &b})
      if (!trace->routes.empty())
        end = std::max<size_t>(end, trace->routes.rbegin()->first + 1);
    return end;
  }

  // Both may hold the last rows of the prompt only.
  bool compareRows(const std::string &name, const Rows &x, const Rows &y, const std::string &where,
                   Difference &difference) {
    if (x.width != y.width)
      return fail(name + " has " + std::to_string(x.width) + " and " + std::to_string(y.width) +
                  " columns");
    const int64_t count = std::min(x.count, y.count);
    double ofJudged = 0;
    for (int64_t t = 0; t < count; ++t) {
      const float *left = x.row(x.count - count + t), *right = y.row(y.count - count + t);
      for (int64_t i = 0; i < x.width; ++i) {
        const double apart = distance(left[i], right[i]);
        difference.largest = std::max(difference.largest, apart);
        if (to.tokens - count + t < judged)
          ofJudged = std::max(ofJudged, apart);
        for (float value : {left[i], right[i]})
          if (std::isfinite(value))
            difference.absmax = std::max<double>(difference.absmax, std::fabs(value));
      }
    }
    if (ofJudged > 0 && !(ofJudged <= tolerance * difference.absmax))
      part(where);
    return true;
  }

  bool compareLayer(size_t i, LayerComparison &layer) {
    const std::string number = std::to_string(i);
    auto inA = a.routes.find(static_cast<int64_t>(i)), inB = b.routes.find(static_cast<int64_t>(i));
    if (inA != a.routes.end() && inB != b.routes.end() &&
        !compareRoutes(number, inA->second, inB->second, layer))
      return false;
    if (i + 1 >= a.hidden.size() || i + 1 >= b.hidden.size())
      return true;
    layer.output.emplace();
    return compareRows("hidden." + std::to_string(i + 1), a.hidden[i + 1], b.hidden[i + 1],
                       "layer " + number, *layer.output);
  }

  bool compareRoutes(const std::string &number, const Route &x, const Route &y,
                     LayerComparison &layer) {
    if (x.k != y.k || x.tokens != y.tokens)
      return fail("route." + number + " has " + std::to_string(x.k) + " experts for each of " +
                  std::to_string(x.tokens) + " tokens, and " + std::to_string(y.k) +
                  " for each of " + std::to_string(y.tokens));
    layer.routed = x.tokens;
    const std::vector<float> &margins = x.margins.empty() ? y.margins : x.margins;
    int64_t firstTie = judged;
    for (int64_t t = 0; t < x.tokens; ++t) {
      auto sorted = [&](const Route &route) {
        std::vector<int32_t> set(route.experts.begin() + t * route.k,
                                 route.experts.begin() + (t + 1) * route.k);
        std::sort(set.begin(), set.end());
        return set;
      };
      ChangedSet changed{t, sorted(x), sorted(y), std::nullopt, false};
      if (changed.a == changed.b)
        continue;
      if (!margins.empty())
        changed.margin = margins[t];
      changed.tie = changed.margin && *changed.margin < kTie;
      if (changed.tie)
        firstTie = std::min(firstTie, t);
      else if (t < judged)
        part("the experts of layer " + number);
      layer.changed.push_back(std::move(changed));
    }
    judged = firstTie;
    return true;
  }

  bool compareLogits() {
    const Rows &x = a.logits, &y = b.logits;
    if (!compareRows("logits", x, y, "the logits", to.logits))
      return false;
    to.positions = std::min(x.count, y.count);
    for (int64_t t = 0; t < to.positions; ++t) {
      const float *left = x.row(x.count - to.positions + t);
      const float *right = y.row(y.count - to.positions + t);
      auto isNumber = [](float logit) { return std::isfinite(logit); };
      to.notNumbers += !std::all_of(left, left + x.width, isNumber) ||
                       !std::all_of(right, right + y.width, isNumber);
      to.otherLikeliest += std::max_element(left, left + x.width) - left !=
                           std::max_element(right, right + y.width) - right;
      const double divergence = divergenceOf(left, right, x.width);
      to.divergence += divergence / static_cast<double>(to.positions);
      to.largestDivergence = std::max(to.largestDivergence, divergence);
    }
    return true;
  }

  // KL(softmax(y) || softmax(x)), in nats.
  static double divergenceOf(const float *x, const float *y, int64_t width) {
    auto logSum = [&](const float *logits) {
      const double largest = *std::max_element(logits, logits + width);
      double sum = 0;
      for (int64_t i = 0; i < width; ++i)
        sum += std::exp(logits[i] - largest);
      return largest + std::log(sum);
    };
    const double ofX = logSum(x), ofY = logSum(y);
    double divergence = 0;
    for (int64_t i = 0; i < width; ++i)
      divergence += std::exp(y[i] - ofY) * ((y[i] - ofY) - (x[i] - ofX));
    return std::isnan(divergence) ? std::numeric_limits<double>::infinity()
                                  : std::max(divergence, 0.0);
  }

  const Trace &a, &b;
  double tolerance;
  Comparison &to;
  std::string &error;
  int64_t judged = 0; // tokens before the first tie
};
} // namespace

bool compareTraces(const Trace &a, const Trace &b, double tolerance, Comparison &comparison,
                   std::string &error) {
  return Comparer(a, b, tolerance, comparison, error).run();
}

} // namespace moire::driver
