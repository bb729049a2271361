// The runtime's JSON: the metadata section, and the lines of --tokenize.

#include "runtime/Json.h"
#include "runtime/Metadata.h"

#include <cstdlib>

using namespace moire;

/// What was read can be written, and reads as the same again.
static void write(const JsonValue &value, JsonWriter &json) {
  switch (value.kind) {
  case JsonValue::Null:
    json.null();
    return;
  case JsonValue::Bool:
    json.boolean(value.boolean);
    return;
  case JsonValue::Integer:
    json.integer(value.integer);
    return;
  case JsonValue::Real:
    json.real(value.real);
    return;
  case JsonValue::String:
    json.string(value.string);
    return;
  case JsonValue::Array:
    json.beginArray();
    for (const JsonValue &item : value.items)
      write(item, json);
    json.endArray();
    return;
  case JsonValue::Object:
    json.beginObject();
    for (const JsonMember &member : value.members) {
      json.key(member.name);
      write(member.value, json);
    }
    json.endObject();
    return;
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string_view text(reinterpret_cast<const char *>(data), size);
  std::string error;
  Metadata metadata;
  parseMetadata(text, metadata, error);
  JsonValue value, again;
  if (!parseJson(text, value, error))
    return 0;
  JsonWriter first, second;
  write(value, first);
  if (!parseJson(first.text, again, error))
    abort();
  write(again, second);
  if (first.text != second.text)
    abort();
  return 0;
}
