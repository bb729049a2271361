// The option parser of the command line: what it takes, what it refuses, and with which words.

#include "tools/driver/Arguments.h"
#include "tools/driver/CompileOptions.h"

#include <gtest/gtest.h>

using namespace moire::driver;

namespace {

struct Parsed {
  std::optional<Arguments> arguments;
  std::string error;
};

class ArgumentsTest : public testing::Test {
protected:
  Parsed parse(llvm::ArrayRef<llvm::StringRef> given) {
    Parsed result;
    result.arguments = parseArguments(given,
                                      {flag("--json", json), text("-o", output),
                                       number("--threads", threads, 1, 64),
                                       choice("--emit", emit, {"exe", "llvm", "asm"})},
                                      result.error);
    return result;
  }

  bool json = false;
  std::string output, emit;
  int64_t threads = 0;
};

TEST_F(ArgumentsTest, ReadsOptionsInBothForms) {
  Parsed parsed = parse({"--json", "a", "-o", "out", "--threads=3", "--emit", "asm", "b"});
  ASSERT_TRUE(parsed.arguments) << parsed.error;
  EXPECT_TRUE(json);
  EXPECT_EQ(output, "out");
  EXPECT_EQ(threads, 3);
  EXPECT_EQ(emit, "asm");
  EXPECT_EQ(parsed.arguments->positional, (llvm::SmallVector<std::string>{"a", "b"}));
}

TEST_F(ArgumentsTest, LeavesWhatStandsBehindTwoDashes) {
  Parsed parsed = parse({"a", "--", "--json", "-x"});
  ASSERT_TRUE(parsed.arguments) << parsed.error;
  EXPECT_FALSE(json);
  EXPECT_EQ(parsed.arguments->rest, (llvm::SmallVector<std::string>{"--json", "-x"}));
}

TEST_F(ArgumentsTest, TakesALoneDashAsAName) {
  Parsed parsed = parse({"-"});
  ASSERT_TRUE(parsed.arguments) << parsed.error;
  EXPECT_EQ(parsed.arguments->positional.front(), "-");
}

TEST_F(ArgumentsTest, HelpEndsTheReading) {
  Parsed parsed = parse({"--help", "--nonsense"});
  ASSERT_TRUE(parsed.arguments);
  EXPECT_TRUE(parsed.arguments->help);
}

TEST_F(ArgumentsTest, NamesTheNearestOption) {
  EXPECT_EQ(parse({"--jsno"}).error, "there is no option --jsno, did you mean '--json'?");
  EXPECT_EQ(parse({"--emti=asm"}).error, "there is no option --emti, did you mean '--emit'?");
  EXPECT_EQ(parse({"--entirely-different"}).error, "there is no option --entirely-different");
}

TEST_F(ArgumentsTest, RefusesWrongValues) {
  EXPECT_EQ(parse({"--threads"}).error, "--threads: needs a value");
  EXPECT_EQ(parse({"--threads=0"}).error, "--threads: '0' is not a whole number in 1 .. 64");
  EXPECT_EQ(parse({"--threads=4x"}).error, "--threads: '4x' is not a whole number in 1 .. 64");
  EXPECT_EQ(parse({"--threads=99999999999999999999"}).error,
            "--threads: '99999999999999999999' is not a whole number in 1 .. 64");
  EXPECT_EQ(parse({"--json=yes"}).error, "--json: takes no value");
  EXPECT_EQ(parse({"-o", ""}).error, "-o: needs a value");
  EXPECT_EQ(parse({"--emit=lvm"}).error,
            "--emit: 'lvm' is none of exe, llvm, asm, did you mean 'llvm'?");
}

TEST(CompileOptionsTest, KeysAndValuesFollowTheActivations) {
  CompileOptions options;
  EXPECT_EQ(options.kvFormat(), "f16");
  options.activations = "f32";
  EXPECT_EQ(options.kvFormat(), "f32");
  options.kv = "int8";
  EXPECT_EQ(options.kvFormat(), "int8");
}

TEST(CompileOptionsTest, SpellsWhatDiffersFromTheDefaults) {
  CompileOptions options;
  EXPECT_EQ(options.spelled(), "");
  std::string error;
  std::vector<Option> table = compileOptions(options);
  ASSERT_TRUE(parseArguments(
      {"-O1", "--keep=hidden,route", "--kv-page", "16", "--profile", "--activations=f32"}, table,
      error))
      << error;
  EXPECT_EQ(options.spelled(), "--activations=f32 --kv-page=16 --keep=hidden,route --profile -O1");
}

TEST(CompileOptionsTest, SpellsAnExponentAsItWasGiven) {
  for (const char *given : {"--routing=zipf:1.121", "--routing=zipf:1.124"}) {
    CompileOptions options;
    std::string error;
    ASSERT_TRUE(parseArguments({given}, compileOptions(options), error)) << error;
    EXPECT_EQ(options.spelled(), given);
  }
  CompileOptions options;
  std::string error;
  ASSERT_TRUE(parseArguments({"--routing=uniform"}, compileOptions(options), error)) << error;
  EXPECT_EQ(options.spelled(), "");
}

TEST(CompileOptionsTest, RefusesWrongPagesAndWords) {
  CompileOptions options;
  std::vector<Option> table = compileOptions(options);
  std::string error;
  EXPECT_FALSE(parseArguments({"--kv-page=24"}, table, error));
  EXPECT_EQ(error, "--kv-page: '24' is not a multiple of 16 in 16 .. 4096");
  EXPECT_FALSE(parseArguments({"--keep=hiden"}, table, error));
  EXPECT_EQ(error, "--keep: 'hiden' is none of hidden, route, did you mean 'hidden'?");
}

} // namespace
