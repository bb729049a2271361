// JSON, as little as the runtime needs: the metadata section and the lines of --tokenize.

#ifndef MOIRE_RUNTIME_JSON_H
#define MOIRE_RUNTIME_JSON_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace moire {

struct JsonMember;

/// A parsed value. Only the member that `kind` names means something.
struct JsonValue {
  enum Kind : uint8_t { Null, Bool, Integer, Real, String, Array, Object };
  Kind kind = Null;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0; // also set for Integer
  std::string string;
  std::vector<JsonValue> items;
  std::vector<JsonMember> members; // in the order of the text

  /// The member `key` of an object; null when this is no object or has no such member.
  const JsonValue *find(std::string_view key) const;
};

struct JsonMember {
  std::string name;
  JsonValue value;
};

/// Parses one value that fills `text` (RFC 8259, nothing beyond it; nested at most 64 deep; an
/// object's keys are distinct). On failure returns false; `error` says what was expected at which
/// byte.
bool parseJson(std::string_view text, JsonValue &value, std::string &error);

/// Writes JSON on one line, with the commas where they belong.
///
///   JsonWriter json;
///   json.beginObject().key("ids").beginArray().integer(1).integer(2).endArray().endObject();
///   json.text; // {"ids": [1, 2]}
class JsonWriter {
public:
  JsonWriter &beginObject() { return open('{'); }
  JsonWriter &endObject() { return close('}'); }
  JsonWriter &beginArray() { return open('['); }
  JsonWriter &endArray() { return close(']'); }
  JsonWriter &key(std::string_view name);
  JsonWriter &null();
  JsonWriter &boolean(bool value);
  JsonWriter &integer(int64_t value);
  JsonWriter &real(double value); // null when not finite: JSON has no such numbers
  /// Bytes that are no UTF-8 become U+FFFD.
  JsonWriter &string(std::string_view value);

  std::string text;

private:
  JsonWriter &open(char bracket);
  JsonWriter &close(char bracket);
  void separate();
  bool first = true; // nothing stands before this value or key that wants a comma
};

} // namespace moire

#endif
