#include "runtime/main/OptionReader.h"

#include "runtime/Format.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace moire {

void OptionReader::takeName() {
  std::string_view spelled = arguments[next++];
  size_t equals = spelled.substr(0, 2) == "--" ? spelled.find('=') : spelled.npos;
  given = spelled.substr(0, equals);
  hasValue = equals != spelled.npos;
  value = hasValue ? spelled.substr(equals + 1) : "";
}

bool OptionReader::isCalled(const OptionName &option) const {
  return given == option.name || (given == option.shortName && !given.empty());
}

bool OptionReader::takeValue(Takes takes) {
  if (takes == Takes::Nothing && hasValue)
    fail("takes no value");
  else if (takes == Takes::Value && !hasValue && next == arguments.size())
    fail("needs a value");
  else if (takes == Takes::Value && !hasValue)
    value = arguments[next++];
  return error.empty();
}

void OptionReader::refuse() {
  if (given.substr(0, 1) == "-")
    fail("there is no such option; --help lists them");
  else
    error = format("'%s' is no option; %s", arguments[next - 1].c_str(), std::string(hint).c_str());
}

void OptionReader::fail(const std::string &why) {
  if (error.empty())
    error = format("%s: %s", std::string(given).c_str(), why.c_str());
}

int64_t OptionReader::integer(int64_t least, int64_t most) {
  int64_t number = 0;
  auto [end, status] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (status != std::errc() || end != value.data() + value.size() || number < least ||
      number > most)
    fail(format("'%s' is not a whole number in %lld .. %lld", std::string(value).c_str(),
                static_cast<long long>(least), static_cast<long long>(most)));
  return number;
}

float OptionReader::real(double least, double most) {
  std::string spelled(value);
  char *end = nullptr;
  double number = strtod(spelled.c_str(), &end);
  if (spelled.empty() || *end || !(number >= least && number <= most))
    fail(format("'%s' is not a number in %g .. %g", spelled.c_str(), least, most));
  return static_cast<float>(number);
}

std::vector<int64_t> OptionReader::list(int64_t least, int64_t most) {
  std::vector<int64_t> numbers;
  std::string_view all = value;
  for (size_t start = 0; start <= all.size();) {
    size_t end = std::min(all.find(',', start), all.size());
    value = all.substr(start, end - start);
    while (!value.empty() && value.front() == ' ')
      value.remove_prefix(1);
    while (!value.empty() && value.back() == ' ')
      value.remove_suffix(1);
    numbers.push_back(integer(least, most));
    start = end + 1;
  }
  return numbers;
}

} // namespace moire
