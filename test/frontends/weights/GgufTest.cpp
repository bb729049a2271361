#include "frontends/weights/Gguf.h"
#include "test/frontends/weights/Matchers.h"
#include "test/frontends/weights/Samples.h"

using namespace moire;
using namespace moire::samples;

namespace {

struct Parsed {
  std::map<std::string, MetadataValue> metadata;
  std::map<std::string, TensorEntry> tensors;
};

} // namespace

static Parsed parse(const std::string &file) {
  Parsed parsed;
  ReadError error;
  EXPECT_TRUE(parseGguf(asBytes(file), "x.gguf", parsed.metadata, parsed.tensors, error))
      << error.message;
  return parsed;
}

TEST(Gguf, ReadsMetadataOfEveryType) {
  for (uint32_t version : {2, 3}) {
    auto metadata = parse(tinyGguf(version).build()).metadata;
    EXPECT_EQ(metadata.size(), 15u);
    EXPECT_EQ(metadataAt<std::string>(metadata, "general.architecture"), "llama");
    EXPECT_EQ(metadataAt<int64_t>(metadata, "u8"), 200);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "i8"), -3);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "u16"), 60000);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "i16"), -300);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "u32"), 4000000000);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "i32"), -70000);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "u64"), int64_t(1) << 40);
    EXPECT_EQ(metadataAt<int64_t>(metadata, "i64"), int64_t(-1) << 40);
    EXPECT_EQ(metadataAt<double>(metadata, "huge"), 0x1p64);
    EXPECT_EQ(metadataAt<double>(metadata, "f32"), 0.5);
    EXPECT_EQ(metadataAt<double>(metadata, "f64"), 0.25);
    EXPECT_EQ(metadataAt<bool>(metadata, "bool"), true);
    auto names = metadataAt<MetadataValue::List>(metadata, "names");
    ASSERT_EQ(names.size(), 2u);
    EXPECT_EQ(std::get<std::string>(names[0].value), "x");
    auto nested = metadataAt<MetadataValue::List>(metadata, "nested");
    ASSERT_EQ(nested.size(), 2u);
    const auto &inner = std::get<MetadataValue::List>(nested[0].value);
    ASSERT_EQ(inner.size(), 1u);
    EXPECT_EQ(std::get<int64_t>(inner[0].value), 7);
  }
}

TEST(Gguf, ReversesDimensionsAndPlacesTensors) {
  const std::string file = tinyGguf().build();
  auto tensors = parse(file).tensors;
  ASSERT_EQ(tensors.size(), 2u);
  const TensorEntry &a = tensors.at("a");
  EXPECT_EQ(a.type, StorageType::F32);
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(a.offset, file.size() - (32 + 72));
  EXPECT_EQ(a.bytes, 24u);
  const TensorEntry &b = tensors.at("b");
  EXPECT_EQ(b.type, StorageType::Q4_0);
  EXPECT_EQ(b.shape, (std::vector<int64_t>{2, 64}));
  EXPECT_EQ(b.offset, file.size() - 72);
  EXPECT_EQ(b.bytes, 72u);
}

TEST(Gguf, HonoursTheAlignment) {
  Gguf file{.alignment = 128};
  file.add("general.alignment", ggufU32, raw(uint32_t(128))).addTensor("a", {1}, ggmlF32, 128);
  file.data.resize(132);
  auto tensors = parse(file.build()).tensors;
  EXPECT_EQ(tensors.at("a").offset % 128, 0u);
}

TEST(Gguf, AcceptsFilesWithoutTensors) {
  Gguf vocabulary;
  vocabulary.add("k", ggufU8, raw(uint8_t(1)));
  EXPECT_TRUE(parse(vocabulary.head()).tensors.empty()); // ends before the padding
  EXPECT_TRUE(parse(Gguf().build()).metadata.empty());
}

TEST(Gguf, ListsAllUnreadTypesAtOnce) {
  Gguf file;
  file.addTensor("a", {256}, ggmlQ8_1, 0)
      .addTensor("b", {256}, ggmlQ8_K, 160)
      .addTensor("c", {256}, ggmlQ8_1, 384)
      .addTensor("d", {256}, 4711, 544);
  const Malformed input{"unread types", file.build(),
                        "Q8_1 (2 tensors, the first is \"a\"), Q8_K (1 tensor, \"b\"), type number "
                        "4711 (1 tensor, \"d\")",
                        ReadError::Kind::Unsupported};
  Parsed parsed;
  ReadError error;
  expectRefused(input,
                parseGguf(asBytes(input.bytes), "x.gguf", parsed.metadata, parsed.tensors, error),
                error);
}

/// A file whose only metadata is "k" of this type and payload.
static std::string keyed(uint32_t type, std::string_view payload) {
  return Gguf().add("k", type, payload).build();
}

/// A file whose only tensor is this one, before 64 bytes of data.
static std::string tensor(const std::vector<uint64_t> &dimensions, uint32_t type, uint64_t offset) {
  Gguf file;
  file.addTensor("t", dimensions, type, offset).data = std::string(64, 'd');
  return file.build();
}

static Gguf twoTensors(const char *first, const char *second, uint64_t offset) {
  Gguf file;
  file.addTensor(first, {16}, ggmlF32, 0).addTensor(second, {16}, ggmlF32, offset);
  file.data = std::string(128, 'd');
  return file;
}

static std::string nestedLists(unsigned levels) {
  std::string payload = ggufListOf(ggufU8, {});
  for (unsigned i = 1; i < levels; ++i)
    payload = ggufListOf(ggufList, {payload});
  return payload;
}

TEST(Gguf, RefusesMalformedFiles) {
  const ReadError::Kind unsupported = ReadError::Kind::Unsupported;
  const uint64_t huge = uint64_t(1) << 62;
  const Malformed inputs[] = {
      {"empty", "", "begins with \"GGUF\""},
      {"wrong magic", "GGML" + std::string(20, '\0'), "begins with \"GGUF\""},
      {"version 1", Gguf{.version = 1}.build(), "version 1", unsupported},
      {"version 4", Gguf{.version = 4}.build(), "version 4", unsupported},
      {"big-endian", Gguf{.version = 3u << 24}.build(), "big-endian", unsupported},
      {"too many keys", Gguf{.metadataCount = 1000}.build(), "cannot fit"},
      {"2^64 - 1 keys", Gguf{.metadataCount = ~uint64_t(0)}.build(), "cannot fit"},
      {"too many tensors", Gguf{.tensorCount = 1000}.build(), "cannot fit"},
      {"2^64 - 1 tensors", Gguf{.tensorCount = ~uint64_t(0)}.build(), "cannot fit"},
      {"key beyond the file",
       "GGUF" + raw(3u) + raw(uint64_t(0)) + raw(uint64_t(1)) + raw(huge) + std::string(32, 'k'),
       "a metadata key should be 4611686018427387904 bytes long"},
      {"string beyond the file", keyed(ggufString, raw(~uint64_t(0))), "a string should be"},
      {"value of no known type", keyed(13, raw(uint64_t(0))), "unknown type 13 of a value"},
      {"bool of 2", keyed(ggufBool, raw(uint8_t(2))), "a bool must be 0 or 1, found 2"},
      {"list beyond the file", keyed(ggufList, raw(uint32_t(ggufU8)) + raw(uint64_t(1000))),
       "a list of 1000 elements cannot fit"},
      {"list whose bytes overflow", keyed(ggufList, raw(uint32_t(ggufU64)) + raw(huge)),
       "cannot fit"},
      {"list of no known type", keyed(ggufList, raw(uint32_t(99)) + raw(uint64_t(0))),
       "unknown type 99 of a list's elements"},
      {"list of strings cut off",
       keyed(ggufList, ggufListOf(ggufString, {ggufText("a"), raw(uint64_t(50))})),
       "(metadata key \"k\")"},
      {"deep lists", keyed(ggufList, nestedLists(maxGgufListDepth + 1)), "nested deeper"},
      {"endless lists", keyed(ggufList, nestedLists(1000)), "nested deeper"},
      {"a key twice",
       Gguf().add("k", ggufU8, raw(uint8_t(1))).add("k", ggufU8, raw(uint8_t(2))).build(),
       "\"k\" occurs twice"},
      {"alignment 0", Gguf().add("general.alignment", ggufU32, raw(0u)).build(), "power of two"},
      {"alignment 24", Gguf().add("general.alignment", ggufU32, raw(24u)).build(), "power of two"},
      {"alignment is text", Gguf().add("general.alignment", ggufString, ggufText("32")).build(),
       "power of two"},
      {"part of a model", Gguf().add("split.count", ggufU16, raw(uint16_t(3))).build(),
       "one of 3 parts", unsupported},
      {"five dimensions", tensor({1, 1, 1, 1, 1}, ggmlF32, 0), "has 5 dimensions"},
      {"2^32 - 1 dimensions",
       "GGUF" + raw(3u) + raw(uint64_t(1)) + raw(uint64_t(0)) + ggufText("t") + raw(~0u) +
           std::string(64, 'd'),
       "has 4294967295 dimensions"},
      {"negative dimension", tensor({uint64_t(1) << 63}, ggmlF32, 0), "is negative"},
      {"size overflows to 64", tensor({(uint64_t(1) << 62) + 16}, ggmlF32, 0), "63 bits"},
      {"elements overflow", tensor({huge, huge, 4}, ggmlF32, 0), "63 bits"},
      {"row of half a block", tensor({48, 2}, ggmlQ4_0, 0), "48 elements, but q4_0"},
      {"offset not aligned", tensor({4}, ggmlF32, 16), "no multiple of the alignment 32"},
      {"tensor beyond the data", tensor({17}, ggmlF32, 0), "takes 68 bytes from offset 0"},
      {"offset beyond the data", tensor({1}, ggmlF32, 96), "has only 64 bytes"},
      {"offset near 2^64", tensor({16}, ggmlF32, ~uint64_t(31)), "has only 64 bytes"},
      {"overlap", twoTensors("a", "b", 32).build(), "tensors \"a\""},
      {"a tensor twice", twoTensors("a", "a", 64).build(), "\"a\" occurs twice"},
  };
  for (const Malformed &input : inputs) {
    Parsed parsed;
    ReadError error;
    expectRefused(input,
                  parseGguf(asBytes(input.bytes), "x.gguf", parsed.metadata, parsed.tensors, error),
                  error);
  }
}

TEST(Gguf, AcceptsTheDeepestLists) { parse(keyed(ggufList, nestedLists(maxGgufListDepth))); }

TEST(Gguf, RefusesMoreListElementsThanMemoryIsFor) {
  const uint64_t half = maxGgufListElements / 2 + 1;
  const std::string list = raw(uint32_t(ggufU8)) + raw(half) + std::string(half, '\0');
  const Malformed input{"lists too long",
                        Gguf().add("a", ggufList, list).add("b", ggufList, list).build(),
                        "more than 8000000 elements"};
  Parsed parsed;
  ReadError error;
  expectRefused(input,
                parseGguf(asBytes(input.bytes), "x.gguf", parsed.metadata, parsed.tensors, error),
                error);
}

TEST(Gguf, EveryTruncationIsRefused) {
  const std::string file = tinyGguf().build();
  for (size_t size = 0; size < file.size(); ++size) {
    Parsed parsed;
    ReadError error;
    EXPECT_FALSE(parseGguf(asBytes(file).first(size), "x", parsed.metadata, parsed.tensors, error))
        << size;
  }
}
