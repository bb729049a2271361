#include "runtime/main/BenchLimits.h"

#include "runtime/Format.h"
#include "runtime/main/Console.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace moire {

BenchLimits::~BenchLimits() {
  if (socket >= 0)
    close(socket);
}

bool BenchLimits::open(const std::string &source, std::string &error) {
  if (source.empty())
    return true;
  if (source.front() == '@') {
    const char *end = source.data() + source.size();
    auto [at, status] = std::from_chars(source.data() + 1, end, socket);
    if (status == std::errc() && at == end && socket >= 0)
      return true;
    socket = -1;
    error = source + ": expected the number of an open socket behind @";
    return false;
  }
  MachineLimits unused;
  if (!readFile(source, text, error))
    return false;
  if (parseLimits(text, 1, unused, error))
    return true;
  error = source + ": " + error;
  return false;
}

bool BenchLimits::ask(int64_t threads, std::string &error) {
  constexpr size_t kPiece = 4096, kLongest = 1 << 20;
  const std::string question = std::to_string(threads) + "\n";
  // A process that has gone is an answer, too; a signal would say nothing.
  ssize_t length = send(socket, question.data(), question.size(), MSG_NOSIGNAL);
  text.clear();
  while (length > 0 && !text.ends_with('\n') && text.size() < kLongest) {
    const size_t before = text.size();
    text.resize(before + kPiece);
    do
      length = recv(socket, text.data() + before, kPiece, 0);
    while (length < 0 && errno == EINTR); // Ctrl-C: the next step sees it
    text.resize(before + (length > 0 ? length : 0));
  }
  if (text.ends_with('\n'))
    return true;
  error = length < 0 ? std::string("who measures the machine cannot be asked: ") + strerror(errno)
                     : "who measures the machine does not answer any more";
  return false;
}

bool BenchLimits::measure(int64_t threads, MachineLimits &now, std::string &error) {
  if (socket >= 0 && !ask(threads, error))
    return false;
  if (!parseLimits(text, threads, now, error))
    return false;
  found[threads].push_back(now);
  return true;
}

MachineLimits BenchLimits::mean(int64_t threads) const {
  MachineLimits sum;
  auto team = found.find(threads);
  if (team == found.end())
    return sum;
  for (const MachineLimits &limits : team->second)
    sum += limits;
  return sum * (1 / static_cast<double>(team->second.size()));
}

std::string BenchLimits::changes() const {
  std::string lines;
  for (const auto &[threads, all] : found) {
    if (socket < 0)
      break;
    auto range = [&](double MachineLimits::*rate) {
      auto [least, most] = std::minmax_element(all.begin(), all.end(),
                                               [&](auto &a, auto &b) { return a.*rate < b.*rate; });
      return format("%.3g to %.3g", *least.*rate / 1e9, *most.*rate / 1e9);
    };
    lines += format("Between the runs %lld thread%s read %s GB/s and did %s Gop/s of int8.\n",
                    static_cast<long long>(threads), threads == 1 ? "" : "s",
                    range(&MachineLimits::read).c_str(), range(&MachineLimits::int8).c_str());
  }
  return lines;
}

} // namespace moire
