// A benchmark learns the machine's limits from a file, or asks a process between its runs.

#include "runtime/main/BenchLimits.h"

#include <gtest/gtest.h>
#include <thread>

#include <sys/socket.h>
#include <unistd.h>

namespace moire {
namespace {

std::string limitsOf(int64_t threads, double read) {
  return R"({"limits": [{"kind": "read", "threads": )" + std::to_string(threads) + R"(, "rate": )" +
         std::to_string(read) + "}]}\n";
}

// Answers one question after the other, each in two pieces, and then hangs up.
void answer(int socket, std::vector<std::string> answers, std::string &questions) {
  for (const std::string &text : answers) {
    char c;
    do
      questions += read(socket, &c, 1) == 1 ? c : '\n';
    while (questions.back() != '\n');
    ASSERT_EQ(write(socket, text.data(), 10), 10);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ASSERT_EQ(write(socket, text.data() + 10, text.size() - 10), text.size() - 10);
  }
  close(socket);
}

TEST(BenchLimits, AreUnknownWithoutASource) {
  BenchLimits limits;
  std::string error;
  ASSERT_TRUE(limits.open("", error)) << error;
  EXPECT_FALSE(limits.known());
  EXPECT_EQ(limits.changes(), "");
}

TEST(BenchLimits, AreAskedForEachTime) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  std::string questions, error;
  std::thread other(answer, ends[1],
                    std::vector{limitsOf(2, 2e10), limitsOf(1, 1.25e10), limitsOf(2, 4e10)},
                    std::ref(questions));
  BenchLimits limits;
  ASSERT_TRUE(limits.open("@" + std::to_string(ends[0]), error)) << error;
  EXPECT_TRUE(limits.known());
  MachineLimits now;
  for (auto [threads, read] : {std::pair(2, 2e10), {1, 1.25e10}, {2, 4e10}}) {
    EXPECT_TRUE(limits.measure(threads, now, error)) << error;
    EXPECT_EQ(now.read, read);
  }
  other.join();
  EXPECT_EQ(questions, "2\n1\n2\n");
  EXPECT_EQ(limits.mean(2).read, 3e10);
  EXPECT_EQ(limits.mean(1).read, 1.25e10);
  EXPECT_EQ(limits.mean(3).read, 0);
  EXPECT_EQ(limits.changes(),
            "Between the runs 1 thread read 12.5 to 12.5 GB/s and did 0 to 0 Gop/s of int8.\n"
            "Between the runs 2 threads read 20 to 40 GB/s and did 0 to 0 Gop/s of int8.\n");
  EXPECT_FALSE(limits.measure(2, now, error));
  EXPECT_NE(error.find("who measures the machine"), std::string::npos) << error;
}

} // namespace
} // namespace moire
