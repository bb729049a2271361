#include "bench/limits/Report.h"

#include "runtime/Format.h"
#include "runtime/Json.h"

#include <algorithm>

namespace moire::limits {

std::string_view nameOf(Kind kind) {
  constexpr std::string_view names[] = {"read", "f32", "bf16", "int8"};
  return names[static_cast<int>(kind)];
}

Limit &Report::limit(Kind kind, int64_t threads) {
  for (Limit &limit : limits)
    if (limit.kind == kind && limit.threads == threads)
      return limit;
  return limits.emplace_back(Limit{kind, threads, {}, {}});
}

double Report::best(Kind kind, int64_t threads) const {
  for (const Limit &limit : limits)
    if (limit.kind == kind && limit.threads == threads)
      return limit.best();
  return 0;
}

static std::string cell(double perSecond, const std::string &by = "") {
  if (perSecond <= 0)
    return "–";
  std::string number = format(perSecond < 1e11 ? "%.1f" : "%.0f", perSecond / 1e9);
  return by.empty() ? number : number + " (" + by + ")";
}

static std::string share(double part, double whole) {
  return part > 0 && whole > 0 ? format("%.2f", part / whole) : "–";
}

std::string toMarkdown(const Report &report) {
  std::string text = report.machine + ", " + report.features + "\n\n";
  text += "| limit | threads | best | assembly | generated |\n|---|---:|---:|---|---|\n";
  for (Kind kind : kKinds)
    for (const Limit &limit : report.limits)
      if (limit.kind == kind)
        text += format("| %s | %lld | %s | %s | %s |\n",
                       kind == Kind::Read ? "read, GB/s"
                                          : (std::string(nameOf(kind)) + ", Gop/s").c_str(),
                       static_cast<long long>(limit.threads), cell(limit.best()).c_str(),
                       cell(limit.assembly.perSecond, limit.assembly.by).c_str(),
                       cell(limit.generated.perSecond, limit.generated.by).c_str());
  if (report.ceilings.empty())
    return text;
  text += "\nProducts that the compiler makes: many rows in the caches, and one row of weights in "
          "memory.\n\n"
          "| weights | instruction | threads | many rows, Gop/s | of peak | one row, GB/s | of "
          "bandwidth |\n|---|---|---:|---:|---:|---:|---:|\n";
  for (const Ceiling &ceiling : report.ceilings)
    text += format("| %s | %s | %lld | %s | %s | %s | %s |\n", ceiling.format.c_str(),
                   ceiling.instruction.c_str(), static_cast<long long>(ceiling.threads),
                   cell(ceiling.operations).c_str(),
                   share(ceiling.operations, report.best(ceiling.kind, ceiling.threads)).c_str(),
                   cell(ceiling.read).c_str(),
                   share(ceiling.read, report.best(Kind::Read, ceiling.threads)).c_str());
  return text;
}

static void writeRate(JsonWriter &json, const char *key, const Rate &rate) {
  json.key(key);
  if (rate.perSecond <= 0)
    json.null();
  else
    json.beginObject().key("rate").real(rate.perSecond).key("by").string(rate.by).endObject();
}

std::string toJson(const Report &report) {
  JsonWriter json;
  json.beginObject().key("machine").string(report.machine);
  json.key("features").string(report.features).key("limits").beginArray();
  for (const Limit &limit : report.limits) {
    json.beginObject().key("kind").string(nameOf(limit.kind));
    json.key("threads").integer(limit.threads).key("rate").real(limit.best());
    writeRate(json, "assembly", limit.assembly);
    writeRate(json, "generated", limit.generated);
    json.endObject();
  }
  json.endArray().key("formats").beginArray();
  for (const Ceiling &ceiling : report.ceilings) {
    json.beginObject().key("format").string(ceiling.format);
    json.key("instruction").string(ceiling.instruction).key("kind").string(nameOf(ceiling.kind));
    json.key("threads").integer(ceiling.threads).key("operations").real(ceiling.operations);
    json.key("read").real(ceiling.read).endObject();
  }
  json.endArray().endObject();
  return json.text + "\n";
}

} // namespace moire::limits
