#include "frontends/weights/Config.h"
#include "frontends/weights/Json.h"
#include "test/frontends/weights/Matchers.h"
#include <cmath>

using namespace moire;

using Metadata = std::map<std::string, MetadataValue>;

static Metadata parse(std::string_view text) {
  Metadata metadata;
  ReadError error;
  EXPECT_TRUE(parseConfig(text, "config.json", metadata, error)) << error.message;
  return metadata;
}

TEST(Config, FlattensNestedObjects) {
  Metadata config = parse(R"({"model_type": "llama", "hidden_size": 96, "rms_norm_eps": 1e-05,
    "tie_word_embeddings": false, "rope_scaling": {"rope_type": "llama3", "deep": {"factor": 8.0}}})");
  EXPECT_EQ(config.size(), 6u);
  EXPECT_EQ(metadataAt<std::string>(config, "model_type"), "llama");
  EXPECT_EQ(metadataAt<int64_t>(config, "hidden_size"), 96);
  EXPECT_EQ(metadataAt<double>(config, "rms_norm_eps"), 1e-5);
  EXPECT_EQ(metadataAt<bool>(config, "tie_word_embeddings"), false);
  EXPECT_EQ(metadataAt<std::string>(config, "rope_scaling.rope_type"), "llama3");
  EXPECT_EQ(metadataAt<double>(config, "rope_scaling.deep.factor"), 8.0);
}

TEST(Config, KeepsListsAndFlattensObjectsInThem) {
  Metadata config =
      parse(R"({"kinds": ["conv", "full"], "layers": [{"heads": 4}, 5, [{"x": 1}]]})");
  auto kinds = metadataAt<MetadataValue::List>(config, "kinds");
  ASSERT_EQ(kinds.size(), 2u);
  EXPECT_EQ(std::get<std::string>(kinds[1].value), "full");
  auto layers = metadataAt<MetadataValue::List>(config, "layers");
  ASSERT_EQ(layers.size(), 3u);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(layers[0].value));
  EXPECT_EQ(std::get<int64_t>(layers[1].value), 5);
  EXPECT_EQ(metadataAt<int64_t>(config, "layers.0.heads"), 4);
  EXPECT_EQ(metadataAt<int64_t>(config, "layers.2.0.x"), 1);
}

// AquilaChat2-34B-16K writes rope_scaling twice.
TEST(Config, LastOfRepeatedKeysWins) {
  Metadata config = parse(R"({"rope_scaling": {"type": "linear", "factor": 4.0}, "a": 1,
    "rope_scaling": null, "a": 2})");
  EXPECT_EQ(config.size(), 2u);
  metadataAt<std::monostate>(config, "rope_scaling");
  EXPECT_EQ(metadataAt<int64_t>(config, "a"), 2);
}

TEST(Config, KeepsNumbersAsWritten) {
  Metadata config = parse(R"({"theta": 10000.0, "max": 9223372036854775807,
    "min": -9223372036854775808, "beyond": 9223372036854775808, "far": 100000000000000000000,
    "edge": 9223372036854775808.0, "negative": -1.5})");
  EXPECT_EQ(metadataAt<double>(config, "theta"), 10000.0);
  EXPECT_EQ(metadataAt<int64_t>(config, "max"), INT64_MAX);
  EXPECT_EQ(metadataAt<int64_t>(config, "min"), INT64_MIN);
  EXPECT_EQ(metadataAt<double>(config, "beyond"), 0x1p63);
  EXPECT_EQ(metadataAt<double>(config, "far"), 1e20);
  EXPECT_EQ(metadataAt<double>(config, "edge"), 0x1p63);
  EXPECT_EQ(metadataAt<double>(config, "negative"), -1.5);
}

TEST(Config, ReadsPythonsLiterals) {
  Metadata config = parse(R"({"limits": [0.0, Infinity, -Infinity], "x": NaN,
    "text": "NaN \" Infinity"})");
  auto limits = metadataAt<MetadataValue::List>(config, "limits");
  ASSERT_EQ(limits.size(), 3u);
  EXPECT_EQ(std::get<double>(limits[1].value), HUGE_VAL);
  EXPECT_EQ(std::get<double>(limits[2].value), -HUGE_VAL);
  metadataAt<std::monostate>(config, "x");
  EXPECT_EQ(metadataAt<std::string>(config, "text"), "NaN \" Infinity");
}

TEST(Config, ReadsEscapesAndUtf8) {
  Metadata config = parse("{\"a\\u00e9\": \"\\ud83d\\ude00 \xc3\xbc\"}");
  EXPECT_EQ(metadataAt<std::string>(config, "a\xc3\xa9"), "\xf0\x9f\x98\x80 \xc3\xbc");
}

// llvm::json alone would read the first one as U+1097F.
TEST(Config, ReadsEscapedSurrogatesOfAllPlanes) {
  Metadata config = parse(R"({"a": "\ud842\udd7f\udbff\udfff", "b": "\\ud842\\udd7f"})");
  EXPECT_EQ(metadataAt<std::string>(config, "a"), "\xf0\xa0\xa5\xbf\xf4\x8f\xbf\xbf");
  EXPECT_EQ(metadataAt<std::string>(config, "b"), "\\ud842\\udd7f");
}

TEST(Config, TakesOnlyTheEndTokensOfTheGenerationConfig) {
  Metadata metadata = parse(R"({"eos_token_id": 2})");
  ReadError error;
  ASSERT_TRUE(parseGenerationConfig(R"({"eos_token_id": [7, 9], "top_k": 20})",
                                    "generation_config.json", metadata, error));
  EXPECT_EQ(metadata.size(), 2u);
  EXPECT_EQ(metadataAt<int64_t>(metadata, "eos_token_id"), 2);
  EXPECT_EQ(metadataAt<MetadataValue::List>(metadata, "generation_config.eos_token_id").size(), 2u);
}

TEST(Config, AcceptsTheDeepestNesting) {
  std::string text =
      "{\"a\":" + std::string(maxJsonDepth - 1, '[') + std::string(maxJsonDepth - 1, ']') + "}";
  parse(text);
}

TEST(Config, RefusesMalformedText) {
  const Malformed inputs[] = {
      {"empty", "", "no valid JSON"},
      {"cut off", R"({"hidden_size": 96)", "no valid JSON"},
      {"cut off inside a string", R"({"hidden_si)", "no valid JSON"},
      {"cut off inside an escape", R"({"hidden_si\)", "no valid JSON"},
      {"no object", "[1, 2]", "a JSON object was expected"},
      {"text after the object", "{} {}", "no valid JSON"},
      {"invalid UTF-8", "{\"a\": \"\xff\"}", "UTF-8"},
      {"binary", std::string("{\0\1\2", 4), "no valid JSON"},
      {"nested without end", R"({"a":)" + std::string(1 << 20, '['), "byte 68: JSON nested deeper"},
      {"nested objects",
       [] {
         std::string text;
         for (int i = 0; i < 100000; ++i)
           text += R"({"a":)";
         return text;
       }(),
       "JSON nested deeper than 64"},
      {"too large", "{" + std::string(maxConfigBytes, ' ') + "}", "a configuration is at most"},
      {"a bare infinity", "Infinity", "a JSON object was expected"},
  };
  for (const Malformed &input : inputs) {
    Metadata metadata;
    ReadError error;
    expectRefused(input, parseConfig(input.bytes, "config.json", metadata, error), error);
  }
}

TEST(Json, RefusesMoreValuesThanMemoryIsFor) {
  std::string values = "{\"a\":[0";
  std::string literals = "{\"a\":";
  for (size_t i = 0; i < maxJsonValues; ++i) {
    values += ",0";
    literals += "NaN";
  }
  for (const std::string &text : {values + "]}", literals + "}"}) {
    llvm::json::Object object;
    ReadError error;
    EXPECT_FALSE(parseJsonObject(text, "x.json", RepeatedNames::LastWins, object, error));
    EXPECT_NE(error.message.find("more than 4000000 values"), std::string::npos) << error.message;
  }
}
