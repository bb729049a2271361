#include "runtime/main/BenchReport.h"

#include "runtime/Format.h"
#include "runtime/Json.h"

#include <array>
#include <limits>

namespace moire {

std::string BenchTest::name() const {
  std::string name = prompt ? format("pp%lld", static_cast<long long>(prompt))
                            : format("tg%lld", static_cast<long long>(generate));
  if (sequences > 1)
    name += format(" x%lld", static_cast<long long>(sequences));
  if (depth)
    name += format(" @ d%lld", static_cast<long long>(depth));
  return name;
}

Statistics statistics(std::span<const double> samples) {
  const double count = static_cast<double>(samples.size());
  Statistics result;
  for (double sample : samples)
    result.mean += sample / count;
  double squares = 0;
  for (double sample : samples)
    squares += (sample - result.mean) * (sample - result.mean);
  if (samples.size() > 1)
    result.deviation = __builtin_sqrt(squares / (count - 1));
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  const size_t half = sorted.size() / 2;
  result.median = sorted.size() % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  return result;
}

namespace {
// What the rows of the tables below are about: a test with all that follows from its samples.
struct Entry {
  Entry(const BenchSubject &subject, const BenchResult &result)
      : subject(subject), test(result.test), needs(result.needs) {
    for (double seconds : result.seconds) {
      nanoseconds.push_back(seconds * 1e9);
      speeds.push_back(static_cast<double>(test.tokens()) / seconds);
    }
    time = statistics(nanoseconds);
    speed = statistics(speeds);
    auto median = [&](auto &&of) {
      std::vector<double> all;
      for (size_t run = 0; run < result.ideals.size(); ++run)
        all.push_back(of(result.ideals[run], result.seconds[run]));
      return all.empty() ? 0 : statistics(all).median;
    };
    ideal = median([](const BenchIdeal &ideal, double) { return ideal.all; });
    ofBandwidth = median([](const BenchIdeal &i, double seconds) { return i.memory / seconds; });
    ofPeak = median([](const BenchIdeal &i, double seconds) { return i.operations / seconds; });
  }

  const BenchSubject &subject;
  const BenchTest &test;
  const StepNeeds &needs;
  std::vector<double> nanoseconds, speeds; // of each run; tokens per second
  Statistics time, speed;
  // Medians of all runs, each beside what the machine gave then: the least seconds, and the parts
  // of a run that its bytes and its operations would take. 0: unknown.
  double ideal, ofBandwidth, ofPeak;
};

//---- The table -----------------------------------------------------------------------------------

// "6.74 B", "135 M".
std::string countText(int64_t count) {
  const double number = static_cast<double>(count);
  if (number < 999.5)
    return format("%lld", static_cast<long long>(count));
  return number < 999.5e3   ? format("%.3g k", number / 1e3)
         : number < 999.5e6 ? format("%.3g M", number / 1e6)
                            : format("%.2f B", number / 1e9);
}

std::string shareText(double share) { return share > 0 ? format("%.3f", share) : ""; }

// A column without a text in any row is left out.
struct Column {
  const char *title;
  bool right; // aligned so
  std::string (*text)(const Entry &);
};

constexpr Column columns[] = {
    {"model", false, [](const Entry &e) { return e.subject.model; }},
    {"size", true, [](const Entry &e) { return formatBytes(e.subject.bytes); }},
    {"params", true, [](const Entry &e) { return countText(e.subject.parameters); }},
    {"type", false, [](const Entry &e) { return e.subject.type; }},
    {"threads", true, [](const Entry &e) { return format("%d", e.test.threads); }},
    {"test", true, [](const Entry &e) { return e.test.name(); }},
    {"t/s", true,
     [](const Entry &e) { return format("%.2f ± %.2f", e.speed.mean, e.speed.deviation); }},
    {"median", true, [](const Entry &e) { return format("%.2f", e.speed.median); }},
    {"of bandwidth", true, [](const Entry &e) { return shareText(e.ofBandwidth); }},
    {"of peak", true, [](const Entry &e) { return shareText(e.ofPeak); }},
};
constexpr size_t kColumns = std::size(columns);
using Cells = std::array<std::string, kColumns>;

// Characters, not bytes.
size_t width(const std::string &text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; });
}

Cells cellsOf(const Entry &entry) {
  Cells cells;
  for (size_t i = 0; i < kColumns; ++i)
    for (char c : columns[i].text(entry)) {
      if (c == '|') // would end the cell
        cells[i] += '\\';
      cells[i] += c;
    }
  return cells;
}

std::string table(std::span<const Entry> entries) {
  std::vector<Cells> rows(1);
  for (size_t i = 0; i < kColumns; ++i)
    rows[0][i] = columns[i].title;
  for (const Entry &entry : entries)
    rows.push_back(cellsOf(entry));
  std::array<size_t, kColumns> widths = {};
  std::array<bool, kColumns> shown = {};
  for (const Cells &cells : rows)
    for (size_t i = 0; i < kColumns; ++i) {
      widths[i] = std::max(widths[i], width(cells[i]));
      shown[i] |= &cells != &rows[0] && !cells[i].empty();
    }
  Cells rule;
  for (size_t i = 0; i < kColumns; ++i)
    rule[i] = std::string(widths[i] - columns[i].right, '-') + (columns[i].right ? ":" : "");
  rows.insert(rows.begin() + 1, rule);

  std::string text;
  for (const Cells &cells : rows) {
    for (size_t i = 0; i < kColumns; ++i) {
      if (!shown[i])
        continue;
      const std::string padding(widths[i] - width(cells[i]), ' ');
      text += "| " + (columns[i].right ? padding + cells[i] : cells[i] + padding) + " ";
    }
    text += "|\n";
  }
  return text;
}

//---- Fields --------------------------------------------------------------------------------------

// What is not known is no number: null in JSON, empty in CSV.
double known(double number) {
  return number > 0 ? number : std::numeric_limits<double>::quiet_NaN();
}

// Nanoseconds are whole numbers, as llama-bench has them.
int64_t rounded(double number) { return static_cast<int64_t>(number + 0.5); }

// A name, and the value: one of the four functions.
struct Field {
  constexpr Field(const char *key, std::string (*text)(const Entry &)) : key(key), text(text) {}
  constexpr Field(const char *key, int64_t (*integer)(const Entry &))
      : key(key), integer(integer) {}
  constexpr Field(const char *key, double (*real)(const Entry &)) : key(key), real(real) {}
  constexpr Field(const char *key, void (*list)(const Entry &, JsonWriter &))
      : key(key), list(list) {}

  const char *key;
  std::string (*text)(const Entry &) = nullptr;
  int64_t (*integer)(const Entry &) = nullptr;
  double (*real)(const Entry &) = nullptr;
  void (*list)(const Entry &, JsonWriter &) = nullptr; // CSV leaves it out
};

constexpr Field fields[] = {
    {"build", [](const Entry &e) { return e.subject.compiler; }},
    {"cpu_info", [](const Entry &e) { return e.subject.cpu; }},
    {"model", [](const Entry &e) { return e.subject.model; }},
    {"model_type", [](const Entry &e) { return e.subject.type; }},
    {"model_size", [](const Entry &e) { return e.subject.bytes; }},
    {"model_n_params", [](const Entry &e) { return e.subject.parameters; }},
    {"activations", [](const Entry &e) { return e.subject.activations; }},
    {"type_k", [](const Entry &e) { return e.subject.kvType; }},
    {"type_v", [](const Entry &e) { return e.subject.kvType; }},
    {"n_batch", [](const Entry &e) { return e.subject.batch; }},
    {"n_threads", [](const Entry &e) { return int64_t{e.test.threads}; }},
    {"n_prompt", [](const Entry &e) { return e.test.prompt; }},
    {"n_gen", [](const Entry &e) { return e.test.generate; }},
    {"n_depth", [](const Entry &e) { return e.test.depth; }},
    {"n_sequences", [](const Entry &e) { return e.test.sequences; }},
    {"depth_by", [](const Entry &e) { return e.subject.depthBy; }},
    {"test", [](const Entry &e) { return e.test.name(); }},
    {"avg_ns", [](const Entry &e) { return rounded(e.time.mean); }},
    {"stddev_ns", [](const Entry &e) { return rounded(e.time.deviation); }},
    {"avg_ts", [](const Entry &e) { return e.speed.mean; }},
    {"stddev_ts", [](const Entry &e) { return e.speed.deviation; }},
    {"median_ts", [](const Entry &e) { return e.speed.median; }},
    {"need_operations", [](const Entry &e) { return known(e.needs.operations()); }},
    {"need_bytes", [](const Entry &e) { return known(e.needs.bytes); }},
    {"ideal_ns", [](const Entry &e) { return known(e.ideal * 1e9); }},
    {"of_bandwidth", [](const Entry &e) { return known(e.ofBandwidth); }},
    {"of_peak", [](const Entry &e) { return known(e.ofPeak); }},
    {"samples_ns",
     [](const Entry &e, JsonWriter &json) {
       for (double nanoseconds : e.nanoseconds)
         json.integer(rounded(nanoseconds));
     }},
    {"samples_ts",
     [](const Entry &e, JsonWriter &json) {
       for (double speed : e.speeds)
         json.real(speed);
     }},
};

void write(JsonWriter &json, const Field &field, const Entry &entry) {
  if (field.text)
    json.string(field.text(entry));
  else if (field.integer)
    json.integer(field.integer(entry));
  else if (field.real)
    json.real(field.real(entry));
  else {
    field.list(entry, json.beginArray());
    json.endArray();
  }
}

void write(JsonWriter &json, const Entry &entry) {
  json.beginObject();
  for (const Field &field : fields)
    write(json.key(field.key), field, entry);
  json.endObject();
}

// CSV as in RFC 4180, every value in quotes.
std::string quoted(const std::string &text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"')
      out += c;
    out += c;
  }
  return out + '"';
}

std::string csv(std::span<const Entry> entries) {
  std::string text;
  for (const Field &field : fields)
    if (!field.list)
      text += (text.empty() ? "" : ",") + std::string(field.key);
  for (const Entry &entry : entries) {
    char separator = '\n';
    for (const Field &field : fields) {
      if (field.list)
        continue;
      JsonWriter number;
      if (!field.text)
        write(number, field, entry);
      const std::string value = number.text == "null" ? "" : number.text;
      text += separator + quoted(field.text ? field.text(entry) : value);
      separator = ',';
    }
  }
  return text + "\n";
}

std::string jsonLines(std::span<const Entry> entries) {
  std::string lines;
  for (const Entry &entry : entries) {
    JsonWriter json;
    write(json, entry);
    lines += json.text + "\n";
  }
  return lines;
}

std::string jsonArray(std::span<const Entry> entries) {
  JsonWriter json;
  json.beginArray();
  for (const Entry &entry : entries)
    write(json, entry);
  return json.endArray().text + "\n";
}
} // namespace

std::string benchReport(BenchFormat format, const BenchSubject &subject,
                        std::span<const BenchResult> results) {
  std::vector<Entry> entries;
  for (const BenchResult &result : results)
    entries.emplace_back(subject, result);
  switch (format) {
  case BenchFormat::Markdown:
    return table(entries);
  case BenchFormat::Csv:
    return csv(entries);
  case BenchFormat::Json:
    return jsonArray(entries);
  case BenchFormat::JsonLines:
    return jsonLines(entries);
  }
  __builtin_unreachable();
}

} // namespace moire
