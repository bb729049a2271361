#include "runtime/Profile.h"

#include "runtime/Format.h"

#include <algorithm>

namespace moire {

namespace {
// The way out of a step: the last threads arrive where the team meets after every step.
constexpr const char *kEnd = "end";

std::string counted(int64_t count, const char *what) {
  return format("%lld %s%s", static_cast<long long>(count), what, count == 1 ? "" : "s");
}
} // namespace

double RegionCost::shareOfLimit(const ProfileLimits &limits) const {
  double peak = arithmetic == "int8"   ? limits.int8
                : arithmetic == "bf16" ? limits.bf16
                                       : limits.f32;
  double reading = limits.bytes > 0 ? bytes / limits.bytes : 0;
  double computing = peak > 0 ? products / peak : 0;
  return time > 0 ? std::max(reading, computing) / time : 0;
}

Profile::Profile(std::vector<ProfiledRegion> regions) : regions(std::move(regions)) {}

void Profile::begin(std::string newName) {
  name = std::move(newName);
  named = true;
}

bool Profile::fits(const moire_observation &step) const {
  const int64_t count = static_cast<int64_t>(regions.size());
  for (int64_t i = 0; i < step.stamp_count; ++i)
    for (int64_t thread = 0; thread < step.threads; ++thread) {
      int64_t region = step.stamps[thread][i].region;
      if (region < 0 || region >= count || region != step.stamps[0][i].region)
        return false;
    }
  return step.threads > 0 && step.stamp_count > 0 && regions[step.stamps[0][0].region].wait;
}

Profile::Kind &Profile::kindOf(const moire_observation &step) {
  const std::string wanted = named ? name : counted(step.token_count, "token");
  for (Kind &kind : kinds)
    if (kind.name == wanted && kind.threads == step.threads)
      return kind;
  Kind &kind = kinds.emplace_back();
  kind.name = wanted;
  kind.threads = step.threads;
  kind.sums.resize(regions.size() + 1);
  return kind;
}

void Profile::add(const moire_observation &step) {
  if ((named && name.empty()) || !fits(step))
    return;
  Kind &kind = kindOf(step);
  ++kind.steps;
  kind.tokens += step.token_count;
  kind.cycles += step.end - step.begin;
  addTimes(kind, step);
  addWork(kind, step);
  keep(kind, step);
}

// Threads pass the same regions, so that place i is the same region for all of them.
void Profile::addTimes(Kind &kind, const moire_observation &step) const {
  auto regionAt = [&](int64_t i) { return step.stamps[0][i].region; };
  // The end of place i; that of place -1 is the begin of the step.
  auto at = [&](int64_t thread, int64_t i) {
    return i < 0 ? step.begin : step.stamps[thread][i].cycles;
  };
  auto between = [](uint64_t from, uint64_t to) { return static_cast<int64_t>(to - from); };

  uint64_t arrival = step.begin; // of the last thread, where the team met last
  for (int64_t wait = 0; wait < step.stamp_count;) {
    int64_t next = wait + 1;
    while (next < step.stamp_count && !regions[regionAt(next)].wait)
      ++next;
    int64_t last = 0; // the thread that comes last to where the team meets next
    for (int64_t thread = 1; thread < step.threads; ++thread)
      if (between(at(last, next - 1), at(thread, next - 1)) > 0)
        last = thread;
    kind.sums[regionAt(wait)].cycles += between(arrival, at(last, wait));
    for (int64_t i = wait + 1; i < next; ++i)
      kind.sums[regionAt(i)].cycles += between(at(last, i - 1), at(last, i));
    arrival = at(last, next - 1);
    wait = next;
  }
  kind.sums.back().cycles += between(arrival, step.end);
  ++kind.sums.back().calls;
  for (int64_t thread = 0; thread < step.threads; ++thread) {
    for (int64_t i = 0; i < step.stamp_count; ++i)
      kind.sums[regionAt(i)].threadCycles += between(at(thread, i - 1), at(thread, i));
    kind.sums.back().threadCycles += between(at(thread, step.stamp_count - 1), step.end);
  }
}

Profile::Sight Profile::sightOf(const moire_observation &step, const ProfiledRegion &region) {
  struct Range {
    int32_t slot;
    int64_t first, end;
  };
  std::vector<Range> sequences;
  Sight sight{region.window, region.segment};
  const int64_t size = std::max<int64_t>(region.segment, 1);
  for (int64_t t = 0; t < step.token_count; ++t) {
    const int64_t position = step.positions[t], end = position / size + 1;
    const int64_t first =
        region.window ? std::max<int64_t>(0, position + 1 - region.window) / size : 0;
    sight.byRows += end - first;
    auto known = std::find_if(sequences.begin(), sequences.end(),
                              [&](const Range &range) { return range.slot == step.slots[t]; });
    if (known == sequences.end()) {
      sequences.push_back({step.slots[t], first, end});
      continue;
    }
    known->first = std::min(known->first, first);
    known->end = std::max(known->end, end);
  }
  for (const Range &range : sequences)
    sight.bySequences += range.end - range.first;
  return sight;
}

void Profile::addWork(Kind &kind, const moire_observation &step) const {
  std::vector<Sight> sights; // one a window and segment
  for (int64_t i = 0; i < step.stamp_count; ++i) {
    const moire_stamp &stamp = step.stamps[0][i];
    const ProfiledRegion &region = regions[stamp.region];
    const double rows = static_cast<double>(region.ofLogits ? step.row_count : step.token_count);
    Sum &sum = kind.sums[stamp.region];
    ++sum.calls;
    sum.bytes += static_cast<double>(region.bytes) + rows * static_cast<double>(region.rowBytes) +
                 static_cast<double>(stamp.experts) * static_cast<double>(region.expertBytes);
    sum.products += rows * static_cast<double>(region.rowProducts);
    if (!region.positionBytes && !region.positionProducts)
      continue;
    auto sight = std::find_if(sights.begin(), sights.end(), [&](const Sight &known) {
      return known.window == region.window && known.segment == region.segment;
    });
    if (sight == sights.end())
      sight = sights.insert(sight, sightOf(step, region));
    sum.bytes +=
        static_cast<double>(sight->bySequences) * static_cast<double>(region.positionBytes);
    sum.products +=
        static_cast<double>(sight->byRows) * static_cast<double>(region.positionProducts);
  }
}

std::vector<StepCost> Profile::costs(double cyclesPerSecond) const {
  std::vector<StepCost> result;
  for (const Kind &kind : kinds) {
    StepCost &cost = result.emplace_back();
    cost.name = kind.name;
    cost.steps = kind.steps;
    cost.tokens = kind.tokens;
    cost.threads = kind.threads;
    const double steps = static_cast<double>(kind.steps), second = cyclesPerSecond * steps;
    cost.time = static_cast<double>(kind.cycles) / second;
    // Regions of one name are one to the reader: the barriers, a product in layers of two classes.
    for (size_t i = 0; i < kind.sums.size(); ++i) {
      const Sum &sum = kind.sums[i];
      if (!sum.calls)
        continue;
      const bool isRegion = i < regions.size();
      const std::string_view called = isRegion ? std::string_view(regions[i].name) : kEnd;
      size_t known = 0;
      while (known < cost.regions.size() && cost.regions[known].name != called)
        ++known;
      if (known == cost.regions.size()) {
        cost.regions.emplace_back().name = called;
        cost.regions[known].arithmetic = isRegion ? std::string_view(regions[i].arithmetic) : "";
      }
      RegionCost &region = cost.regions[known];
      region.calls += static_cast<double>(sum.calls) / steps;
      region.time += static_cast<double>(sum.cycles) / second;
      region.threadTime +=
          static_cast<double>(sum.threadCycles) / (second * static_cast<double>(kind.threads));
      region.bytes += sum.bytes / steps;
      region.products += sum.products / steps;
    }
    std::sort(cost.regions.begin(), cost.regions.end(),
              [](const RegionCost &a, const RegionCost &b) { return a.time > b.time; });
  }
  return result;
}

namespace {
std::string ifAny(double amount, const char *how) { return amount > 0 ? format(how, amount) : ""; }

std::string perSecond(double amount, double seconds) {
  return ifAny(seconds > 0 ? amount / seconds * 1e-9 : 0, "%.1f");
}

// Writes the rows of a table; the first column is as wide as its longest name.
class TableWriter {
public:
  TableWriter(const StepCost &cost, const ProfileLimits *limits)
      : limits(limits), whole(cost.time) {
    for (const RegionCost &region : cost.regions)
      width = std::max(width, static_cast<int>(region.name.size()));
    text = std::string(cost.name) + ": " + counted(cost.steps, "step") + ", " +
           counted(cost.tokens, "token") + ", " + counted(cost.threads, "thread") + "\n\n";
    text += format("| %-*s |  calls |    time us |  share |  thread us |   read MB |  GB/s | "
                   "mul-add M |  GOP/s |%s\n",
                   width, kFirst, limits ? " of limit |" : "");
    text += format("| %s | -----: | ---------: | -----: | ---------: | --------: | ----: | "
                   "--------: | -----: |%s\n",
                   std::string(width, '-').c_str(), limits ? " -------: |" : "");
  }

  void row(const RegionCost &region, const ProfileLimits *own) {
    text += format("| %-*s | %6.6g | %10.1f | %5.1f%% | %10.1f | %9s | %5s | %9s | %6s |", width,
                   std::string(region.name).c_str(), region.calls, region.time * 1e6,
                   whole > 0 ? 100 * region.time / whole : 0, region.threadTime * 1e6,
                   ifAny(region.bytes * 1e-6, "%.3f").c_str(),
                   perSecond(region.bytes, region.time).c_str(),
                   ifAny(region.products * 1e-6, "%.2f").c_str(),
                   perSecond(2 * region.products, region.time).c_str());
    if (limits)
      text += format(" %8s |", ifAny(own ? 100 * region.shareOfLimit(*own) : 0, "%.1f%%").c_str());
    text += "\n";
  }

  std::string text;

private:
  static constexpr const char *kFirst = "region, per step";
  const ProfileLimits *limits;
  const double whole;
  int width = static_cast<int>(std::string_view(kFirst).size());
};
} // namespace

std::string Profile::table(double cyclesPerSecond, const LimitsOfThreads &limits) const {
  std::string text;
  for (const StepCost &cost : costs(cyclesPerSecond)) {
    const ProfileLimits ofThreads = limits ? limits(cost.threads) : ProfileLimits();
    TableWriter writer(cost, limits ? &ofThreads : nullptr);
    RegionCost whole;
    whole.name = "step";
    whole.calls = 1;
    whole.time = cost.time;
    for (const RegionCost &region : cost.regions) {
      writer.row(region, limits ? &ofThreads : nullptr);
      whole.bytes += region.bytes;
      whole.products += region.products;
      whole.threadTime += region.threadTime;
    }
    writer.row(whole, nullptr); // its products are of several kinds
    text += (text.empty() ? "" : "\n") + writer.text;
  }
  return text;
}

} // namespace moire
