// The Trace Event Format, as chrome://tracing and Perfetto read it: complete events ("X") of one
// thread, an event inside of another one where its time is; names of processes and threads ("M").

#include "runtime/Json.h"
#include "runtime/Profile.h"

#include <algorithm>

namespace moire {

void Profile::keep(Kind &kind, const moire_observation &step) {
  const size_t place = (kind.steps - 1) % kTracedSteps;
  if (place == kind.traced.size())
    kind.traced.emplace_back();
  TracedStep &traced = kind.traced[place];
  traced.begin = step.begin;
  traced.end = step.end;
  traced.tokens = step.token_count;
  traced.threads.resize(step.threads);
  for (int64_t thread = 0; thread < step.threads; ++thread)
    traced.threads[thread].assign(step.stamps[thread], step.stamps[thread] + step.stamp_count);
}

namespace {
class TraceWriter {
public:
  TraceWriter(const std::vector<ProfiledRegion> &regions, uint64_t origin, double cyclesPerSecond)
      : regions(regions), origin(origin), microsecond(cyclesPerSecond * 1e-6) {
    json.beginObject().key("displayTimeUnit").string("ns").key("traceEvents").beginArray();
  }

  std::string finish() {
    json.endArray().endObject();
    return json.text + "\n";
  }

  /// The steps of one kind are a process.
  void nameProcess(int64_t process, const std::string &name) {
    json.beginObject().key("ph").string("M").key("name").string("process_name");
    json.key("pid").integer(process).key("args").beginObject().key("name").string(name);
    json.endObject().endObject();
  }

  void step(int64_t process, int64_t thread, uint64_t begin, uint64_t end, int64_t tokens,
            const std::vector<moire_stamp> &stamps) {
    open("step", process, thread, begin, end).key("tokens").integer(tokens);
    close();
    const std::string &whole = regions[stamps.front().region].function;
    int64_t layer = -1;
    for (size_t i = 0; i < stamps.size(); ++i) {
      const uint64_t from = i ? stamps[i - 1].cycles : begin;
      const ProfiledRegion &region = regions[stamps[i].region];
      const bool isInLayer = region.function != whole;
      if (isInLayer && isBeginOfCall(stamps, i)) {
        open(region.function, process, thread, from, stamps[endOfCall(stamps, i)].cycles);
        json.key("layer").integer(++layer);
        close();
      }
      open(region.name, process, thread, from, stamps[i].cycles);
      if (isInLayer)
        json.key("layer").integer(layer);
      if (region.expertBytes)
        json.key("experts").integer(stamps[i].experts);
      close();
    }
    open("end", process, thread, stamps.back().cycles, end);
    close();
  }

private:
  // Numbers ascend in a function: the next call of the same one begins with a lower number.
  bool isBeginOfCall(const std::vector<moire_stamp> &stamps, size_t i) const {
    return i == 0 || stamps[i].region <= stamps[i - 1].region ||
           regions[stamps[i].region].function != regions[stamps[i - 1].region].function;
  }
  size_t endOfCall(const std::vector<moire_stamp> &stamps, size_t i) const {
    while (i + 1 < stamps.size() && !isBeginOfCall(stamps, i + 1))
      ++i;
    return i;
  }

  double micros(uint64_t from, uint64_t to) const {
    return static_cast<double>(static_cast<int64_t>(to - from)) / microsecond;
  }

  JsonWriter &open(const std::string &name, int64_t process, int64_t thread, uint64_t begin,
                   uint64_t end) {
    json.beginObject().key("ph").string("X").key("name").string(name);
    json.key("pid").integer(process).key("tid").integer(thread);
    json.key("ts").real(micros(origin, begin)).key("dur").real(micros(begin, end));
    return json.key("args").beginObject();
  }
  void close() { json.endObject().endObject(); }

  const std::vector<ProfiledRegion> &regions;
  const uint64_t origin;
  const double microsecond; // cycles
  JsonWriter json;
};
} // namespace

std::string Profile::trace(double cyclesPerSecond) const {
  uint64_t origin = UINT64_MAX;
  for (const Kind &kind : kinds)
    for (const TracedStep &step : kind.traced)
      origin = std::min(origin, step.begin);
  TraceWriter writer(regions, origin, cyclesPerSecond);
  int64_t process = 0;
  for (const Kind &kind : kinds) {
    writer.nameProcess(++process, kind.name);
    for (const TracedStep &step : kind.traced)
      for (size_t thread = 0; thread < step.threads.size(); ++thread)
        writer.step(process, static_cast<int64_t>(thread), step.begin, step.end, step.tokens,
                    step.threads[thread]);
  }
  return writer.finish();
}

} // namespace moire
