#include "runtime/Work.h"

#include "runtime/Json.h"

namespace moire {

namespace {
// The members that are counts, each once for both directions.
struct Count {
  const char *name;
  int64_t &(*of)(WorkPart &part);
};

constexpr Count kCounts[] = {
    {"times", [](WorkPart &part) -> int64_t & { return part.times; }},
    {"f32", [](WorkPart &part) -> int64_t & { return part.token.f32; }},
    {"bf16", [](WorkPart &part) -> int64_t & { return part.token.bf16; }},
    {"int8", [](WorkPart &part) -> int64_t & { return part.token.int8; }},
    {"f32_position", [](WorkPart &part) -> int64_t & { return part.position.f32; }},
    {"bf16_position", [](WorkPart &part) -> int64_t & { return part.position.bf16; }},
    {"int8_position", [](WorkPart &part) -> int64_t & { return part.position.int8; }},
    {"window", [](WorkPart &part) -> int64_t & { return part.window; }},
    {"bytes", [](WorkPart &part) -> int64_t & { return part.bytes; }},
    {"token_bytes", [](WorkPart &part) -> int64_t & { return part.tokenBytes; }},
    {"kv_bytes", [](WorkPart &part) -> int64_t & { return part.kvBytes; }},
    {"experts", [](WorkPart &part) -> int64_t & { return part.experts; }},
    {"chosen", [](WorkPart &part) -> int64_t & { return part.chosen; }},
    {"expert_bytes", [](WorkPart &part) -> int64_t & { return part.expertBytes; }},
};
} // namespace

std::string toJson(const Work &work) {
  JsonWriter json;
  json.beginArray();
  for (WorkPart part : work) {
    json.beginObject();
    if (part.head)
      json.key("head").boolean(true);
    for (const Count &count : kCounts)
      if (int64_t value = count.of(part))
        json.key(count.name).integer(value);
    json.endObject();
  }
  return json.endArray().text;
}

bool parseWork(const JsonValue &value, Work &work) {
  work.clear();
  if (value.kind != JsonValue::Array)
    return false;
  for (const JsonValue &item : value.items) {
    if (item.kind != JsonValue::Object)
      return false;
    WorkPart &part = work.emplace_back();
    if (const JsonValue *head = item.find("head"))
      part.head = head->kind == JsonValue::Bool && head->boolean;
    for (const Count &count : kCounts)
      if (const JsonValue *member = item.find(count.name)) {
        if (member->kind != JsonValue::Integer || member->integer < 0)
          return false;
        count.of(part) = member->integer;
      }
  }
  return true;
}

} // namespace moire
