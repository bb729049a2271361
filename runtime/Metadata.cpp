#include "runtime/Metadata.h"

#include "runtime/Format.h"
#include "runtime/Json.h"

namespace moire {

namespace {
// Reads members of one object; the first wrong one is remembered.
class Reader {
public:
  Reader(const JsonValue &object, std::string &error) : object(object), error(error) {}

  void text(const char *key, std::string &out) {
    if (const JsonValue *value = member(key, JsonValue::String, "a string"))
      out = value->string;
  }
  void integer(const char *key, int64_t &out) {
    if (const JsonValue *value = member(key, JsonValue::Integer, "an integer"))
      out = value->integer;
  }
  void counts(const char *key, std::vector<int64_t> &out) {
    const JsonValue *value = member(key, JsonValue::Array, "a list of counts");
    for (size_t i = 0; value && i < value->items.size(); ++i) {
      const JsonValue &item = value->items[i];
      if (item.kind != JsonValue::Integer || item.integer < 0)
        wrong(key, "a list of counts");
      out.push_back(item.integer);
    }
  }
  void tokens(const char *key, std::vector<int32_t> &out) {
    const JsonValue *value = member(key, JsonValue::Array, "a list of token ids");
    for (size_t i = 0; value && i < value->items.size(); ++i)
      out.push_back(token(key, value->items[i]));
  }
  void token(const char *key, int32_t &out) {
    if (const JsonValue *value = member(key, JsonValue::Integer, "a token id or null"))
      out = token(key, *value);
  }
  void byteCounts(const char *key, std::vector<std::pair<std::string, int64_t>> &out) {
    const JsonValue *value = member(key, JsonValue::Object, "an object of byte counts");
    for (size_t i = 0; value && i < value->members.size(); ++i) {
      const auto &[name, bytes] = value->members[i];
      if (bytes.kind != JsonValue::Integer)
        wrong(key, "an object of byte counts");
      out.emplace_back(name, bytes.integer);
    }
  }
  void flag(const char *key, bool &out) {
    if (const JsonValue *value = member(key, JsonValue::Bool, "true or false"))
      out = value->boolean;
  }
  void regions(const char *key, std::vector<ProfiledRegion> &out) {
    const JsonValue *value = member(key, JsonValue::Array, "a list of regions");
    for (size_t i = 0; value && i < value->items.size(); ++i) {
      if (value->items[i].kind != JsonValue::Object)
        return wrong(key, "a list of regions");
      Reader reader(value->items[i], error);
      ProfiledRegion &region = out.emplace_back();
      reader.text("name", region.name);
      reader.text("in", region.function);
      reader.flag("wait", region.wait);
      reader.text("arithmetic", region.arithmetic);
      for (auto [key, member] : kRegionNumbers)
        reader.integer(key, region.*member);
    }
  }
  void work(const char *key, Work &out) {
    const JsonValue *value = member(key, JsonValue::Array, "a list of what a step does");
    if (value && !parseWork(*value, out))
      wrong(key, "a list of what a step does");
  }
  void wrong(const char *key, const char *expected) {
    if (error.empty())
      error = format("\"%s\" is not %s", key, expected);
  }

private:
  const JsonValue *member(const char *key, JsonValue::Kind kind, const char *expected) {
    const JsonValue *value = object.find(key);
    if (!value || value->kind == JsonValue::Null)
      return nullptr;
    if (value->kind == kind)
      return value;
    wrong(key, expected);
    return nullptr;
  }
  int32_t token(const char *key, const JsonValue &value) {
    if (value.kind == JsonValue::Integer && value.integer >= 0 && value.integer <= INT32_MAX)
      return static_cast<int32_t>(value.integer);
    wrong(key, "made of token ids");
    return -1;
  }

  const JsonValue &object;
  std::string &error;
};
} // namespace

bool parseMetadata(std::string_view section, Metadata &metadata, std::string &error) {
  metadata = {};
  error.clear();
  if (section.empty())
    return true;
  JsonValue object;
  if (!parseJson(section, object, error))
    return false;
  if (object.kind != JsonValue::Object) {
    error = "expected an object";
    return false;
  }
  Reader reader(object, error);
  reader.text("name", metadata.name);
  reader.text("architecture", metadata.architecture);
  reader.text("source", metadata.source);
  reader.text("type", metadata.type);
  reader.text("activations", metadata.activations);
  reader.text("kv_type", metadata.kvType);
  reader.text("compiler", metadata.compiler);
  reader.text("options", metadata.options);
  reader.text("system", metadata.system);
  reader.integer("parameters", metadata.parameters);
  reader.byteCounts("weights", metadata.weights);
  reader.work("work", metadata.work);
  reader.counts("route", metadata.route);
  reader.regions("profile", metadata.profile);
  reader.tokens("eos", metadata.eos);
  reader.token("bos", metadata.bos);
  std::string chat;
  reader.text("chat", chat);
  if (chat == "chatml")
    metadata.chat = ChatForm::ChatMl;
  else if (!chat.empty())
    reader.wrong("chat", "a form that this runtime knows (chatml)");
  return error.empty();
}

} // namespace moire
