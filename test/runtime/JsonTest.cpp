#include "runtime/Json.h"

#include "runtime/Metadata.h"

#include <gtest/gtest.h>

#include <cmath>

namespace moire {
namespace {

JsonValue parsed(std::string_view text) {
  JsonValue value;
  std::string error;
  EXPECT_TRUE(parseJson(text, value, error)) << text << ": " << error;
  return value;
}

std::string refusal(std::string_view text) {
  JsonValue value;
  std::string error;
  EXPECT_FALSE(parseJson(text, value, error)) << text;
  return error;
}

TEST(Json, ReadsEveryKindOfValue) {
  JsonValue value = parsed(R"( {"a": [1, -2.5e2, true, false, null, "x"], "b": {}} )");
  const JsonValue *a = value.find("a");
  ASSERT_TRUE(a);
  ASSERT_EQ(a->items.size(), 6u);
  EXPECT_EQ(a->items[0].kind, JsonValue::Integer);
  EXPECT_EQ(a->items[0].integer, 1);
  EXPECT_EQ(a->items[1].kind, JsonValue::Real);
  EXPECT_EQ(a->items[1].real, -250);
  EXPECT_TRUE(a->items[2].boolean);
  EXPECT_FALSE(a->items[3].boolean);
  EXPECT_EQ(a->items[4].kind, JsonValue::Null);
  EXPECT_EQ(a->items[5].string, "x");
  EXPECT_EQ(value.find("b")->kind, JsonValue::Object);
  EXPECT_FALSE(value.find("c"));
}

TEST(Json, ReadsEscapesAndSurrogates) {
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t")").string, "\"\\/\b\f\n\r\t");
  EXPECT_EQ(parsed(R"("\u0041\u00e9\u20AC\ud83d\ude00")").string, "Aé€😀");
  EXPECT_EQ(parsed(R"("\u0000")").string, std::string(1, '\0'));
}

TEST(Json, KeepsIntegersExactAndBigOnesAsReals) {
  EXPECT_EQ(parsed("9223372036854775807").integer, INT64_MAX);
  EXPECT_EQ(parsed("-9223372036854775808").integer, INT64_MIN);
  EXPECT_EQ(parsed("9223372036854775808").kind, JsonValue::Real);
}

TEST(Json, RefusesWhatIsNoJson) {
  for (const char *text : {"",
                           " ",
                           "{",
                           "[1,]",
                           "[1 2]",
                           "{\"a\"}",
                           "{\"a\":1,}",
                           "{a:1}",
                           "01",
                           "1.",
                           ".5",
                           "+1",
                           "1e",
                           "-",
                           "nul",
                           "tru",
                           "\"",
                           "\"\\x\"",
                           "\"\\u12\"",
                           "\"\\ud800\"",
                           "\"\\ud800\\u0041\"",
                           "\"\\udc00\"",
                           "\"\n\"",
                           "1 2",
                           "NaN",
                           "1e999",
                           "'a'",
                           "{\"a\":1,\"a\":2}",
                           "\"\xff\"",
                           "\"\xc0\x80\"",
                           "\"\xed\xa0\x80\""})
    EXPECT_NE(refusal(text).find("at byte"), std::string::npos) << text;
}

TEST(Json, LimitsTheNesting) {
  std::string deep = std::string(64, '[') + std::string(64, ']');
  parsed(deep);
  EXPECT_EQ(refusal("[" + deep + "]"), "expected no deeper nesting at byte 64");
  refusal(std::string(1'000'000, '['));
}

TEST(Json, WritesWhatItReads) {
  JsonWriter json;
  json.beginObject().key("a\n").beginArray().integer(1).string("é\"\\\x01").real(0.5).null();
  json.boolean(true).beginObject().endObject().endArray().key("b").integer(-1).endObject();
  EXPECT_EQ(json.text, R"({"a\n": [1, "é\"\\\u0001", 0.5, null, true, {}], "b": -1})");
  JsonValue value = parsed(json.text);
  EXPECT_EQ(value.find("a\n")->items[1].string, "é\"\\\x01");
}

TEST(Json, WritesOnlyUtf8AndFiniteNumbers) {
  JsonWriter json;
  json.beginArray().string("a\xff\xc3").real(NAN).real(INFINITY).endArray();
  EXPECT_EQ(json.text, "[\"a\xEF\xBF\xBD\xEF\xBF\xBD\", null, null]");
}

TEST(Json, EscapesWhateverEndsALine) {
  JsonWriter json;
  json.string("\x7F\xC2\x85\xE2\x80\xA8\xE2\x80\xA9\r\xC2\xA0");
  EXPECT_EQ(json.text, "\"\\u007f\\u0085\\u2028\\u2029\\u000d\xC2\xA0\"");
}

TEST(Metadata, ReadsWhatTheCompilerWrites) {
  Metadata metadata;
  std::string error;
  ASSERT_TRUE(parseMetadata(R"({"name": "m", "architecture": "llama", "parameters": 7,
      "type": "q4_1", "weights": {"q4_1": 10, "f32": 2}, "kv_type": "f16", "route": [0, 4], "eos": [2, 0], "bos": 1,
      "chat": "chatml", "system": "Be brief.", "later": {"unknown": [1]}})",
                            metadata, error))
      << error;
  EXPECT_EQ(metadata.name, "m");
  EXPECT_EQ(metadata.parameters, 7);
  EXPECT_EQ(metadata.type, "q4_1");
  ASSERT_EQ(metadata.weights.size(), 2u);
  EXPECT_EQ(metadata.weights[0].first, "q4_1");
  EXPECT_EQ(metadata.weights[0].second, 10);
  EXPECT_EQ(metadata.eos, (std::vector<int32_t>{2, 0}));
  EXPECT_EQ(metadata.route, (std::vector<int64_t>{0, 4}));
  EXPECT_EQ(metadata.bos, 1);
  EXPECT_EQ(metadata.chat, ChatForm::ChatMl);
  EXPECT_EQ(metadata.system, "Be brief.");
}

TEST(Metadata, RegionsOfAProfile) {
  Metadata metadata;
  std::string error;
  ASSERT_TRUE(parseMetadata(R"({"profile": [{"name": "attend", "in": "layer_0.one", "bytes": 1,
      "row_bytes": 2, "expert_bytes": 3, "position_bytes": 4, "row_products": 5,
      "position_products": 6, "window": 7, "segment": 8, "of_logits": 1, "arithmetic": "f32"},
      {"name": "barrier", "wait": true}]})",
                            metadata, error))
      << error;
  ASSERT_EQ(metadata.profile.size(), 2u);
  const ProfiledRegion &attend = metadata.profile[0];
  EXPECT_EQ(attend.name, "attend");
  EXPECT_EQ(attend.function, "layer_0.one");
  EXPECT_EQ(attend.arithmetic, "f32");
  EXPECT_FALSE(attend.wait);
  EXPECT_TRUE(metadata.profile[1].wait);
  EXPECT_EQ((std::vector<int64_t>{attend.bytes, attend.rowBytes, attend.expertBytes,
                                  attend.positionBytes, attend.rowProducts, attend.positionProducts,
                                  attend.window, attend.segment, attend.ofLogits}),
            (std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 1}));
  EXPECT_FALSE(parseMetadata(R"({"profile": [{"wait": 1}]})", metadata, error));
  EXPECT_EQ(error, "\"wait\" is not true or false");
}

TEST(Metadata, MissingAndNullKeysAreDefaults) {
  Metadata metadata;
  std::string error;
  ASSERT_TRUE(parseMetadata("", metadata, error));
  ASSERT_TRUE(parseMetadata(R"({"bos": null, "chat": null, "eos": null})", metadata, error));
  EXPECT_EQ(metadata.bos, -1);
  EXPECT_EQ(metadata.chat, ChatForm::None);
}

TEST(Metadata, NamesTheWrongKey) {
  Metadata metadata;
  std::string error;
  EXPECT_FALSE(parseMetadata(R"({"eos": 2})", metadata, error));
  EXPECT_EQ(error, "\"eos\" is not a list of token ids");
  EXPECT_FALSE(parseMetadata(R"({"eos": [-2]})", metadata, error));
  EXPECT_FALSE(parseMetadata(R"({"bos": 4294967296})", metadata, error));
  EXPECT_FALSE(parseMetadata(R"({"chat": "runes"})", metadata, error));
  EXPECT_FALSE(parseMetadata(R"({"weights": {"f32": "many"}})", metadata, error));
  EXPECT_FALSE(parseMetadata(R"({"route": [-1]})", metadata, error));
  EXPECT_FALSE(parseMetadata("[]", metadata, error));
  EXPECT_FALSE(parseMetadata("{", metadata, error));
}

} // namespace
} // namespace moire
