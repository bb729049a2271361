#include "frontends/weights/Safetensors.h"
#include "test/frontends/weights/Matchers.h"
#include "test/frontends/weights/Samples.h"

using namespace moire;
using namespace moire::samples;

using Tensors = std::map<std::string, TensorEntry>;

static Tensors parse(const std::string &file) {
  Tensors tensors;
  ReadError error;
  EXPECT_TRUE(parseSafetensors(asBytes(file), "x.safetensors", tensors, error)) << error.message;
  return tensors;
}

TEST(Safetensors, ListsNamesShapesTypesAndRanges) {
  const std::string file = tinySafetensors();
  Tensors tensors = parse(file);
  ASSERT_EQ(tensors.size(), 3u);
  const TensorEntry &a = tensors.at("a");
  EXPECT_EQ(a.name, "a");
  EXPECT_EQ(a.type, StorageType::F32);
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a.offset, file.size() - 40);
  EXPECT_EQ(a.bytes, 24u);
  const TensorEntry &b = tensors.at("b");
  EXPECT_EQ(b.type, StorageType::BF16);
  EXPECT_EQ(b.offset, file.size() - 16);
  EXPECT_EQ(b.bytes, 8u);
  const TensorEntry &c = tensors.at("c");
  EXPECT_EQ(c.type, StorageType::I64);
  EXPECT_TRUE(c.shape.empty());
}

TEST(Safetensors, AcceptsEmptyTensorsAndPaddedHeaders) {
  Tensors tensors = parse(safetensors(
      R"({"e":{"dtype":"F32","shape":[0,8],"data_offsets":[4,4]},"d":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   )",
      "dddd"));
  EXPECT_EQ(tensors.at("e").bytes, 0u);
  EXPECT_EQ(tensors.at("d").bytes, 4u);
  EXPECT_TRUE(parse(safetensors("{}", "")).empty());
}

TEST(Safetensors, EscapedNamesAreNotTakenForRepeated) {
  Tensors tensors = parse(safetensors(
      R"({"a\"b\\":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a:{":{"dtype":"BOOL","shape":[1],"data_offsets":[1,2]}})",
      "xy"));
  EXPECT_TRUE(tensors.count("a\"b\\"));
  EXPECT_TRUE(tensors.count("a:{"));
}

/// A file of one tensor "t" with these members, over four bytes of data.
static std::string one(std::string_view members) {
  return safetensors("{\"t\":{" + std::string(members) + "}}", "dddd");
}

TEST(Safetensors, RefusesMalformedFiles) {
  const char *pair = R"({"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)";
  const Malformed inputs[] = {
      {"no header", "1234567", "is no safetensors file"},
      {"header beyond the file", safetensors("{}", "", 3), "ends after 2 of them"},
      {"header beyond the limit", safetensors("{}", "", maxSafetensorsHeader + 1), "at most"},
      {"header of 2^64 - 1", safetensors("{}", "", ~uint64_t(0)), "at most"},
      {"no JSON", safetensors("garbage!", ""), "no valid JSON"},
      {"no object", safetensors("[]", ""), "a JSON object was expected"},
      {"deep nesting", safetensors("{\"a\":" + std::string(100000, '['), ""), "nested deeper"},
      {"tensor is no object", safetensors(R"({"t": 3})", ""), "an object with dtype"},
      {"no dtype", one(R"("shape":[4],"data_offsets":[0,4])"), "dtype must be a string"},
      {"no shape", one(R"("dtype":"U8","data_offsets":[0,4])"), "shape must be a list"},
      {"no offsets", one(R"("dtype":"U8","shape":[4])"), "data_offsets must be two"},
      {"one offset", one(R"("dtype":"U8","shape":[4],"data_offsets":[0])"), "must be two"},
      {"negative dimension", one(R"("dtype":"U8","shape":[-4],"data_offsets":[0,4])"),
       "shape must"},
      {"fractional dimension", one(R"("dtype":"U8","shape":[4.0],"data_offsets":[0,4])"),
       "shape must"},
      {"dimension beyond int64",
       one(R"("dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,4])"), "shape must"},
      {"size overflows to 4",
       one(R"("dtype":"F32","shape":[4294967296,4294967296,1],"data_offsets":[0,4])"), "63 bits"},
      {"elements overflow beside a zero",
       one(R"("dtype":"F32","shape":[4294967296,4294967296,0],"data_offsets":[0,4])"), "63 bits"},
      {"bytes overflow", one(R"("dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,4])"),
       "63 bits"},
      {"size differs", one(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"),
       "has 4 bytes, but its dtype and shape need 8"},
      {"offsets run backwards", one(R"("dtype":"U8","shape":[4],"data_offsets":[4,0])"),
       "run backwards"},
      {"end beyond the data", one(R"("dtype":"U8","shape":[5],"data_offsets":[0,5])"),
       "reach beyond the 4 bytes"},
      {"end near 2^63",
       one(R"("dtype":"U8","shape":[4],"data_offsets":[9223372036854775803,9223372036854775807])"),
       "reach beyond"},
      {"overlap",
       safetensors(pair + std::string(R"("b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}})"),
                   "dddd"),
       "overlap"},
      {"one inside the other",
       safetensors(pair + std::string(R"("b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})"),
                   "ddd"),
       "overlap"},
      {"gap",
       safetensors(pair + std::string(R"("b":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})"),
                   "ddddd"),
       "before tensor \"b\", belong to no tensor"},
      {"bytes after the last tensor", one(R"("dtype":"U8","shape":[3],"data_offsets":[0,3])"),
       "at the end, belong to no tensor"},
      {"a tensor twice",
       safetensors(pair + std::string(R"("a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})"),
                   "ddd"),
       "\"a\" occurs twice"},
      {"a tensor twice, once escaped",
       safetensors(pair +
                       std::string(R"("\u0061":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}})"),
                   "ddd"),
       "occurs twice"},
      {"unread types",
       safetensors(
           R"({"a":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F8_E4M3","shape":[1],"data_offsets":[1,2]},"c":{"dtype":"U16","shape":[1],"data_offsets":[2,4]}})",
           "dddd"),
       "F8_E4M3 (2 tensors", ReadError::Kind::Unsupported},
  };
  for (const Malformed &input : inputs) {
    Tensors tensors;
    ReadError error;
    expectRefused(input, parseSafetensors(asBytes(input.bytes), "x.safetensors", tensors, error),
                  error);
  }
}

TEST(Safetensors, EveryTruncationIsRefused) {
  const std::string file = tinySafetensors();
  for (size_t size = 0; size < file.size(); ++size) {
    Tensors tensors;
    ReadError error;
    EXPECT_FALSE(parseSafetensors(asBytes(file).first(size), "x", tensors, error)) << size;
  }
}

TEST(SafetensorsIndex, NamesTheFileOfEachTensor) {
  std::map<std::string, std::string> files;
  ReadError error;
  ASSERT_TRUE(parseSafetensorsIndex(
      R"({"metadata":{"total_size":8},"weight_map":{"a":"m-1.safetensors","b":"m-2.safetensors"}})",
      "index", files, error))
      << error.message;
  EXPECT_EQ(files, (std::map<std::string, std::string>{{"a", "m-1.safetensors"},
                                                       {"b", "m-2.safetensors"}}));
}

TEST(SafetensorsIndex, RefusesMalformedText) {
  const Malformed inputs[] = {
      {"no JSON", "x", "no valid JSON"},
      {"no weight_map", "{}", "weight_map: an object"},
      {"empty weight_map", R"({"weight_map":{}})", "weight_map: an object"},
      {"weight_map is a list", R"({"weight_map":[]})", "weight_map: an object"},
      {"no file name", R"({"weight_map":{"a":1}})", "tensor \"a\": the name of a file"},
      {"parent folder", R"({"weight_map":{"a":".."}})", "found \"..\""},
      {"escapes the folder", R"({"weight_map":{"a":"../m.safetensors"}})", "the name of a file"},
      {"absolute", R"({"weight_map":{"a":"/etc/passwd"}})", "the name of a file"},
      {"below the folder", R"({"weight_map":{"a":"sub/m.safetensors"}})", "the name of a file"},
      {"zero byte", R"({"weight_map":{"a":"m\u0000"}})", "the name of a file"},
      {"empty name", R"({"weight_map":{"a":""}})", "the name of a file"},
  };
  for (const Malformed &input : inputs) {
    std::map<std::string, std::string> files;
    ReadError error;
    expectRefused(input, parseSafetensorsIndex(input.bytes, "index", files, error), error);
  }
}
